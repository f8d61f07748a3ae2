"""Single rows and their cells."""

from __future__ import annotations

import datetime
from typing import TypeAlias

import numpy as np
import pandas as pd

from core.errors import InputError

__all__ = ["Cell", "as_python", "cell_text", "require_one_row"]

Cell: TypeAlias = str | int | float | bool | datetime.datetime | np.generic | None
"""A value of a table; a missing one may be None, NaN or NaT."""


def require_one_row(row: pd.DataFrame) -> None:
    """Refuse a table that does not have exactly one row."""
    if len(row) != 1:
        raise InputError(f"The table has {len(row):,} rows.", "Give a table of one row.")


def as_python(value: Cell) -> Cell:
    """Return a number of NumPy's as one of Python's; other values unchanged."""
    return value.item() if isinstance(value, np.generic) else value


def cell_text(value: Cell) -> str:
    """Return a cell as text.

    Examples
    --------
    >>> cell_text(0.1 + 0.2), cell_text(None), cell_text("a")
    ('0.3', '(missing)', 'a')
    """
    if pd.isna(value):
        return "(missing)"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)
