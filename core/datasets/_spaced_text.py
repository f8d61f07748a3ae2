"""Tables whose columns stand apart by blanks or by two colons: they become delimited text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from core.datasets._header import DATE, NUMBER

__all__ = ["BLANKS", "COLONS", "FIXED", "SEPARATOR", "convert", "find_spacing"]

SEPARATOR = "\x1f"
"""Delimiter of the text that `convert` writes."""
BLANKS, COLONS, FIXED = " ", "::", "fixed"
_MIN_LINES = 3
_MANY_LINES = 10
_MIN_SHARE = 0.95
_MIN_NUMBERS = 0.3
_GAP = re.compile(r"[ \t]+")
_QUOTED = re.compile(r'"((?:[^"]|"")*)"(?=[ \t]|$)|[^ \t]+')


def find_spacing(sample: str) -> str | None:
    """Return how the columns of a text without a delimiter stand apart: `BLANKS`, `COLONS`, `FIXED`, or None.

    Parameters
    ----------
    sample : str
        Start of the file, without a line that is cut off.

    Examples
    --------
    >>> find_spacing("1::1193::5\\n1::661::3\\n2::914::3\\n")
    '::'
    >>> find_spacing("x   y\\n1.5 2\\n10  3.25\\n")
    ' '
    >>> find_spacing("name      town\\nAnn Lee   New York\\nBo        Rome\\nCy Young  Los Angeles\\n")
    'fixed'
    """
    lines = [line.rstrip() for line in sample.splitlines()[:200] if line.strip()]
    if len(lines) < _MIN_LINES:
        return None
    if _same([line.count(COLONS) for line in lines]):
        return COLONS
    rows = [_split(line) for line in lines]
    cells = [cell for row in rows[1:] for cell in row]
    numbers = sum(NUMBER.fullmatch(cell) is not None for cell in cells)
    if _same([len(row) - 1 for row in rows[_is_above_names(lines, rows) :]]) and numbers >= _MIN_NUMBERS * len(cells):
        return BLANKS
    return FIXED if len(_starts(lines)) > 1 and "\t" not in sample else None


def _is_above_names(lines: list[str], rows: list[list[str]]) -> bool:
    """Return whether the first line is a header with no name for the names of the rows, as R writes it."""
    names = [row[0] for row in rows[1:]]
    counted = names == [str(number) for number in range(1, len(names) + 1)]
    quoted = all(line.lstrip().startswith('"') for line in lines[1:])
    return 1 < len(rows[0]) == len(rows[1]) - 1 and len(set(names)) == len(names) and (counted or quoted)


def _same(counts: list[int]) -> bool:
    """Return whether almost all counts are the same, and not 0."""
    common = max(set(counts), key=counts.count)
    return common > 0 and counts.count(common) >= _MIN_SHARE * len(counts)


def _split(line: str) -> list[str]:
    """Return the cells of a line, with blanks within double quotes."""
    if '"' not in line:
        return _GAP.split(line.strip())
    return [
        quoted.replace('""', '"') if quoted is not None else plain
        for quoted, plain in ((match[1], match[0]) for match in _QUOTED.finditer(line))
    ]


def _starts(lines: list[str]) -> list[int]:
    """Return where columns begin: after a character that is blank in all lines.

    In few lines that may be chance. There it takes two blanks, or one between names and beside numbers or dates.
    """
    width = max(map(len, lines))
    blank = [all(line[i : i + 1] in ("", " ") for line in lines) for i in range(width)]
    starts = [i for i in range(width) if not blank[i] and (i == 0 or blank[i - 1])]
    if len(lines) >= _MANY_LINES:
        return starts
    pieces = list(zip(starts, [*starts[1:], width], strict=True))
    typed = [_is_typed(lines[1:], start, end) for start, end in pieces]
    named = [bool(lines[0][start:end].strip()) for start, end in pieces]
    return [
        start
        for index, start in enumerate(starts)
        if index == 0
        or (start >= 2 and blank[start - 2])
        or (named[index] and named[index - 1] and (typed[index] or typed[index - 1]))
    ]


def _is_typed(lines: list[str], start: int, end: int) -> bool:
    """Return whether the cells between two positions are numbers or dates."""
    cells = [cell for line in lines if (cell := line[start:end].strip())]
    return bool(cells) and all(NUMBER.fullmatch(cell) or DATE.fullmatch(cell) for cell in cells)


def convert(path: Path, out: Path, spacing: str, sample: str) -> None:
    """Write a text with `SEPARATOR` between its columns, line by line."""
    split = _splitter(spacing, sample)
    with path.open(encoding="utf-8-sig", newline="\n") as source, out.open("w", encoding="utf-8", newline="") as target:
        for line in source:
            target.write(SEPARATOR.join(split(line.rstrip("\r\n"))) + "\n")


def _splitter(spacing: str, sample: str) -> Callable[[str], list[str]]:
    if spacing == COLONS:
        return lambda line: line.split(COLONS)
    if spacing == BLANKS:
        return lambda line: _split(line) if line.strip() else []
    starts = _starts([line.rstrip() for line in sample.splitlines()[:200] if line.strip()])
    ends = [*starts[1:], None]
    pieces = list(zip(starts, ends, strict=True))
    return lambda line: [line[start:end].strip() for start, end in pieces] if line.strip() else []
