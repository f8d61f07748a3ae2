"""Cells as a model takes them: the one place that training, scoring and export share.

pandas and NumPy only, because the web process scores exported models with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from core.errors import InputError

__all__ = [
    "DATE_PARTS",
    "LARGEST",
    "MISSING",
    "NO_DATE",
    "as_categories",
    "as_dates",
    "as_numbers",
    "as_seconds",
    "date_features",
    "describe_cells",
    "require_columns",
]

MISSING = "(missing)"
LARGEST = float(np.finfo(np.float32).max)
DATE_PARTS = ("year", "month", "day", "day_of_week", "hour")
NO_DATE = int(np.iinfo(np.int64).min)
"""The seconds of a date that is missing: what NumPy keeps for "not a time"."""


def require_columns(frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse a table that lacks a column of the model.

    Raises
    ------
    InputError
        When one is absent.
    """
    absent = [name for name in names if name not in frame.columns]
    if absent:
        raise InputError(
            f"The table has no column {', '.join(map(repr, absent[:5]))}.",
            f"The model was trained on {len(names)} columns and needs each of them.",
        )


def as_categories(column: pd.Series) -> pd.Series:
    """Return values as text; what is missing has a word of its own.

    Whole numbers have no decimals, also in a column where one is missing.

    Examples
    --------
    >>> as_categories(pd.Series([1.0, None, 2.5])).tolist()
    ['1', '(missing)', '2.5']
    """
    if column.dtype.kind == "f":
        texts = column.map(lambda value: str(int(value)) if value.is_integer() else str(value), na_action="ignore")
        return texts.astype(object).where(column.notna(), MISSING).astype(str)
    return column.astype(object).where(column.notna(), MISSING).astype(str)


def as_numbers(name: str, column: pd.Series) -> NDArray[np.float32]:
    """Return numbers as float32, as the exported model has them; what does not fit is treated as missing.

    Raises
    ------
    InputError
        When the column holds something else.
    """
    try:
        values = pd.to_numeric(column).to_numpy(dtype=float, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"The column '{name}' was a number in training and now holds something else ({error}).",
            "Give numbers, and leave the cell empty where there is none.",
        ) from error
    return np.where(np.abs(values) <= LARGEST, values, np.nan).astype(np.float32)


def describe_cells(column: pd.Series) -> str:
    """Return what a column's cells are, in the words of messages; nothing of a column without values.

    Examples
    --------
    >>> describe_cells(pd.Series([1, None])), holds(pd.Series(["1", "b"])), holds(pd.Series([None], dtype=object))
    ('numbers', 'text', '')
    """
    if types.is_bool_dtype(column.dtype):
        return "true and false"
    if types.is_numeric_dtype(column.dtype):
        return "numbers"
    if types.is_datetime64_any_dtype(column.dtype):
        return "dates"
    kind = types.infer_dtype(column, skipna=True) if column.notna().any() else "empty"
    told = {
        "boolean": "true and false",
        "integer": "numbers",
        "floating": "numbers",
        "mixed-integer-float": "numbers",
        "decimal": "numbers",
        "datetime": "dates",
        "date": "dates",
        "datetime64": "dates",
        "empty": "",
    }
    return told.get(kind, "text")


def as_dates(column: pd.Series) -> Any:
    """Return dates of UTC in whole seconds; what is no date is missing.

    Texts are read as ISO 8601, whichever comes first among them; where none is, pandas guesses the form.

    Examples
    --------
    >>> as_dates(pd.Series(["1969-12-31T23:59:59.5", None])).astype(str).tolist()[0]
    '1969-12-31 23:59:59+00:00'
    """
    if not types.is_numeric_dtype(column.dtype):
        read = pd.to_datetime(column, errors="coerce", utc=True, format="ISO8601")
        if read.notna().any():
            return read.dt.floor("s")
    return pd.to_datetime(column, errors="coerce", utc=True).dt.floor("s")


def as_seconds(dates: pd.Series) -> NDArray[np.int64]:
    """Return seconds since 1970 of what `as_dates` returned; `NO_DATE` where there is none."""
    return np.asarray(dates.dt.tz_localize(None).to_numpy().astype("datetime64[s]"), dtype=np.int64)


def date_features(name: str, columns: Sequence[str]) -> list[str]:
    """Return the names of the numbers that a date becomes: seconds since the epoch, and its parts.

    Parameters
    ----------
    name : str
        The column of dates.
    columns : sequence of str
        All columns of the model, of which none may have one of the names.

    Examples
    --------
    >>> date_features("due", ["due", "size"])[:3]
    ['due: epoch', 'due: year', 'due: month']
    >>> date_features("due", ["due", "due: year"])[1]
    "due: year'"
    """
    found = [f"{name}: {part}" for part in ("epoch", *DATE_PARTS)]
    while not set(found).isdisjoint(columns):
        found = [f"{each}'" for each in found]
    return found
