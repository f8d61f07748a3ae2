"""Whether a text of SQL is one statement that reads and nothing else."""

from __future__ import annotations

import re
from typing import Final

from core.errors import InputError, shortened

__all__ = ["checked_statement"]

_CHARS: Final = 20_000
_SKIPPED = re.compile(
    r"""
    '(?:[^'\\]|''|\\(?!'))*'      # texts; a backslash before a quote means something else in each database
    | "(?:[^"\\]|"")*"            # names
    | `[^`]*`
    | --[^\n]*
    | /\*(?!!)(?:(?!/\*).)*?\*/   # MySQL runs what is in /*! */, and PostgreSQL nests comments
    """,
    re.VERBOSE | re.DOTALL,
)
_OPENED = re.compile(r"""['"`]|/\*|\*/|\#""")
# What is a text or a comment in one database and runs in another: $$, --1, /*! */, /*M! */, [name'].
_AMBIGUOUS = re.compile(r"""\$\w*\$|--(?=\S)|/\*M?!|\[[^\]]*['"`$-]""")
_CHANGING: Final = {
    *("insert", "update", "delete", "merge", "truncate", "drop", "alter", "create", "grant", "revoke", "call"),
    *("exec", "execute", "copy", "attach", "detach", "pragma", "lock", "into", "vacuum", "set", "commit", "rollback"),
}


def checked_statement(text: str) -> str:
    """Return a statement of SQL without a semicolon at its end.

    Words that change something are refused outside of texts and quoted names, although the transaction only reads
    where the database can do that: a column of such a name has to be quoted.

    Parameters
    ----------
    text : str
        One statement that begins with SELECT or WITH.

    Raises
    ------
    InputError
        When it is something else.

    Examples
    --------
    >>> checked_statement("SELECT * FROM scored WHERE id > :since;")
    'SELECT * FROM scored WHERE id > :since'
    >>> checked_statement("DELETE FROM scored")
    Traceback (most recent call last):
    core.errors.InputError: The query does not begin with SELECT or WITH. Write one statement that reads rows.
    """
    text = text.strip()
    if len(text) > _CHARS or "\0" in text:
        raise InputError(f"The query has {len(text):,} characters.", f"It may have {_CHARS:,}, and none that is 0.")
    if odd := _AMBIGUOUS.search(text):
        raise InputError(
            f"The query has {odd[0]}, which databases read in different ways.",
            "Write a blank after --, and leave out dollar quotes, /*! and quotes within brackets.",
        )
    bare = _SKIPPED.sub(lambda match: " " * len(match[0]), text).rstrip()
    if opened := _OPENED.search(bare):
        raise InputError(
            f"The query has a text, a name or a comment that {opened[0]} begins or ends, and that cannot be read.",
            "Close it, and leave out backslashes before quotes and comments within comments.",
        )
    bare = bare.removesuffix(";").rstrip()
    if ";" in bare:
        raise InputError("The query has more than one statement.", "Write one statement that reads rows.")
    words = re.findall(r"\w+", bare.lower())
    if not words or words[0] not in ("select", "with"):
        raise InputError("The query does not begin with SELECT or WITH.", "Write one statement that reads rows.")
    for word in words:
        if word in _CHANGING:
            raise InputError(
                f"The query has the word {shortened(word.upper())}, which changes something.",
                'Leave it out; the name of a column or table is quoted, as in "update".',
            )
    return text[: len(bare)]  # a comment at the end would hide what is put around it
