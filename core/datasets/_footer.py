"""Lines below the table of a text file, such as "Total" or "Source: ...", with nothing in the other columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from core.datasets._dialect import Layout

__all__ = ["Footer", "find_footer"]

_TAIL_BYTES = 8 * 1024
_MOST_LINES = 5
_WORDS = re.compile(
    rb"\s*\"?((grand |sub)?(total|sum|average|mean)s?|sources?|(foot)?notes?|copyright|exported|generated|updated)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Footer:
    """The lines at the end of a file that are left out: where they begin (bytes), and their texts."""

    start: int
    lines: tuple[bytes, ...]


def find_footer(path: Path, layout: Layout) -> Footer:
    """Return the footer of a file of at least three columns; often it has no lines.

    Parameters
    ----------
    path : Path
        Text in UTF-8.
    layout : Layout
        Dialect and names of the columns.

    Examples
    --------
    >>> import tempfile
    >>> from core.datasets._dialect import detect_layout
    >>> text = "a,b,c\\n1,2,3\\n4,5,6\\nTotal,,\\nSource: a survey,,\\n"
    >>> path = Path(tempfile.mkdtemp()) / "t.csv"
    >>> _ = path.write_text(text)
    >>> find_footer(path, detect_layout(text, complete=True)).lines
    (b'Total,,', b'Source: a survey,,')
    """
    delimiter, width = layout.dialect.delimiter.encode(), len(layout.names)
    size = path.stat().st_size
    if not delimiter or width < 3:
        return Footer(size, ())
    with path.open("rb") as file:
        file.seek(max(0, size - _TAIL_BYTES))
        lines = file.read().splitlines(keepends=True)[1:]  # the first one may be cut off, or is the header
    start, kept = size, 0
    for count, line in enumerate(reversed(lines[-_MOST_LINES:]), start=1):
        first, *others = line.strip().split(delimiter)
        if first and (len(others) != width - 1 or any(others) or not _WORDS.match(first)):
            break
        if first:
            start, kept = size - sum(map(len, lines[-count:])), count
    return Footer(start, tuple(line.strip() for line in lines[len(lines) - kept :]))
