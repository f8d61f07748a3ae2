"""Cells that are still text, as in a file, read by the format that their column had in training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import pandas as pd
from pandas.api import types

from core.edge.portable.written import Value, read_cell

__all__ = ["WrittenFormat", "drop_texts", "read_frame", "read_texts"]

WrittenFormat: TypeAlias = Mapping[str, object]
"""A `core.datasets.CellFormat`, which a served model has as plain JSON."""


def read_frame(frame: pd.DataFrame, formats: Mapping[str, WrittenFormat]) -> pd.DataFrame:
    """Return rows with the texts of each column read by its format in the training file.

    Parameters
    ----------
    frame : DataFrame
        Rows as a file has them, or with values; columns without a format stay.
    formats : mapping of str to dict
        Format of each column.
    """
    columns = [
        read_texts(frame.iloc[:, index], formats[str(name)]) if str(name) in formats else frame.iloc[:, index]
        for index, name in enumerate(frame.columns)
    ]
    return pd.concat(columns, axis=1) if columns else frame


def read_texts(column: pd.Series, cell_format: WrittenFormat) -> pd.Series:
    """Return a column with its texts read by a format; other cells, and texts without such a value, stay.

    Parameters
    ----------
    column : Series
        Cells of any type.
    cell_format : mapping
        Format of the column in training.

    Examples
    --------
    >>> from core.datasets import cell_format
    >>> read_texts(pd.Series(["$1,200.50", "?", "much"]), cell_format("number:1,234.5")).tolist()
    [1200.5, None, 'much']
    """
    if not _holds_texts(column):
        return column

    def read(cell: object) -> Value | object:
        if not isinstance(cell, str):
            return cell
        try:
            return read_cell(cell_format, cell)
        except (ValueError, OverflowError):
            return cell

    cells = column.astype(object).map(read, na_action="ignore").astype(object)
    kind = cell_format["kind"]
    if kind == "text":
        return cells
    if kind in ("date", "timestamp") and cells.map(lambda cell: not isinstance(cell, str), na_action="ignore").all():
        return pd.to_datetime(cells, utc=True) if kind == "timestamp" else pd.to_datetime(cells)
    return cells.infer_objects()


def drop_texts(column: pd.Series, cell_format: WrittenFormat) -> tuple[pd.Series, pd.Series]:
    """Return a column that `read_texts` read without the texts that are left, and these texts.

    Parameters
    ----------
    column : Series
        Cells of a column whose format is not that of a text.
    cell_format : mapping
        Format of the column in training.
    """
    if cell_format["kind"] == "text" or not _holds_texts(column):
        return column, column.iloc[:0]
    texts = column.map(lambda cell: isinstance(cell, str)).to_numpy(dtype=bool)
    return read_texts(column.astype(object).where(~texts, None), cell_format), column[texts]


def _holds_texts(column: pd.Series) -> bool:
    return bool(types.is_object_dtype(column.dtype) or types.is_string_dtype(column.dtype))
