"""Conversion of the first sheet with cells of an Excel file to CSV, row by row."""

from __future__ import annotations

import csv
import datetime
import zipfile
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias

from core.datasets._dialect import Layout
from core.datasets._header import header_evidence
from core.datasets._limits import Limits
from core.datasets._table import Dialect
from core.datasets._unpack import check_archive
from core.errors import InputError, LimitError

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

__all__ = ["excel_to_csv"]

CellValue: TypeAlias = str | bool | int | float | datetime.date | datetime.time | datetime.timedelta | None

_HEAD_ROWS = 200


def excel_to_csv(path: Path, out: Path, limits: Limits) -> Layout:
    """Write the first sheet that has cells as CSV, and return its layout.

    Parameters
    ----------
    path : Path
        Excel file (.xlsx).
    out : Path
        CSV file to write, in UTF-8.
    limits : Limits
        Bounds that are checked before the file is unpacked, and for every row.

    Returns
    -------
    Layout

    Raises
    ------
    InputError
        When the file is damaged, or no sheet has cells.
    """
    from xml.etree.ElementTree import ParseError

    check_archive(path, limits)
    _refuse_entities(path)
    try:
        with path.open("rb") as file:  # openpyxl would judge a path by its extension
            return _convert(file, out, limits)
    except LimitError:
        raise
    except (
        zipfile.BadZipFile,
        ParseError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        EOFError,
        OSError,
    ) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("The Excel file is damaged.", "Open it in Excel, save it again and upload it.") from error


def _convert(file: IO[bytes], out: Path, limits: Limits) -> Layout:
    import openpyxl

    book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    try:
        sheets = list(book.worksheets)
        for sheet in sheets:
            sheet.reset_dimensions()  # the size that the file declares may be wrong
            rows = _filled_rows(sheet, limits)
            head = list(islice(rows, _HEAD_ROWS))
            if head:
                others = [other.title for other in sheets if other is not sheet]
                return _write(head, rows, out, sheet.title, others, limits)
    finally:
        book.close()
    raise InputError("The Excel file has no cells.", "Upload a file with a header and at least one row.")


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
    head: list[list[str]], rows: Iterator[list[str]], out: Path, title: str, others: Sequence[str], limits: Limits
) -> Layout:
    widest = max(len(row) for row in head)
    filled = [sum(bool(cell) for cell in row) for row in head]
    # Title rows above a table fill less than half of its columns.
    lead = next((i for i, count in enumerate(filled) if count * 2 > max(filled)), 0)
    header, _ = header_evidence(_padded(head[lead], widest), [_padded(row, widest) for row in head[lead + 1 :]])
    first = lead + header
    width = widest
    count = 0
    body = out.with_suffix(".body")
    with body.open("w", encoding="utf-8", newline="") as file:
        # The width is known only at the end: rows are written again if a later one is wider.
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for row in chain(head[first:], rows):
            width = max(width, len(row))
            count += 1
            limits.check_shape(count, width)
            writer.writerow(_padded(row, width))
    if width > widest:
        _widen(body, width)
    body.replace(out)
    notices = []
    if others:
        listed = ", ".join(repr(other) for other in others)
        notices.append(f"The sheet {title!r} was read; the file also has {listed}.")
    if lead:
        shown = "; ".join(repr(" ".join(filter(None, row))[:60]) for row in head[: min(lead, 3)])
        notices.append(f"{lead} row(s) before the table were skipped: {shown}.")
    if not header:
        notices.append("The first row looks like values, not like names, so the columns are numbered.")
    names = _padded(head[lead], width) if header else [""] * width
    return Layout(Dialect(",", '"', False, 0), '"', names, tuple(notices))


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
