"""Cells of raw columns as numbers, levels and moments, the same way in every batch."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["as_levels", "as_moments", "as_numbers", "cells_in_words", "level_text", "words_of"]

Array = NDArray[np.float64]

_WORD = re.compile(r"\w+")
_LONGEST_LEVEL = 120
_WORDS_BY_TYPE = {
    "boolean": "true and false",
    "integer": "numbers",
    "floating": "numbers",
    "mixed-integer-float": "numbers",
    "decimal": "numbers",
    "datetime": "dates",
    "datetime64": "dates",
    "date": "dates",
    "empty": "",
}


def cells_in_words(series: pd.Series) -> str:
    """Return what the cells hold: "numbers", "true and false", "dates" or "text"; empty without a value.

    Examples
    --------
    >>> import pandas as pd
    >>> cells_in_words(pd.Series([1, None])), cells_in_words(pd.Series([True, None])), cells_in_words(pd.Series(["a"]))
    ('numbers', 'true and false', 'text')
    """
    import pandas as pd

    if not series.notna().any():
        return ""
    if pd.api.types.is_bool_dtype(series.dtype):
        return "true and false"
    if pd.api.types.is_numeric_dtype(series.dtype):
        return "numbers"
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return "dates"
    if isinstance(series.dtype, pd.StringDtype):
        return "text"
    if isinstance(series.dtype, pd.CategoricalDtype):
        return cells_in_words(pd.Series(series.cat.categories))
    return _WORDS_BY_TYPE.get(pd.api.types.infer_dtype(series, skipna=True), "text")


def as_numbers(series: pd.Series) -> Array:
    """Return the cells as numbers, NaN where one is missing; the cells must be numbers or true and false.

    Examples
    --------
    >>> import pandas as pd
    >>> as_numbers(pd.Series([1, None, 2.5])).tolist()
    [1.0, nan, 2.5]
    """
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype) or series.dtype == object:
        series = pd.to_numeric(series.astype(object), errors="coerce")
    return np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan))


def as_moments(series: pd.Series) -> Array:
    """Return dates as seconds since 1970 (UTC), NaN where one is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> as_moments(pd.to_datetime(pd.Series(["1970-01-02", None]))).tolist()
    [86400.0, nan]
    """
    import pandas as pd

    moments = series
    if not pd.api.types.is_datetime64_any_dtype(series.dtype):
        moments = pd.Series(pd.to_datetime(series.astype(object), errors="coerce", utc=True))
    if moments.dt.tz is not None:
        moments = moments.dt.tz_convert("UTC").dt.tz_localize(None)
    stamps = moments.to_numpy().astype("datetime64[us]")  # nanoseconds end in the year 2262
    return np.where(np.isnat(stamps), np.nan, stamps.astype(np.int64) / 1e6)


def as_levels(series: pd.Series) -> tuple[NDArray[np.intp], list[str]]:
    """Return a code per cell, -1 where it is missing, and the text of each code.

    Examples
    --------
    >>> import pandas as pd
    >>> codes, levels = as_levels(pd.Series(["b", None, "a", "b"]))
    >>> codes.tolist(), levels
    ([0, -1, 1, 0], ['b', 'a'])
    """
    import pandas as pd

    try:
        codes, distinct = pd.factorize(series)
    except TypeError:  # lists and the like, which have no hash
        codes, distinct = pd.factorize(series.map(str, na_action="ignore"))
    levels = [level_text(value) for value in distinct]
    first = {level: code for code, level in reversed(list(enumerate(levels)))}
    if len(first) == len(levels):
        return np.asarray(codes, dtype=np.intp), levels
    merged = {level: code for code, level in enumerate(dict.fromkeys(levels))}  # 1 and "1" are the same level
    lookup = np.array([merged[level] for level in levels] + [-1], dtype=np.intp)
    return lookup[codes], list(merged)


def level_text(value: Any) -> str:
    """Return a value as the text of a level: whole numbers without a decimal point, long texts cut with their hash.

    Examples
    --------
    >>> level_text(1.0), level_text("rent"), len(level_text("x" * 1000))
    ('1', 'rent', 120)
    """
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return str(int(value))
    text = str(value)
    if len(text) <= _LONGEST_LEVEL:
        return text
    import hashlib

    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{text[: _LONGEST_LEVEL - 14]}…#{digest}"


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case.

    Examples
    --------
    >>> words_of("Good, GOOD value!")
    ['good', 'good', 'value']
    """
    return _WORD.findall(text.lower())
