"""Conversion of one sheet of an Excel file to CSV, row by row."""

from __future__ import annotations

import datetime
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias

from core.datasets._entities import refuse_entities
from core.datasets._limits import Limits
from core.datasets._merged_cells import MergedCells
from core.datasets._options import ReadOptions
from core.datasets._sheets import Sheet, SheetRows, read_sheet
from core.datasets._unpack import check_archive, is_of_the_disk
from core.errors import InputError, LimitError

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

__all__ = ["excel_to_csv"]

CellValue: TypeAlias = str | bool | int | float | datetime.date | datetime.time | datetime.timedelta | None

_MERGED = re.compile(rb"mergeCell ref=\"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})\"")
_REFERENCE_BYTES = 40  # of one of these at most
_SPARE_ROWS = 200  # for titles above the table


def excel_to_csv(path: Path, out: Path, limits: Limits, options: ReadOptions, most: int | None = None) -> Sheet:
    """Write one sheet of an Excel file as CSV.

    Parameters
    ----------
    path : Path
        Excel file (.xlsx).
    out : Path
        CSV file to write, in UTF-8.
    limits : Limits
        Bounds that are checked before the file is unpacked, and for every row.
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
        When the file is damaged, no sheet has cells, or the chosen one is absent.
    """
    from xml.etree.ElementTree import ParseError

    check_archive(path, limits)
    try:
        with zipfile.ZipFile(path) as archive:
            refuse_entities(archive, "Excel")
        with path.open("rb") as file:  # openpyxl would judge a path by its extension
            return _convert(file, out, limits, options, most)
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
    ) as error:
        if isinstance(error, InputError) or is_of_the_disk(error):
            raise
        raise InputError("The Excel file is damaged.", "Open it in Excel, save it again and upload it.") from error


def _convert(file: IO[bytes], out: Path, limits: Limits, options: ReadOptions, most: int | None) -> Sheet:
    import openpyxl

    packed = file.seek(0, 2)
    file.seek(0)
    book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    try:
        by_name = {sheet.title: sheet for sheet in book.worksheets if hasattr(sheet, "iter_rows")}
        for sheet in by_name.values():
            sheet.reset_dimensions()  # the size that the file declares may be wrong
        merged: dict[str, MergedCells] = {}
        sheets = [
            SheetRows(name, partial(_filled_rows, sheet, limits, merged), sheet.sheet_state == "visible")
            for name, sheet in by_name.items()
        ]
        read = read_sheet(sheets, out, packed, limits, options, most)
        if notice := merged[read.name].notice:
            read = replace(read, layout=replace(read.layout, notices=(*read.layout.notices, notice)))
        if read.complete and (count := _formulas_without_values(by_name[read.name])):
            notice = (
                f"Missing, since the value of a formula was never stored: {count:,} cell{'s' * (count != 1)}. "
                "Open the file in a spreadsheet program, save it and upload it again."
            )
            read = replace(read, layout=replace(read.layout, notices=(notice, *read.layout.notices)))
        return read
    finally:
        book.close()


def _filled_rows(sheet: Worksheet, limits: Limits, merged: dict[str, MergedCells]) -> Iterator[list[str]]:
    """Yield rows with a cell, without the empty cells at their end; `merged` gets the sheet's merged cells."""
    ranges = merged[sheet.title] = MergedCells(_merged_ranges(sheet))
    for position, row in enumerate(sheet.iter_rows(values_only=True)):
        cells = [_text(value) for value in row]
        ranges.fill(position, cells)
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            limits.check_columns(len(cells))
            yield cells
        if position > limits.max_rows + _SPARE_ROWS:
            limits.check_shape(position, 1)


def _merged_ranges(sheet: Worksheet) -> Iterator[tuple[int, int, int]]:
    """Yield the first row, the column and the last row of each range of merged cells, named at a sheet's end."""
    from openpyxl.utils import column_index_from_string

    tail = b""
    with sheet._get_source() as part:  # openpyxl has no public way to it
        while block := part.read(1 << 20):
            text = tail + block
            tail = text[-_REFERENCE_BYTES:]
            if b"mergeCell" not in text:
                continue
            for first, top, _, bottom in _MERGED.findall(text):
                yield int(top) - 1, column_index_from_string(first.decode()) - 1, int(bottom) - 1


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
