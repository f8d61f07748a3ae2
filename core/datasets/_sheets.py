"""Sheets of workbooks: which is read, where its table begins and ends, and its rows as CSV."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

from core.datasets._dialect import Layout
from core.datasets._footer import is_total
from core.datasets._header import (
    JOINED_NOTICE,
    NUMBER,
    header_evidence,
    is_units_row,
    join_names,
    joined_header,
    lead_notice,
    units_notice,
)
from core.datasets._limits import Limits
from core.datasets._options import AUTO, Decision, ReadOptions
from core.datasets._records import SHOWN_ROWS
from core.datasets._staged_csv import StagedCsv
from core.datasets._table import Dialect, SkippedRow
from core.errors import InputError
from core.registry import unknown_name

__all__ = ["Sheet", "SheetRows", "read_sheet"]

_HEAD_ROWS = 200
_FOOTER_ROWS = 5
_SHOWN_ROWS = 20
_HEAD_CHARACTERS = 300


@dataclass(frozen=True)
class SheetRows:
    """A sheet of a workbook.

    Parameters
    ----------
    name : str
        Name of the sheet.
    rows : callable
        Function that returns an iterator of its rows as texts; rows without a cell are left out.
    visible : bool, default=True
        Whether users see it.
    """

    name: str
    rows: Callable[[], Iterator[list[str]]]
    visible: bool = True


@dataclass(frozen=True)
class Sheet:
    """A sheet as it was written to CSV: its layout, the sheets of the workbook, the rows left out at its end.

    `complete` says whether it has all rows, and `head` has the first ones as text.
    """

    layout: Layout
    name: str
    sheets: tuple[str, ...]
    footer: tuple[SkippedRow, ...] = ()
    complete: bool = True
    head: tuple[str, ...] = ()


def read_sheet(
    sheets: Sequence[SheetRows], out: Path, packed: int, limits: Limits, options: ReadOptions, most: int | None = None
) -> Sheet:
    """Write one sheet as CSV.

    Without a choice it is the first visible sheet that looks like a table (two columns and two rows at least), or the
    first with cells.

    Parameters
    ----------
    sheets : sequence of SheetRows
        Sheets of the workbook.
    out : Path
        CSV file to write, in UTF-8.
    packed : int
        Size of the workbook (bytes).
    limits : Limits
        Bounds that are checked for every row.
    options : ReadOptions
        Sheet, header and skipped rows, where they are given.
    most : int, optional
        Maximum number of rows to read, a number above 200; by default all are read.

    Returns
    -------
    Sheet

    Raises
    ------
    InputError
        When no sheet has cells, or the chosen one is absent.
    """
    sheet, decision = _choose(sheets, options)
    source = _checked(sheet.rows(), limits)
    rows = islice(source, most)
    head = list(islice(rows, _HEAD_ROWS))
    if not head:
        raise InputError(f"The sheet {sheet.name!r} has no cells.", "Choose another sheet.")
    shown = tuple(" | ".join(row)[:_HEAD_CHARACTERS] for row in head[:_SHOWN_ROWS])
    layout, footer = _write(head, rows, out, packed, limits, options)
    notices = list(layout.notices)
    if len(sheets) > 1:
        listed = ", ".join(repr(other.name) for other in sheets if other is not sheet)
        notices.insert(0, f"The sheet {sheet.name!r} was read; the file also has {listed}.")
    layout = replace(layout, notices=tuple(notices), decisions=(decision, *layout.decisions))
    complete = most is None or next(source, None) is None
    return Sheet(layout, sheet.name, tuple(other.name for other in sheets), footer, complete, shown)


def _choose(sheets: Sequence[SheetRows], options: ReadOptions) -> tuple[SheetRows, Decision]:
    """Return the sheet that is read, and why."""
    if options.sheet != AUTO:
        chosen = next((sheet for sheet in sheets if sheet.name == options.sheet), None)
        if chosen is None:
            hint = unknown_name(options.sheet, (sheet.name for sheet in sheets))
            raise InputError(f"The workbook has no sheet {options.sheet!r}.", hint)
        return chosen, Decision("sheet", chosen.name, "It was given.", "given")
    filled = []
    for sheet in sorted(sheets, key=lambda sheet: not sheet.visible):
        head = list(islice(sheet.rows(), _HEAD_ROWS))
        if sum(sum(map(bool, row)) > 1 for row in head) > 1:
            words = "It is the first visible sheet with a table." if sheet.visible else "No visible sheet has a table."
            return sheet, Decision("sheet", sheet.name, words, "certain" if len(sheets) == 1 else "likely")
        if head:
            filled.append(sheet)
    if not filled:
        raise InputError("The workbook has no cells.", "Upload a file with a header and at least one row.")
    return filled[0], Decision("sheet", filled[0].name, "It is the first sheet with cells.", "likely")


def _checked(rows: Iterator[list[str]], limits: Limits) -> Iterator[list[str]]:
    for row in rows:
        limits.check_columns(len(row))
        yield row


def _write(
    head: list[list[str]], rows: Iterator[list[str]], out: Path, packed: int, limits: Limits, options: ReadOptions
) -> tuple[Layout, tuple[SkippedRow, ...]]:
    """Write the rows below the header; return the layout and the rows of the footer."""
    widest = max(len(row) for row in head)
    top = _find_top(head, widest, options)
    width = widest
    count = 0
    footer: list[list[str]] = []  # rows that look like a footer, which are the table's unless another row follows
    repeated: list[SkippedRow] = []
    above: deque[str] = deque(maxlen=20)  # first cells
    body = out.with_suffix(".body")
    with body.open("w", encoding="utf-8", newline="") as file:
        # The width is known only at the end: rows are written again if a later one is wider.
        staged = StagedCsv(file, limits, packed)
        for row in chain(head[top.rows :], rows):
            width = max(width, len(row))
            count += 1
            if row == top.header:
                repeated.append(SkippedRow(top.rows + count, "repeats the header", " ".join(filter(None, row))[:200]))
                continue
            note = width > 2 and sum(map(bool, row)) == 1
            if len(footer) < _FOOTER_ROWS and (note or is_total(row[0], row[1:], above)):
                footer.append(row)
                continue
            for held in [*footer, row]:
                staged.write(_padded(held, width))
            footer.clear()
            above.append(row[0])
        if len(footer) == count - len(repeated):
            for held in footer:
                staged.write(_padded(held, width))
            footer.clear()
    if width > widest:
        _widen(body, width)
    body.replace(out)
    skipped = tuple(
        SkippedRow(top.rows + count - len(footer) + number, "looks like a footer", " ".join(filter(None, row))[:200])
        for number, row in enumerate(footer, start=1)
    )
    skipped = (*repeated[:SHOWN_ROWS], *skipped)
    layout = Layout(Dialect(",", '"', False, 0), '"', _padded(top.names, width), top.notices, decisions=top.decisions)
    return layout, skipped


@dataclass(frozen=True)
class _Top:
    """The rows above the first one of the table: their number, the header, the names, and what is said of them."""

    rows: int
    header: list[str]
    names: list[str]
    notices: tuple[str, ...]
    decisions: tuple[Decision, ...]


def _find_top(head: list[list[str]], widest: int, options: ReadOptions) -> _Top:
    filled = [sum(bool(cell) for cell in row) for row in head]
    given = options.skip_rows != AUTO or options.header != AUTO
    lead = int(options.skip_rows) if options.skip_rows != AUTO else 0
    if not given:  # title rows above a table fill less than half of its columns
        lead = next((i for i, number in enumerate(filled) if number * 2 > max(filled)), 0)
    if isinstance(options.header, int):
        lead += options.header
    if lead >= len(head):
        raise InputError(f"The sheet has no row {lead}.", "Choose an earlier row.")
    if options.header == AUTO:
        header, evidence = header_evidence(
            _padded(head[lead], widest), [_padded(row, widest) for row in head[lead + 1 :]]
        )
    else:
        header, evidence = options.header is not None, "It was given."
    names = _padded(head[lead], widest) if header else [""] * widest
    notices = []
    below = [_padded(row, widest) for row in head[lead + 1 :]] if header else []
    second = 0
    if len(below) > 1 and (joined_names := joined_header(names, below[0], below[1:])):
        names, second = joined_names, 1
        notices.append(JOINED_NOTICE)
    elif len(below) > 2 and is_units_row(below[0], below[1:]):
        notices.append(units_notice(below[0]))
        second = 1
    above = head[lead - 1] if header and lead and not given else []
    titles = lead
    if len([cell for cell in above if cell]) > 1 and not any(NUMBER.fullmatch(cell) for cell in above if cell):
        names = join_names(_padded(above, widest), names)
        notices.append(JOINED_NOTICE)
        titles -= 1
    if titles:
        shown = "; ".join(repr(" ".join(filter(None, row))[:60]) for row in head[: min(titles, 3)])
        notices.insert(0, lead_notice(titles, "row", shown))
    if not header:
        notices.append("The first row looks like values, not like names, so the columns are numbered.")
    joined = titles < lead
    decisions = (
        Decision(
            "skip_rows",
            AUTO if joined else lead,
            f"The table begins at row {lead + 1}.",
            "given" if given else "likely",
        ),
        Decision(
            "header",
            AUTO if joined else 0 if header else None,
            evidence,
            "given" if options.header != AUTO else "likely",
        ),
    )
    return _Top(lead + header + second, head[lead] if header else [], names, tuple(notices), decisions)


def _widen(path: Path, width: int) -> None:
    """Write the rows again, all with the width of the widest."""
    wider = path.with_suffix(".wider")
    with path.open(encoding="utf-8", newline="") as source, wider.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for row in csv.reader(source):
            writer.writerow(_padded(row, width))
    wider.replace(path)


def _padded(row: Sequence[str], width: int) -> list[str]:
    return [*row, *[""] * (width - len(row))]
