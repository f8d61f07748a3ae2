"""The header of a table: whether its first row has names or values, and why."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = [
    "DATE",
    "JOINED_NOTICE",
    "NUMBER",
    "header_evidence",
    "is_units_row",
    "join_names",
    "joined_header",
    "lead_notice",
    "units_notice",
]

NUMBER = re.compile(r"\s*[+-]?(\d+([.,]\d+)*|[.,]\d+)\.?([eE][+-]?\d+)?\s*%?\s*")
DATE = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ]\d{1,2}:\d{2}.*)?\s*")
JOINED_NOTICE = "The header has two rows, whose names were joined."
_YEAR = re.compile(r"(19|20)\d\d")
_UNIT = re.compile(r"[(\[]?[^\W\d_]{1,5}[/²³23%]*[^\W\d_]{0,4}[)\]]?|[(\[]?[%°€$£][CF]?[)\]]?|-|")
_MIN_SHARE = 0.9


def header_evidence(first: Sequence[str], body: Sequence[Sequence[str]]) -> tuple[bool, str]:
    """Return whether the first row has names rather than values, and the sentence that says why.

    Names are text above numbers or dates, or a count of the columns such as ``0, 1, 2``, or years. Otherwise a row with
    a number or a date has values, and so has one whose cells repeat below it. Rows that repeat the first one as a whole
    do not count as values below it.

    Parameters
    ----------
    first : sequence of str
        Cells of the first row.
    body : sequence of sequence of str
        Rows below it.

    Examples
    --------
    >>> header_evidence(["id", "1", "2"], [["7", "0.5", "0.1"], ["8", "0.7", "0.2"]])
    (True, "The first row has text, such as 'id', above numbers.")
    >>> header_evidence(["5.1", "setosa"], [["4.9", "setosa"]])
    (False, "The first row has values, such as '5.1'.")
    """
    cells = [cell.strip() for cell in first]
    if not any(cells):
        return False, "The first row is empty."
    columns = _columns(body, len(cells))
    others = [row for row in body if [cell.strip() for cell in row] != cells] if len(cells) > 1 else body
    types = [_kind_of_column(column) for column in _columns(others, len(cells))]
    for cell, kind in zip(cells, types, strict=True):
        if cell and kind in ("number", "date") and _kind(cell) not in (kind, "number" if kind == "number" else kind):
            what = {"text": "text", "date": "a date", "number": "a number"}[_kind(cell)]
            above = "numbers" if kind == "number" else "dates"
            if not (_kind(cell) == "text" and _looks_missing(cell)):
                return True, f"The first row has {what}, such as {cell!r}, above {above}."
    typed = [cell for cell in cells if _kind(cell) != "text"]
    if typed:
        if _counts(cells) and not (body and _counts([cell.strip() for cell in body[0]], start=None)):
            return True, f"The first row counts its columns: {', '.join(cells[:4])}."
        years = [cell for cell in typed if _YEAR.fullmatch(cell)]
        below = [cell for cell, column in zip(cells, columns, strict=True) if cell in years for cell in column]
        repeated = sum(_YEAR.fullmatch(cell) is not None for cell in below) >= _MIN_SHARE * max(len(below), 1)
        named = len(years) == len(typed) and len(set(cells)) == len(cells) > 1 and years == sorted(years)
        if named and not repeated:
            return True, f"The first row has years, such as {years[0]!r}, above other values."
        return False, f"The first row has values, such as {typed[0]!r}."
    if len(cells) == 1 and body:
        repeated = cells[0] in set(columns[0])
        return not repeated, f"{cells[0]!r} {'is repeated' if repeated else 'is not'} below the first row."
    repeats = [cell for cell, column in zip(cells, columns, strict=True) if cell and cell in column]
    if len(repeats) * 2 > len(cells):
        return False, f"Cells of the first row are repeated below it, such as {repeats[0]!r}."
    return True, "The first row has text that is not repeated below it."


def lead_notice(count: int, noun: str, shown: str) -> str:
    """Return the notice about what stands before a table.

    Examples
    --------
    >>> lead_notice(2, "line", "'Sales'; 'Confidential'")
    "The 2 lines before the table were left out: 'Sales'; 'Confidential'."
    """
    which = f"The {noun} before the table was" if count == 1 else f"The {count:,} {noun}s before the table were"
    return f"{which} left out: {shown}."


def is_units_row(row: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Return whether a row below the header has units: short text above numbers.

    Examples
    --------
    >>> is_units_row(["", "kg", "m/s"], [["a", "1.5", "2"], ["b", "2.5", "3"]])
    True
    """
    cells = [cell.strip() for cell in row]
    columns = _columns(body, len(cells))
    numbers = [
        cell for cell, column in zip(cells, columns, strict=True) if column and _kind_of_column(column) == "number"
    ]
    return (
        len(body) >= 2
        and any(numbers)
        and all(
            _kind(cell) == "text" and _UNIT.fullmatch(cell) and not _looks_missing(cell) for cell in numbers if cell
        )
        and all(_UNIT.fullmatch(cell) for cell in cells)
    )


def joined_header(first: Sequence[str], second: Sequence[str], body: Sequence[Sequence[str]]) -> list[str] | None:
    """Return the names of a header of two rows, or None where the second row has values.

    Parameters
    ----------
    first, second : sequence of str
        Rows of as many cells. The first has gaps, as merged cells leave them, where the second has names.
    body : sequence of sequence of str
        Rows below them.

    Examples
    --------
    >>> joined_header(["region", "Q1", ""], ["", "units", "price"], [["N", "1", "2.5"], ["S", "3", "4.5"]])
    ['region', 'Q1 units', 'Q1 price']
    >>> joined_header(["", "name", "age"], ["1", "Ann", "31"], [["2", "Bo", "7"]])
    """
    cells = [cell.strip() for cell in second]
    filled = [cell for cell in cells if cell]
    gaps = any(cell and not above.strip() for above, cell in zip(first, cells, strict=True))
    if not gaps or len(filled) < 2 or any(_kind(cell) != "text" or _looks_missing(cell) for cell in filled):
        return None
    types = [_kind_of_column(column) for column in _columns(body, len(cells))]
    if not any(cell and kind != "text" for cell, kind in zip(cells, types, strict=True)):
        return None
    return join_names(first, cells)


def units_notice(row: Sequence[str]) -> str:
    """Return the sentence about a row of units that is skipped."""
    shown = ", ".join(repr(cell.strip()) for cell in row if cell.strip())
    return f"The row below the header was skipped, since it looks like units: {shown}."


def join_names(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """Return names of which each has a part in both rows; one in the first row stands above all columns up to the next.

    Examples
    --------
    >>> join_names(["region", "Q1", ""], ["", "units", "price"])
    ['region', 'Q1 units', 'Q1 price']
    """
    names, last = [], ""
    for above, cell in zip(first, second, strict=True):
        last = above.strip() or last
        names.append(" ".join(dict.fromkeys(part for part in (last, cell.strip()) if part)))
    return names


def _columns(rows: Sequence[Sequence[str]], width: int) -> list[list[str]]:
    """Return the cells of each column that are not blank."""
    return [[row[i].strip() for row in rows if i < len(row) and row[i].strip()] for i in range(width)]


def _kind(cell: str) -> str:
    if NUMBER.fullmatch(cell) and not cell.endswith("%"):
        return "number"
    return "date" if DATE.fullmatch(cell) else "text"


def _kind_of_column(cells: Sequence[str]) -> str:
    cells = [cell for cell in cells if not _looks_missing(cell)]
    for kind in ("number", "date"):
        if cells and sum(_kind(cell) == kind for cell in cells) >= _MIN_SHARE * len(cells):
            return kind
    return "text"


def _looks_missing(cell: str) -> bool:
    return cell.casefold() in ("", "?", "na", "n/a", "nan", "null", "none", "-", ".", "<na>", "#n/a", "inf", "-inf")


def _counts(cells: Sequence[str], start: int | None = 0) -> bool:
    """Return whether the numbers among some cells count up by one, from 0 or 1 unless `start` is None."""
    numbers = [int(cell) for cell in cells if cell.isdigit()]
    if len(numbers) < 2 or any(NUMBER.fullmatch(cell) and not cell.isdigit() for cell in cells):
        return False
    if len(numbers) == len(cells) == 2:
        return False
    steps = numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    return steps and (start is None or numbers[0] in (start, start + 1))
