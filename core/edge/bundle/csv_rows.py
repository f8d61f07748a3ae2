"""Rows of a table as a CSV file whose cells are written as in the training file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from core.edge.bundle.written_cells import missing_texts, spellings
from core.edge.portable.cells import csv_text, safe

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["csv_of", "needs_quote", "written_rows"]

Formats = Mapping[str, Mapping[str, Any]]


def needs_quote(cell: object) -> bool:
    """Return whether a cell is a text that a spreadsheet would run, so that a file that is shipped changes it."""
    return isinstance(cell, str) and safe(cell) != cell


def written_rows(
    frame: pd.DataFrame, formats: Formats, *, varied: Sequence[str] = (), shipped: bool = False
) -> tuple[list[list[str]], NDArray[np.bool_]]:
    """Return the cells of rows as a file has them, and which rows a file can hold.

    Parameters
    ----------
    frame : DataFrame
        Rows with values: empty cells where missing, true and false, dates, numbers in full.
    formats : mapping of str to CellFormat
        Format in which the training file had the cells, by column; others are written in the plain way.
    varied : sequence of str, default=()
        Columns that have another spelling from row to row: with and without marks of thousands, other texts for a
        missing value, another of several formats of dates.
    shipped : bool, default=False
        Whether people get the file: a text that a spreadsheet would run is then written so that it is only shown.
    """
    columns, held = [], np.ones(len(frame), dtype=bool)
    for index, name in enumerate(map(str, frame.columns)):
        cells = frame.iloc[:, index].astype(object).tolist()
        texts = [_spellings(formats.get(name), cell) for cell in cells]
        if name in varied and name in formats:
            missing = missing_texts(formats[name], {cell for cell in cells if isinstance(cell, str)})
            texts = [missing if item is None else item for item in texts]
        held &= np.array([item is None or (bool(item) and _is_text(item[0])) for item in texts], dtype=bool)
        turns = range(index, index + len(texts)) if name in varied else [0] * len(texts)
        if shipped:
            texts = [[safe(cell)] if isinstance(cell, str) else item for cell, item in zip(cells, texts, strict=True)]
        columns.append([item[turn % len(item)] if item else "" for turn, item in zip(turns, texts, strict=True)])
    rows = [list(row) for row in zip(*columns, strict=True)]
    return [row for row, kept in zip(rows, held, strict=True) if kept], held


def csv_of(names: Sequence[str], rows: Sequence[Sequence[str]], *, shipped: bool = False) -> str:
    """Return cells as CSV.

    Parameters
    ----------
    names : sequence of str
        Names of the columns.
    rows : sequence of sequence of str
        Cells of each row, see `written_rows`.
    shipped : bool, default=False
        Whether people get the file.
    """
    return csv_text([[safe(name) for name in names] if shipped else list(names), *rows])


def _spellings(written: Mapping[str, Any] | None, value: object) -> list[str] | None:
    """Return the ways to write a cell; None where it is missing."""
    import pandas as pd

    if pd.isna(value):
        return None
    if written is not None:
        return spellings(written, value)
    scalar = value.item() if isinstance(value, np.generic) else value
    if isinstance(scalar, bool):
        return [str(scalar).lower()]
    if isinstance(scalar, date):
        return [scalar.isoformat()]
    return [repr(scalar) if isinstance(scalar, int | float) else str(scalar)]


def _is_text(cell: str) -> bool:
    """Return whether a CSV file can hold a cell: no zero bytes, no carriage returns, no halves of characters."""
    return not any(char in "\0\r" or "\ud800" <= char <= "\udfff" for char in cell)
