"""Cells of raw columns as numbers or as texts, the same way wherever a cohort is found or applied."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["as_numbers", "as_texts", "is_date", "is_number", "value_text"]

_FEW_NUMBERS = 2  # a column with no more distinct numbers, such as a 0/1 flag, is read as values


def is_date(series: pd.Series) -> bool:
    """Return whether a column holds dates or moments."""
    import pandas as pd

    return bool(pd.api.types.is_datetime64_any_dtype(series.dtype))


def is_number(series: pd.Series) -> bool:
    """Return whether a column is split by thresholds: numbers with more than two distinct values, and dates."""
    import pandas as pd

    if is_date(series):
        return True
    if pd.api.types.is_bool_dtype(series.dtype) or not pd.api.types.is_numeric_dtype(series.dtype):
        return False
    return int(series.nunique()) > _FEW_NUMBERS


def as_numbers(series: pd.Series) -> NDArray[np.float64]:
    """Return the cells as numbers, dates as seconds since 1970 (UTC), and NaN where a cell is missing."""
    import pandas as pd

    if is_date(series):
        moments = series if series.dt.tz is None else series.dt.tz_convert("UTC").dt.tz_localize(None)
        seconds = (moments - pd.Timestamp(0)) / pd.Timedelta(seconds=1)
        return np.asarray(seconds.to_numpy(dtype=np.float64, na_value=np.nan))
    return np.asarray(pd.to_numeric(series, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan))


def as_texts(series: pd.Series) -> tuple[NDArray[np.intp], list[str]]:
    """Return a code per cell, -1 where it is missing, and the text of each code."""
    import pandas as pd

    try:
        codes, distinct = pd.factorize(series)
    except TypeError:  # lists and the like, which have no hash
        codes, distinct = pd.factorize(series.map(str, na_action="ignore"))
    texts = [value_text(value) for value in distinct]
    first = {text: code for code, text in reversed(list(enumerate(texts)))}  # 1 and "1" are read the same
    merged = np.array([first[text] for text in texts] + [-1], dtype=np.intp)
    return merged[codes], texts


def value_text(value: Any) -> str:
    """Return a cell as a condition shows it: whole numbers without a decimal point.

    Examples
    --------
    >>> value_text(1.0), value_text("rent"), value_text(True)
    ('1', 'rent', 'True')
    """
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return str(int(value))
    return str(value)
