"""Cells as a model takes them, shared by training, scoring and export.

pandas and NumPy only, because the web process scores exported models with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from core import columns as _columns
from core.errors import InputError

__all__ = [
    "DATE_PARTS",
    "LARGEST",
    "MISSING",
    "NO_DATE",
    "as_categories",
    "as_dates",
    "as_doubles",
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
"""Seconds of a missing date: NumPy's "not a time"."""


def require_columns(frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse a table that lacks a column of the model.

    Parameters
    ----------
    frame : DataFrame
        The table.
    names : sequence of str
        Columns of the model.

    Raises
    ------
    InputError
        When a column is absent.
    """
    hint = f"The model was trained on {len(names)} columns and needs each of them."
    _columns.require_columns(frame.columns, names, hint=hint)


def as_categories(column: pd.Series) -> pd.Series:
    """Return values as text; a missing value is `MISSING`.

    Whole numbers have no decimals, even in a column where one is missing.

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
    """Return numbers as float32, like the exported model; a number that does not fit is missing.

    Parameters
    ----------
    name : str
        Name of the column, for the message.
    column : Series
        Cells of the column.

    See Also
    --------
    as_doubles : The same with all digits.

    Raises
    ------
    InputError
        When the column holds something else.
    """
    return as_doubles(name, column).astype(np.float32)


def as_doubles(name: str, column: pd.Series) -> NDArray[np.float64]:
    """Return numbers as float64; a number that does not fit float32 is missing.

    Parameters
    ----------
    name : str
        Name of the column, for the message.
    column : Series
        Cells of the column.

    Raises
    ------
    InputError
        When the column holds something else.
    """
    try:
        values = pd.to_numeric(column).to_numpy(dtype=float, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"The column '{name}' was numeric in training and now has other values ({error}).",
            "Write numbers, and leave the cell empty where there is none.",
        ) from error
    return np.where(np.abs(values) <= LARGEST, values, np.nan)


def describe_cells(column: pd.Series) -> str:
    """Return the type of a column's cells in the words of messages; an empty text for a column without values.

    Examples
    --------
    >>> describe_cells(pd.Series([1, None])), describe_cells(pd.Series(["1", "b"]))
    ('numbers', 'text')
    >>> describe_cells(pd.Series([None], dtype=object))
    ''
    """
    if types.is_bool_dtype(column.dtype):
        return "true and false"
    if types.is_numeric_dtype(column.dtype):
        return "numbers"
    if types.is_datetime64_any_dtype(column.dtype):
        return "dates"
    inferred = types.infer_dtype(column, skipna=True) if column.notna().any() else "empty"
    words = {
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
    return words.get(inferred, "text")


def as_dates(column: pd.Series) -> pd.Series:
    """Return dates of UTC in whole seconds; what is not a date is missing.

    Texts are read as ISO 8601; where none is, pandas guesses the format.

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
    """Return seconds since 1970 of the dates of `as_dates`; `NO_DATE` where one is missing."""
    return np.asarray(dates.dt.tz_localize(None).to_numpy().astype("datetime64[s]"), dtype=np.int64)


def date_features(name: str, columns: Sequence[str]) -> list[str]:
    """Return the names of the numeric features of a date: seconds since the epoch, and its parts.

    Parameters
    ----------
    name : str
        Name of the column of dates.
    columns : sequence of str
        All columns of the model; none of them may have one of the returned names.

    Examples
    --------
    >>> date_features("due", ["due", "size"])[:3]
    ['due: epoch', 'due: year', 'due: month']
    >>> date_features("due", ["due", "due: year"])[1]
    "due: year'"
    """
    names = [f"{name}: {part}" for part in ("epoch", *DATE_PARTS)]
    while not set(names).isdisjoint(columns):
        names = [f"{part}'" for part in names]
    return names
