"""The format of a table's cells in an edge bundle: what its code can read, and how the sample is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from core.edge.export.metadata import Column, Metadata
from core.edge.portable.written import read_cell
from core.errors import ExportError

__all__ = ["cell_formats", "with_formats", "write_cell"]

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


def write_cell(name: str, written: Mapping[str, Any], value: object) -> str | None:
    """Return a value as its column's training file had it; None for the plain way.

    Parameters
    ----------
    name : str
        Name of the column.
    written : mapping
        Format of the column.
    value : bool, number, datetime or str
        Value of a cell.

    Raises
    ------
    ExportError
        When the value cannot be written so that the code of a bundle reads it again.
    """
    if isinstance(value, str) or not ("number" in written or "dates" in written):
        return None
    texts = _texts(written, value)
    for text in texts:
        try:
            again = read_cell(written, text)
        except (ValueError, OverflowError):
            continue
        if again == (value.replace(microsecond=0) if isinstance(value, datetime) else value):
            return text
    raise ExportError(f"The cell {value!s:.60} of '{name}' cannot be written as in the training file.", _HINT)


def _texts(written: Mapping[str, Any], value: object) -> list[str]:
    if isinstance(value, datetime):
        return [value.strftime(date) for date, _ in written.get("dates", ())]
    if isinstance(value, int | float | np.number) and "decimal" in written:
        return [np.format_float_positional(float(value), trim="-").replace(".", written["decimal"])]
    return []
