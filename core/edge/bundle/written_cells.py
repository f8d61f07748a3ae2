"""The format of a table's cells in an edge bundle: what its code can read, and how values are written in it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import numpy as np

from core.edge.export.metadata import Column, Metadata
from core.edge.portable.written import read_cell
from core.errors import ExportError

__all__ = ["cell_formats", "missing_texts", "spellings", "with_formats"]

_HINT = "Use the model in Python, or search again with another type for this column."


def with_formats(columns: Sequence[Column], formats: Mapping[str, Mapping[str, Any]]) -> tuple[Column, ...]:
    """Return the columns of a model with the formats in which their training file had the cells.

    Parameters
    ----------
    columns : sequence of Column
        Columns of the model.
    formats : mapping
        A `core.datasets.CellFormat` by column; columns without one keep the plain format.

    Raises
    ------
    ExportError
        When the code of a bundle cannot read a column as training did; the message names it.
    """
    return tuple(
        replace(column, written=_readable(column, formats[column.name])) if column.name in formats else column
        for column in columns
    )


def _readable(column: Column, written: Mapping[str, Any]) -> Mapping[str, Any] | None:
    kind = written["kind"]
    if column.kind == "text" and kind != "text":
        raise ExportError(f"'{column.name}' holds a {kind} that the model reads as free text: no bundle can.", _HINT)
    if column.kind == "category" and kind == "timestamp":
        raise ExportError(f"'{column.name}' holds times that are categories of the model: no bundle can read.", _HINT)
    # Texts that the settings declare to be numbers or dates are read in the plain way, as in training.
    return None if kind == "text" and column.kind not in ("category", "text") else written


def cell_formats(metadata: Metadata) -> dict[str, Mapping[str, Any]]:
    """Return the format in which a file has the cells of each column, as the code of a bundle reads them.

    Parameters
    ----------
    metadata : Metadata
        Metadata of the bundle's model.
    """
    formats = {column.name: column.written for column in metadata.columns if column.written is not None}
    formats |= dict(metadata.group_formats or {})
    if metadata.steps is None:
        return formats
    changed = {step["column"]: step["written"] for step in metadata.steps["steps"] if "written" in step}
    return formats | dict(metadata.steps.get("formats", {})) | changed


def missing_texts(written: Mapping[str, Any], words: Collection[str]) -> list[str]:
    """Return the texts that mean a missing value in a column; an empty cell is the first.

    Parameters
    ----------
    written : mapping
        Format of the column.
    words : collection of str
        Words of the column, which have their own meaning.
    """
    known = {*words, *written.get("words", ())}
    return ["", *(text for text in written["missing"] if text not in known)]


def spellings(written: Mapping[str, Any], value: object) -> list[str]:
    """Return the ways in which a file of this format may have a value, the plainest first.

    None are left where the code of a bundle would read another value.

    Parameters
    ----------
    written : mapping
        Format of the column.
    value : bool, number, datetime or str
        Value of a cell.

    Examples
    --------
    >>> from core.datasets import cell_format
    >>> spellings(cell_format("number:1.234,5"), -1200.5)
    ['-1200,5', '-1.200,5', '−1.200,5']
    >>> spellings(cell_format("boolean"), True)
    ['true', 'True', 'TRUE']
    """
    if isinstance(value, str):
        return [value, value.replace("\n", "\r\n"), value.replace("\n", "\r")] if "\n" in value else [value]
    scalar = value.item() if isinstance(value, np.generic) else value
    return [text for text in dict.fromkeys(_texts(written, scalar)) if _means(written, text, scalar)]


def _texts(written: Mapping[str, Any], value: object) -> list[str]:
    if isinstance(value, bool):
        return [str(value).lower(), str(value), str(value).upper()]
    if isinstance(value, date):
        if "dates" in written:
            return [value.strftime(format) for format, _ in written["dates"]]
        day = value.isoformat()[:10]
        return [day, *([value.isoformat(sep=" "), value.isoformat()] if isinstance(value, datetime) else [])]
    if not isinstance(value, int | float):
        return [str(value)]
    if "decimal" not in written or not math.isfinite(value):
        return [repr(value), f" {value!r} ", *([f"{value:.0f}"] if math.isfinite(value) else [])]
    whole, point, rest = np.format_float_positional(float(value), trim="-").partition(".")
    rest = written["decimal"] + rest if point else ""
    grouped = f"{int(whole):,}".replace(",", written["thousands"]) if whole != "-0" else whole
    return [whole + rest, grouped + rest, grouped.replace("-", "\N{MINUS SIGN}") + rest]


def _means(written: Mapping[str, Any], text: str, value: object) -> bool:
    """Return whether the code of a bundle reads a text as a value, times to the second, as models take them."""
    try:
        again = read_cell(written, text)
    except (ValueError, OverflowError):
        return False
    if isinstance(value, date):
        wanted = _seconds(value)
        return isinstance(again, datetime) and again.replace(microsecond=0) == wanted
    return again is not None and again == value


def _seconds(value: date) -> datetime:
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    fields = (value.year, value.month, value.day, value.hour, value.minute, value.second)
    return datetime(*fields, tzinfo=value.tzinfo)
