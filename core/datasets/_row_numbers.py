"""Whether a column numbers the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["numbers_rows"]

_FEWEST = 20  # values, below which distinct numbers prove nothing
_SPARSE = 2.5  # steps per value, at most: half of the rows may be in another part, and some deleted
_LARGEST = 2.0**53


def numbers_rows(column: pd.Series, rows: int = 0) -> bool:
    """Return whether whole numbers, in any order, number the rows: each occurs once, and most of those between do.

    Of a measure many values would occur twice where they are as dense as that. So the order says nothing: a sorted
    measure has gaps, and shuffled numbers have none. Numbers may begin anywhere, have a step, and be floats.

    Parameters
    ----------
    column : Series
        Values; missing cells do not count.
    rows : int, default=0
        Number of rows of the whole table, where `column` is a sample of it.

    Examples
    --------
    >>> import pandas as pd
    >>> numbers_rows(pd.Series([10, 40, 20, 30] * 10)), numbers_rows(pd.Series(range(100, 1000, 10)).sample(frac=0.8))
    (False, True)
    >>> numbers_rows(pd.Series([step**2 for step in range(100)]))
    False
    """
    import numpy as np
    from pandas.api import types

    if not types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype):
        return False
    values = column.dropna().to_numpy(dtype=float)
    if len(values) < _FEWEST or not (np.abs(values) < _LARGEST).all() or (values != np.floor(values)).any():
        return False
    steps = np.diff(np.sort(values))
    if (steps == 0).any():
        return False
    span = (values.max() - values.min()) / np.gcd.reduce(steps.astype(np.int64)) + 1
    return bool(span <= max(_SPARSE * len(values), 1.05 * rows))
