"""Sheets of OpenDocument files (.ods), as a stream of rows."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, iterparse

from core.datasets._entities import refuse_entities
from core.datasets._limits import Limits
from core.datasets._merged_cells import MergedCells
from core.datasets._options import ReadOptions
from core.datasets._sheets import Sheet, SheetRows, read_sheet
from core.datasets._unpack import check_archive, damage_reported
from core.errors import InputError

__all__ = ["is_open_document", "open_document_to_csv"]

_MIME = b"application/vnd.oasis.opendocument.spreadsheet"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"


def is_open_document(path: Path, members: list[str]) -> bool:
    """Return whether a zip file is an OpenDocument spreadsheet."""
    if "mimetype" not in members or "content.xml" not in members:
        return False
    with damage_reported("OpenDocument"), zipfile.ZipFile(path) as archive, archive.open("mimetype") as file:
        return file.read(100).startswith(_MIME)


def open_document_to_csv(path: Path, out: Path, limits: Limits, options: ReadOptions, most: int | None = None) -> Sheet:
    """Write one sheet of an OpenDocument file as CSV, or its first rows.

    Raises
    ------
    InputError
        When the file is damaged or protected, no sheet has cells, or the chosen one is absent.
    """
    check_archive(path, limits)
    try:
        with zipfile.ZipFile(path) as archive:
            refuse_entities(archive, "OpenDocument")
            names = [name for name, _ in _rows(archive, None)]
            merged: dict[str, MergedCells] = {}
            sheets = [SheetRows(name, partial(_sheet, archive, name, limits, merged)) for name in dict.fromkeys(names)]
            read = read_sheet(sheets, out, path.stat().st_size, limits, options, most)
            if notice := merged[read.name].notice:
                read = replace(read, layout=replace(read.layout, notices=(*read.layout.notices, notice)))
            return read
    except (zipfile.BadZipFile, zlib.error, ParseError, KeyError, ValueError, EOFError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("The OpenDocument file is damaged or protected.", "Save it again and upload it.") from error


def _sheet(archive: zipfile.ZipFile, name: str, limits: Limits, merged: dict[str, MergedCells]) -> Iterator[list[str]]:
    """Yield the rows of a sheet that have cells; `merged` gets its merged cells."""
    ranges = merged[name] = MergedCells()
    for _, row in _rows(archive, name, limits, ranges):
        if row:
            yield row


def _rows(
    archive: zipfile.ZipFile,
    wanted: str | None,
    limits: Limits | None = None,
    merged: MergedCells | None = None,
) -> Iterator[tuple[str, list[str]]]:
    """Yield the rows of one sheet; without a name, only the names of all sheets."""
    name, number = "", 0
    with archive.open("content.xml") as part:
        for event, element in iterparse(part, events=("start", "end")):
            if event == "start" and element.tag == f"{_TABLE}table":
                name = element.get(f"{_TABLE}name", "")
                if wanted is None:
                    yield name, []
            if event == "end" and element.tag == f"{_TABLE}table-row":
                if limits is not None and merged is not None and name == wanted:
                    row = _cells(element, limits)
                    for column, spanned in _spans(element):
                        merged.add(number, column, number + spanned - 1)
                    merged.fill(number, row)
                    number += _repeats(element, "rows")
                    count = _repeats(element, "rows") if row else 0
                    limits.check_shape(count, len(row))
                    for _ in range(count):
                        yield name, row
                element.clear()


def _repeats(element: Element, what: str) -> int:
    return int(element.get(f"{_TABLE}number-{what}-repeated", "1"))


def _spans(row: Element) -> Iterator[tuple[int, int]]:
    """Yield the column and the number of rows of each cell that is merged over several."""
    column = 0
    for cell in row:
        if (spanned := int(cell.get(f"{_TABLE}number-rows-spanned", "1"))) > 1:
            yield column, spanned
        if cell.tag in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            column += _repeats(cell, "columns")


def _cells(row: Element, limits: Limits) -> list[str]:
    cells: list[str] = []
    empty = 0  # empty cells count only when another follows: sheets end with thousands of them
    for cell in row:
        if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        value, count = _value(cell), _repeats(cell, "columns")
        if not value:
            empty += count
            continue
        limits.check_columns(len(cells) + empty + count)
        cells += [""] * empty + [value] * count
        empty = 0
    return cells


def _value(cell: Element) -> str:
    kind = cell.get(f"{_OFFICE}value-type")
    if kind in ("float", "currency", "percentage"):
        return cell.get(f"{_OFFICE}value", "")
    if kind == "date":
        return cell.get(f"{_OFFICE}date-value", "").replace("T00:00:00", "")
    if kind == "boolean":
        return cell.get(f"{_OFFICE}boolean-value", "")
    return "\n".join("".join(text.itertext()) for text in cell.iter(f"{_TEXT}p"))
