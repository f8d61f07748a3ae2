"""Lines below the table of a text file, such as "Total" or "Source: ...", with nothing in the other columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.datasets._dialect import Layout
from core.datasets._header import DATE, NUMBER

__all__ = ["Footer", "find_footer", "is_total"]

_TAIL_BYTES = 8 * 1024
_MOST_LINES = 5
_MIN_ABOVE = 3
_TOTAL = re.compile(r"\s*(grand |sub)?totals?:?\s*", re.IGNORECASE)
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
    firsts = [line.strip().split(delimiter)[0].decode("utf-8", "replace").strip('"') for line in lines]
    for count, line in enumerate(reversed(lines[-_MOST_LINES:]), start=1):
        first, *others = line.strip().split(delimiter)
        if first and (len(others) != width - 1 or not (_is_note(first, others) or _ends(firsts, others, count))):
            break
        if first:
            start, kept = size - sum(map(len, lines[-count:])), count
    return Footer(start, tuple(line.strip() for line in lines[len(lines) - kept :]))


def _is_note(first: bytes, others: Sequence[bytes]) -> bool:
    return not any(others) and _WORDS.match(first) is not None


def _ends(firsts: Sequence[str], others: Sequence[bytes], count: int) -> bool:
    """Return whether the line so many from the end is a total."""
    end = len(firsts) - count
    return is_total(firsts[end], [cell.decode("utf-8", "replace") for cell in others], firsts[max(0, end - 20) : end])


def is_total(first: str, others: Sequence[str], above: Sequence[str]) -> bool:
    """Return whether a row has totals: its first cell says so, below numbers or dates, and another one is a number.

    Parameters
    ----------
    first : str
        First cell.
    others : sequence of str
        Other cells.
    above : sequence of str
        First cells of the rows above, the last ones of the table.

    Examples
    --------
    >>> is_total("Total", ["20", "30"], ["1", "2", "3"]), is_total("Total", ["20"], ["Ann", "Bob", "Cy"])
    (True, False)
    """
    values = [cell for cell in above if cell.strip()]
    return (
        _TOTAL.fullmatch(first) is not None
        and len(values) >= _MIN_ABOVE
        and all(NUMBER.fullmatch(cell) or DATE.fullmatch(cell) for cell in values)
        and any(NUMBER.fullmatch(cell) for cell in others)
    )
