"""Conversion of one sheet of an Excel file to CSV, row by row."""

from __future__ import annotations

import csv
import datetime
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias

from core.datasets._dialect import Layout
from core.datasets._header import NUMBER, header_evidence
from core.datasets._limits import Limits
from core.datasets._options import AUTO, Decision, ReadOptions
from core.datasets._table import Dialect, SkippedRow
from core.datasets._unpack import check_archive
from core.errors import InputError, LimitError
from core.registry import unknown_name

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

__all__ = ["Sheet", "excel_to_csv"]

CellValue: TypeAlias = str | bool | int | float | datetime.date | datetime.time | datetime.timedelta | None

_HEAD_ROWS = 200
_FOOTER_ROWS = 5


@dataclass(frozen=True)
class Sheet:
    """A sheet as it was written to CSV: its layout, the sheets of the workbook, and the rows left out at its end."""

    layout: Layout
    sheets: tuple[str, ...]
    footer: tuple[SkippedRow, ...] = ()


def excel_to_csv(path: Path, out: Path, limits: Limits, options: ReadOptions | None = None) -> Sheet:
    """Write one sheet as CSV.

    Without a choice it is the first visible sheet that looks like a table (two columns and two rows at least), or the
    first with cells.

    Parameters
    ----------
    path : Path
        Excel file (.xlsx).
    out : Path
        CSV file to write, in UTF-8.
    limits : Limits
        Bounds that are checked before the file is unpacked, and for every row.
    options : ReadOptions, optional
        Sheet, header and skipped rows, where they are given.

    Returns
    -------
    Sheet

    Raises
    ------
    InputError
        When the file is damaged, no sheet has cells, or there is no such sheet.
    """
    from xml.etree.ElementTree import ParseError

    check_archive(path, limits)
    _refuse_entities(path)
    try:
        with path.open("rb") as file:  # openpyxl would judge a path by its extension
            return _convert(file, out, limits, options or ReadOptions())
    except LimitError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        ParseError,
        KeyError,
        IndexError,
        ValueError,
        TypeError,
        AttributeError,
        EOFError,
        OSError,
        NotImplementedError,
    ) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("The Excel file is damaged.", "Open it in Excel, save it again and upload it.") from error


def _convert(file: IO[bytes], out: Path, limits: Limits, options: ReadOptions) -> Sheet:
    import openpyxl

    book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    try:
        sheets = [sheet for sheet in book.worksheets if hasattr(sheet, "iter_rows")]
        names = tuple(sheet.title for sheet in sheets)
        sheet, decision = _choose(sheets, options, limits)
        rows = _filled_rows(sheet, limits)
        head = list(islice(rows, _HEAD_ROWS))
        if not head:
            raise InputError(f"The sheet {sheet.title!r} has no cells.", "Choose another sheet.")
        layout, footer = _write(head, rows, out, limits, options)
        notices = []
        if len(names) > 1:
            listed = ", ".join(repr(name) for name in names if name != sheet.title)
            notices.append(f"The sheet {sheet.title!r} was read; the file also has {listed}.")
        if count := _formulas_without_values(sheet):
            notices.append(
                f"{count:,} cell(s) have a formula whose value was never stored; they are missing. "
                "Open the file in a spreadsheet program, save it and upload it again."
            )
        layout = replace(layout, notices=(*notices, *layout.notices), decisions=(decision, *layout.decisions))
        return Sheet(layout, names, footer)
    finally:
        book.close()


def _choose(sheets: Sequence[Worksheet], options: ReadOptions, limits: Limits) -> tuple[Worksheet, Decision]:
    """Return the sheet that is read, and why."""
    for sheet in sheets:
        sheet.reset_dimensions()  # the size that the file declares may be wrong
    if options.sheet != AUTO:
        chosen = next((sheet for sheet in sheets if sheet.title == options.sheet), None)
        if chosen is None:
            hint = unknown_name(options.sheet, (sheet.title for sheet in sheets))
            raise InputError(f"The workbook has no sheet {options.sheet!r}.", hint)
        return chosen, Decision("sheet", chosen.title, "It was given.", "given")
    visible = [sheet for sheet in sheets if sheet.sheet_state == "visible"]
    filled = []
    for sheet in [*visible, *(sheet for sheet in sheets if sheet not in visible)]:
        head = list(islice(_filled_rows(sheet, limits), _HEAD_ROWS))
        if sum(sum(map(bool, row)) > 1 for row in head) > 1:
            words = (
                "It is the first visible sheet with a table." if sheet in visible else "No visible sheet has a table."
            )
            return sheet, Decision("sheet", sheet.title, words, "certain" if len(sheets) == 1 else "likely")
        if head:
            filled.append(sheet)
    if not filled:
        raise InputError("The Excel file has no cells.", "Upload a file with a header and at least one row.")
    return filled[0], Decision("sheet", filled[0].title, "It is the first sheet with cells.", "likely")


def _filled_rows(sheet: Worksheet, limits: Limits) -> Iterator[list[str]]:
    """Yield rows with a cell, without the empty cells at their end."""
    for position, row in enumerate(sheet.iter_rows(values_only=True)):
        cells = [_text(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            limits.check_columns(len(cells))
            yield cells
        if position > limits.max_rows + _HEAD_ROWS:
            limits.check_shape(position, 1)


def _write(
    head: list[list[str]], rows: Iterator[list[str]], out: Path, limits: Limits, options: ReadOptions
) -> tuple[Layout, tuple[SkippedRow, ...]]:
    """Write the rows below the header; return the layout and the rows of the footer."""
    widest = max(len(row) for row in head)
    top = _find_top(head, widest, options)
    width = widest
    count = 0
    footer: list[list[str]] = []  # rows with one cell, which are the table's unless another row follows
    body = out.with_suffix(".body")
    with body.open("w", encoding="utf-8", newline="") as file:
        # The width is known only at the end: rows are written again if a later one is wider.
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for row in chain(head[top.rows :], rows):
            width = max(width, len(row))
            count += 1
            limits.check_shape(count, width)
            if width > 2 and sum(map(bool, row)) == 1 and len(footer) < _FOOTER_ROWS:
                footer.append(row)
                continue
            writer.writerows(_padded(held, width) for held in footer)
            footer.clear()
            writer.writerow(_padded(row, width))
        if len(footer) == count:
            writer.writerows(_padded(held, width) for held in footer)
            footer.clear()
    if width > widest:
        _widen(body, width)
    body.replace(out)
    skipped = tuple(
        SkippedRow(top.rows + count - len(footer) + number, "looks like a footer", " ".join(filter(None, row))[:200])
        for number, row in enumerate(footer, start=1)
    )
    layout = Layout(Dialect(",", '"', False, 0), '"', _padded(top.names, width), top.notices, decisions=top.decisions)
    return layout, skipped


@dataclass(frozen=True)
class _Top:
    """The rows above the first one of the table: their number, the names, and what is said of them."""

    rows: int
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
    above = head[lead - 1] if header and lead and not given else []
    titles = lead
    if len([cell for cell in above if cell]) > 1 and not any(NUMBER.fullmatch(cell) for cell in above if cell):
        names = [" ".join(filter(None, pair)) for pair in zip(_spread(above, widest), names, strict=True)]
        notices.append("The header has two rows, whose names were joined.")
        titles -= 1
    if titles:
        shown = "; ".join(repr(" ".join(filter(None, row))[:60]) for row in head[: min(titles, 3)])
        notices.insert(0, f"{titles} row(s) before the table were skipped: {shown}.")
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
    return _Top(lead + header, names, tuple(notices), decisions)


def _spread(row: Sequence[str], width: int) -> list[str]:
    """Return the cells of a row of merged cells, each over all of its columns."""
    spread, last = [], ""
    for cell in _padded(row, width):
        last = cell or last
        spread.append(last)
    return spread


def _formulas_without_values(sheet: Worksheet) -> int:
    """Count the cells that have a formula and no value."""
    from xml.parsers import expat

    count, has_formula, has_value, inside = 0, False, False, ""

    def start(name: str, _: object) -> None:
        nonlocal has_formula, has_value, inside
        inside = name.rsplit(":", 1)[-1]
        if inside == "c":
            has_formula = has_value = False
        has_formula |= inside == "f"

    def text(data: str) -> None:
        nonlocal has_value
        has_value |= inside in ("v", "t") and bool(data.strip())

    def end(name: str) -> None:
        nonlocal count, inside
        inside = ""
        if name.rsplit(":", 1)[-1] == "c":
            count += has_formula and not has_value

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    with sheet._get_source() as part:  # openpyxl has no public way to it
        parser.ParseFile(part)
    return count


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


def _text(value: CellValue) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, float):
        return repr(value)
    return str(value)


def _refuse_entities(path: Path) -> None:
    """Raise InputError for XML that declares entities: spreadsheets do not, but decompression bombs do."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.filename.endswith((".xml", ".rels")):
                with archive.open(member) as part:
                    if b"<!DOCTYPE" in part.read(4096):
                        raise InputError("The Excel file declares XML entities.", "Save it again with Excel.")
