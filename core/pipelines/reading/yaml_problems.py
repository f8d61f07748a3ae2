"""Problems of YAML in plain words."""

from __future__ import annotations

__all__ = ["explain"]

_PROBLEMS = {
    "that cannot start any token": (
        "A value begins with a character that has a meaning in YAML.",
        "Put the value in quotes.",
    ),
    "mapping values are not allowed here": (
        "A colon stands where no key can be.",
        "Indent the line like its neighbors, or put a text with a colon in quotes.",
    ),
    "could not find expected ':'": ("A key has no colon.", "Write 'key: value'."),
    "expected <block end>": ("The indentation does not match the lines above.", "Indent it like its neighbors."),
    "found unexpected end of stream": ("A quote is not closed.", "Close it."),
    "expected ',' or": ("A bracket is not closed.", "Close it, and separate values with commas."),
    "found duplicate anchor": ("The anchor is defined twice.", "Give one of them another name."),
    "found undefined tag handle": ("The tag is not allowed.", "Remove it; only plain values are read."),
}
"""Messages and hints by a part of what PyYAML says."""


def explain(problem: str, line: str) -> tuple[str, str]:
    """Return message and hint for a problem.

    Parameters
    ----------
    problem : str
        Problem as PyYAML says it.
    line : str
        Line of the file.

    Examples
    --------
    >>> explain("found character that cannot start any token", "\\tname: x")
    ('The line is indented with a tab.', 'Indent with spaces.')
    """
    if "\\t" in problem or "\t" in line[: len(line) - len(line.lstrip())]:
        return "The line is indented with a tab.", "Indent with spaces."
    if "expected ','" in problem and "${{" in line:
        return (
            "A reference within braces or brackets is not in quotes.",
            'Write {x: "${{parent.inputs.x}}"}.',
        )
    for part, (message, hint) in _PROBLEMS.items():
        if part in problem:
            return message, hint
    return f"This is not valid YAML: {problem[:200]}.", "Check indentation, colons and quotes."
