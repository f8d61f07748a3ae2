"""The prediction task that a target column implies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Task", "infer_task", "may_be_ids", "task_of_values", "whole_numbers"]

Task = Literal["binary", "multiclass", "regression"]

MAX_NUMERIC_CLASSES = 20
MIN_ROWS_PER_CLASS = 5
MAX_IDS = 200


def infer_task(series: pd.Series) -> Task:
    """Return the task for the values of a target.

    Two distinct values make a binary task, whatever their type; and so does a single one. More values of text,
    categories or booleans are classes. Numbers are classes when all are whole, at most 20 are distinct, and
    each occurs 5 times or more on average (digits, grades); otherwise the task is regression.

    Parameters
    ----------
    series : pandas.Series
        Values of the target; missing cells do not count.

    Returns
    -------
    "binary", "multiclass" or "regression"

    Raises
    ------
    InputError
        When the column has no values, or holds dates.

    Examples
    --------
    >>> import pandas as pd
    >>> infer_task(pd.Series(["yes", "no", None]))
    'binary'
    >>> infer_task(pd.Series([0, 1, 2] * 50))
    'multiclass'
    >>> infer_task(pd.Series([0.5, 1.25, 7.0]))
    'regression'
    """
    values = series.dropna()
    return task_of_values(values.drop_duplicates(), len(values))


def task_of_values(values: pd.Series, rows: int) -> Task:
    """Return the task for a target with these distinct values in so many rows, as `infer_task` does.

    Parameters
    ----------
    values : pandas.Series
        Distinct values without missing ones; where they are more than `MAX_NUMERIC_CLASSES`, not all are needed.
    rows : int
        Number of rows that have a value.
    """
    import numpy as np
    from pandas.api import types

    if values.empty:
        raise InputError(f"The column {values.name!r} has no values.", "Choose another target.")
    if len(values) <= 2:
        return "binary"
    if types.is_datetime64_any_dtype(values.dtype) or types.is_timedelta64_dtype(values.dtype):
        raise InputError(
            f"The column {values.name!r} holds dates, which cannot be predicted.",
            "Choose another target, or turn the dates into a number such as days since the start.",
        )
    if not types.is_numeric_dtype(values.dtype) or types.is_bool_dtype(values.dtype):
        return "multiclass"
    numbers = values.to_numpy(dtype=float)
    classes = (
        len(values) <= MAX_NUMERIC_CLASSES
        and rows >= MIN_ROWS_PER_CLASS * len(values)
        and bool(np.all(numbers == np.rint(numbers)))
    )
    return "multiclass" if classes else "regression"


def may_be_ids(distinct: int, rows: int) -> bool:
    """Return whether whole numbers may as well be the ids of classes: nobody but the user knows.

    They are more than `infer_task` takes for classes, at most 200, and each occurs 5 times or more on average.

    Parameters
    ----------
    distinct : int
        Number of distinct values.
    rows : int
        Number of rows that have a value.

    Examples
    --------
    >>> may_be_ids(150, 10_000), may_be_ids(10, 10_000), may_be_ids(150, 300)
    (True, False, False)
    """
    return MAX_NUMERIC_CLASSES < distinct <= MAX_IDS and rows >= MIN_ROWS_PER_CLASS * distinct


def whole_numbers(series: pd.Series) -> pd.Series:
    """Return a column of integers as such where pandas made it one of floats, since cells are missing.

    Parameters
    ----------
    series : Series
        Values of a column; one of other values, or without missing cells, is returned as it is.

    Examples
    --------
    >>> import pandas as pd
    >>> whole_numbers(pd.Series([0.0, 1.0, None])).dropna().astype(str).tolist()
    ['0', '1']
    >>> whole_numbers(pd.Series([0.0, 1.5, None])).dropna().astype(str).tolist()
    ['0.0', '1.5']
    """
    import numpy as np
    from pandas.api import types

    if not types.is_float_dtype(series.dtype) or not series.isna().any():
        return series
    numbers = series.to_numpy(dtype=float, na_value=np.nan)
    present = numbers[~np.isnan(numbers)]
    whole = np.isfinite(present).all() and (present == np.rint(present)).all() and (np.abs(present) < 2**53).all()
    return series.astype("Int64") if whole else series
