"""Texts of users where some texts mean more, in Markdown and in logs: names of columns and labels stay names."""

from __future__ import annotations

import re

__all__ = ["JOINER", "inert", "markdown_code", "markdown_text", "one_line"]

JOINER = "\u2060"
"""A character without width, which joins what stands on both sides of it."""
_BLANKS = re.compile(r"[ \t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")
_TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")  # they set the direction of what follows, also after the text
_SHORTCODES = re.compile(r":(?=([\w+/-]+)(?::|$))")
_LINKS = re.compile(
    r"(?<=:)(?=//) | (?<=http:)(?=/?$) | (?<=https:)(?=/?$) | (?<=www)(?=\.|$) | (?<=@)(?=[\w-]*(?:\.|$))",
    re.IGNORECASE | re.VERBOSE,
)
_MARKS = re.compile(r"[\\`*_{}\[\]<>#|~$&!]")
_BLOCK = re.compile(r"^(?:(\d+)(?=[.)])|(?=[-+=]))")


def one_line(text: object) -> str:
    r"""Return a text in one line without control characters.

    Examples
    --------
    >>> one_line("sales\n2026-01-01 ERROR all is lost\x1b[2J")
    'sales 2026-01-01 ERROR all is lost [2J'
    """
    return " ".join("".join(character if character.isprintable() else " " for character in str(text)).split())


def inert(text: object) -> str:
    r"""Return a text that nothing takes for an address or for the name of an icon, in one line.

    Readers of Markdown replace an address (`www.`) or a name of an emoji (`:smile:`) after they have read the marks, so
    that escaping does not help; a character without width keeps those from being one, also where something is written
    right after the text. Blanks are one blank, as a browser shows them. Characters that turn the direction of what
    follows are shown as U+FFFD.

    Examples
    --------
    >>> inert("see www.example.org,\n now").replace(JOINER, "~")
    'see www~.example.org, now'
    """
    text = _TURNS.sub("\ufffd", _BLANKS.sub(" ", str(text)))
    return _LINKS.sub(JOINER, _SHORTCODES.sub(_broken_shortcode, text))


def markdown_text(text: object) -> str:
    r"""Return a text for a Markdown file, in one line, with all that would be markup or HTML escaped.

    See Also
    --------
    markdown_code : The same in the font of code.

    Examples
    --------
    >>> markdown_text("a_b | <c>")
    'a\\_b \\| \\<c\\>'
    >>> markdown_text("1. first"), markdown_text("- item")
    ('1\\. first', '\\- item')
    """
    escaped = _MARKS.sub(r"\\\g<0>", inert(text).strip())
    return _BLOCK.sub(lambda match: f"{match[1]}\\" if match[1] else "\\", escaped)


def markdown_code(text: object, *, in_table: bool = False) -> str:
    r"""Return a text as code in a Markdown file.

    Parameters
    ----------
    text : object
        Text, whatever it has in it.
    in_table : bool, default=False
        Whether it stands in a table, where a bar ends a cell also within code.

    Examples
    --------
    >>> markdown_code("age"), markdown_code("a`b"), markdown_code("a|b", in_table=True)
    ('`age`', '``a`b``', '`a\\|b`')
    """
    code = _TURNS.sub("\ufffd", _BLANKS.sub(" ", str(text))).strip() or " "
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", code)), default=0))
    if code.startswith("`") or code.endswith("`"):
        code = f" {code} "
    return f"{fence}{code}{fence}".replace("|", "\\|" if in_table else "|")


def _broken_shortcode(match: re.Match[str]) -> str:
    """Return a colon that begins no name of an emoji: a time of day (`12:30:45`) is left as it is."""
    name = match.group(1)
    return f":{JOINER}" if re.search(r"[A-Za-z+-]", name) or name in ("100", "1234") else ":"
