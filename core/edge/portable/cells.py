"""Cells of a CSV file as a model takes them: the spellings of Plumbline's own import, without pandas."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .read_file import CellError, read_text
from .words import count_words
from .written import category_text, iso_time, read_cell

__all__ = [
    "MARKERS",
    "MISSING",
    "TEXT_MARKERS",
    "CellError",
    "categories",
    "csv_text",
    "dates",
    "feed",
    "groups",
    "number_text",
    "numbers",
    "read_csv",
    "safe",
]

MISSING = "(missing)"
TEXT_MARKERS = ("?", "N/A", "n/a", "#N/A", "<NA>", "NULL", "null", "NaN", "nan", "NAN", "Null", "\\N", "NA")
MARKERS = (
    *TEXT_MARKERS,
    "None",
    "none",
    "na",
    "-",
    "--",
    "\u2013",
    "\u2014",
    ".",
    "#VALUE!",
    "#DIV/0!",
    "#REF!",
    "#NULL!",
    "#NUM!",
    "0000-00-00",
    "0000-00-00 00:00:00",
)
"""Spellings of "missing"; those of `TEXT_MARKERS` also among words."""
_BOOLEANS = {"true": 1.0, "True": 1.0, "TRUE": 1.0, "false": 0.0, "False": 0.0, "FALSE": 0.0}
_LARGEST = float(np.finfo(np.float32).max)
_NO_DATE = int(np.iinfo(np.int64).min)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPACES = " \t\u00a0"
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_CODE = re.compile(r"[+-]?0\d.*")  # a postcode
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # four are full-width
_SIGNED = re.compile(r"[+-](?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf|nan)")


def safe(text: str) -> str:
    """Return a text that a spreadsheet shows instead of running it; a number as a whole is only read there.

    Examples
    --------
    >>> safe("=1+1"), safe("plain"), safe("-1.5")
    ("'=1+1", 'plain', '-1.5')
    """
    return f"'{text}" if text.startswith(_FORMULA) and not _SIGNED.fullmatch(text) else text


def csv_text(rows: Sequence[Sequence[str | int | float]]) -> str:
    """Return rows as CSV; all cells are quoted where one has a carriage return, which may end a line for a reader."""
    turned = any(isinstance(cell, str) and "\r" in cell for row in rows for cell in row)
    target = io.StringIO(newline="")
    csv.writer(target, lineterminator="\n", quoting=csv.QUOTE_ALL if turned else csv.QUOTE_MINIMAL).writerows(rows)
    return target.getvalue()


def read_csv(path: str | Path, required: Sequence[str], *, instead: Sequence[str] = ()) -> dict[str, list[str]]:
    """Read a table by the names of its columns; its delimiter is comma, semicolon, tab or bar.

    Parameters
    ----------
    path : path
        A file in UTF-8, or in UTF-16 with its mark, with a header.
    required : sequence of str
        Columns it must have; it may have others, in any order.
    instead : sequence of str, default=()
        Columns that it may have instead.

    A name that a spreadsheet would run may be written as `safe` writes it.

    Raises
    ------
    CellError
        When the file is not text, a column is missing or there twice, or a row has another number of cells than the
        header.
    """
    csv.field_size_limit(2**27)  # long texts
    written = {safe(name): name for name in (*required, *instead) if safe(name) != name}
    try:
        names, cells = _read(path, required, instead, written)
    except csv.Error as error:
        raise CellError(f"{Path(path).name} cannot be read as CSV: {error}.") from None
    for name in (*required, *instead):
        if names.count(name) > 1:
            raise CellError(f"{Path(path).name} has the column '{name}' {names.count(name)} times. Keep one of them.")
    return {name: [row[index] for row in cells] for index, name in enumerate(names)}


def _read(
    path: str | Path, required: Sequence[str], instead: Sequence[str], written: Mapping[str, str]
) -> tuple[list[str], list[list[str]]]:
    """Return the names of the columns and the cells of each row, with the delimiter that finds the columns."""
    # As Plumbline's import does, which has one way to end a line, also within a cell.
    text = read_text(path).replace("\r\n", "\n").replace("\r", "\n")
    header: list[str] = []
    for delimiter in (",", ";", "\t", "|"):
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        names = next(rows, [])
        names = [written[name] if name in written and written[name] not in names else name for name in names]
        header = header or names
        if set(required) <= set(names) or (instead and set(instead) <= set(names)):
            break
    else:
        missing = [name for name in instead or required if name not in header]
        raise CellError(
            f"{Path(path).name} has no column {', '.join(map(repr, missing[:5]))}. "
            f"Its columns: {', '.join(header[:20]) or 'none'}."
        )
    cells: list[list[str]] = []
    for row in rows:
        if not row:
            continue
        if len(row) != len(names):
            raise CellError(f"Line {rows.line_num} has {len(row)} cells, the header has {len(names)}.")
        cells.append(row)
    return names, cells


def numbers(name: str, cells: Sequence[str], *, mixed: bool = False) -> NDArray[np.float64]:
    """Return numbers, NaN where they are missing or too large for float32; true and false are 1 and 0.

    Parameters
    ----------
    name : str
        Name of the column, for the message.
    cells : sequence of str
        The cells.
    mixed : bool, default=False
        Whether the cells were texts in training, of which those that are not numbers are missing.

    Raises
    ------
    CellError
        When a cell holds something else.
    """
    values = np.empty(len(cells))
    for index, cell in enumerate(cells):
        text = cell.strip(_SPACES)
        if not text or text in MARKERS:
            values[index] = math.nan
        elif text in _BOOLEANS and not mixed:
            values[index] = _BOOLEANS[text]
        else:
            try:
                values[index] = _plain_number(text)
            except ValueError:
                if mixed:
                    values[index] = math.nan
                    continue
                raise CellError(
                    f"Row {index + 1}: the column '{name}' holds {cell!r}. It needs a number such as 1234.5."
                ) from None
    return np.where(np.abs(values) <= _LARGEST, values, np.nan)


def _plain_number(text: str) -> float:
    if "_" in text or not text.isascii():  # Python alone reads 1_000, and the digits of other scripts
        raise ValueError(text)
    return float(text)


def categories(
    cells: Sequence[str],
    words: Collection[str] = (),
    padded: bool | None = None,
    markers: Collection[str] = TEXT_MARKERS,
) -> NDArray[np.object_]:
    """Return words, "(missing)" where a cell is missing.

    Parameters
    ----------
    cells : sequence of str
        The cells.
    words : collection of str, default=()
        Markers that are categories of this column.
    padded : bool, optional
        Whether a blank before a word belongs to it; by default it does not when all cells begin with one.
    markers : collection of str, default=TEXT_MARKERS
        Texts that mean a missing value.
    """
    missing = {"", *markers} - set(words)
    values = [MISSING if cell.strip(_SPACES) in missing else cell for cell in cells]
    if padded is None:
        values = _without_padding(values)
    elif not padded:
        values = [cell.lstrip() for cell in values]
    return np.array(values, dtype=object)


def dates(name: str, cells: Sequence[str]) -> NDArray[np.int64]:
    """Return seconds since 1970 of ISO 8601 dates; without a zone they are in UTC.

    Raises
    ------
    CellError
        When a cell holds something else.
    """
    values = np.full(len(cells), _NO_DATE, dtype=np.int64)
    for index, cell in enumerate(cells):
        text = cell.strip(_SPACES)
        if not text or text in MARKERS:
            continue
        try:
            moment = iso_time(text)
        except ValueError:
            raise CellError(
                f"Row {index + 1}: the column '{name}' holds {cell!r}. It needs a date such as 2024-12-31 or "
                "2024-12-31T23:59:00."
            ) from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        values[index] = (moment - _EPOCH) // timedelta(seconds=1)
    return values


def feed(column: Mapping[str, Any], cells: Sequence[str]) -> NDArray[Any]:
    """Return the input of a graph that takes a column, shape (n, 1); for texts (n, words).

    Parameters
    ----------
    column : mapping
        The column's name, kind (number, boolean, category, date or text), words, vocabulary and center, as in the
        model's metadata.
    cells : sequence of str
        Cells of the column.

    Raises
    ------
    CellError
        When a cell holds something else.

    Examples
    --------
    >>> feed({"name": "age", "kind": "number"}, ["20", "?"]).tolist()
    [[20.0], [nan]]
    """
    written = column.get("written")
    if written is not None and written["kind"] != "text":
        cells = [_plain_cell(column, written, index, cell) for index, cell in enumerate(cells)]
    markers = written["missing"] if written is not None and written["kind"] == "text" else TEXT_MARKERS
    if column["kind"] == "text":
        missing = {"", *markers}
        texts = ["" if cell.strip(_SPACES) in missing else cell for cell in cells]
        return count_words(texts, column["vocabulary"])
    if column["kind"] == "category":
        return categories(cells, column.get("words", ()), column.get("padded"), markers).reshape(-1, 1)
    if column["kind"] == "date":
        return dates(column["name"], cells).reshape(-1, 1)
    mixed = written is None and bool(column.get("mixed"))
    # The graph itself subtracts the center of a number whose digits float32 does not hold.
    precision = np.float32 if column.get("center") is None else np.float64
    return numbers(column["name"], cells, mixed=mixed).astype(precision).reshape(-1, 1)


def _plain_cell(column: Mapping[str, Any], written: Mapping[str, Any], index: int, cell: str) -> str:
    """Return a cell, written as in the training file, in the plain way that the other functions here read."""
    try:
        value = read_cell(written, cell)
    except (ValueError, OverflowError):
        if column.get("mixed"):
            return ""
        raise CellError(
            f"Row {index + 1}: the column '{column['name']}' holds {cell!r}, which is not written as in training."
        ) from None
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat() if column["kind"] == "date" else str(value)
    return repr(value) if column["kind"] == "number" and isinstance(value, float) else category_text(value) or ""


def groups(cells: Sequence[str]) -> list[str]:
    """Return the group of each cell as Plumbline names it: 1, 1.0 and "1" are the same, true is True.

    Examples
    --------
    >>> groups(["1.0", "2", ""]), groups(["true", "?"]), groups(["01", "b"])
    (['1', '2', '(missing)'], ['True', '(missing)'], ['01', 'b'])
    """
    trimmed = [cell.strip(_SPACES) for cell in cells]
    present = [text for text in trimmed if text and text not in MARKERS]
    if present and all(text in _BOOLEANS for text in present):
        return [MISSING if text not in _BOOLEANS else str(bool(_BOOLEANS[text])) for text in trimmed]
    if present and all(number_text(text) is not None for text in present):
        return [number_text(text) or MISSING for text in trimmed]
    codes = all(len(text) == 2 and text.isascii() and text.isupper() and text.isalpha() for text in trimmed if text)
    return list(categories(cells, {"NA"} if codes else ()))


def number_text(text: str) -> str | None:
    """Return a plain number as a category; None for other texts, and for codes such as 007.

    Examples
    --------
    >>> number_text("1.0"), number_text("-2.50"), number_text("007"), number_text("a")
    ('1', '-2.5', None, None)
    """
    if not _NUMBER.fullmatch(text) or _CODE.fullmatch(text):
        return None
    return str(int(text)) if text.lstrip("+-").isdigit() else category_text(float(text))


def _without_padding(cells: list[str]) -> list[str]:
    """Remove a space that every word begins with: it belongs to the file, not to the words."""
    words = [cell for cell in cells if cell != MISSING]
    padded = bool(words) and all(cell[0].isspace() for cell in words)
    return [cell.lstrip() for cell in cells] if padded else cells
