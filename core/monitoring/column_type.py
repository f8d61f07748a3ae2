"""The type of a column: what it is compared by."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from core.monitoring.cell_values import as_numbers, cells_in_words, words_of
from core.monitoring.column_sketches import ColumnType

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["column_type"]

_ID_NAME = re.compile(r"(^|[\W_])(id|ids|uuid|guid|key|index)$", re.IGNORECASE)
_MIN_ROWS = 50
_LOOKED_AT = 1_000
_WORDS_OF_TEXT = 3.0
_FEW_VALUES = 50


def column_type(series: pd.Series, name: str = "") -> ColumnType:
    """Return by what a column is compared.

    Numbers are numbers, also where there are few distinct ones. Cells of text are *texts* where more than half of them,
    and more than 50, are distinct and have three words or more on average; *identifiers* where at least 95% of 50 rows
    or more are distinct; else categories. Whole numbers are identifiers where all of 50 rows or more are distinct and
    either no more than every second number of their range is left out, or the name says so.

    Parameters
    ----------
    series : Series
        Cells of the column.
    name : str, default=""
        Name of the column.

    Examples
    --------
    >>> import pandas as pd
    >>> column_type(pd.Series(["rent", "own"] * 40)), column_type(pd.Series(range(100))), column_type(pd.Series([0.5]))
    ('category', 'id', 'number')
    """
    cells = cells_in_words(series)
    if not cells:
        return "empty"
    if cells == "dates":
        return "date"
    if cells == "true and false":
        return "category"
    if cells == "numbers":
        return "id" if _are_ids(as_numbers(series), name) else "number"
    return _type_of_texts(series)


def _are_ids(numbers: np.ndarray, name: str) -> bool:
    present = numbers[~np.isnan(numbers)]
    if len(present) < _MIN_ROWS:
        return False
    first = present[:_LOOKED_AT]  # most columns of numbers are ruled out by these
    if not np.isfinite(first).all() or (first != np.rint(first)).any() or len(np.unique(first)) < len(first):
        return False
    width = float(present.max() - present.min()) + 1
    if not (width <= 2 * len(present) or _ID_NAME.search(name)):
        return False
    return bool((present == np.rint(present)).all()) and len(np.unique(present)) == len(present)


def _type_of_texts(series: pd.Series) -> ColumnType:
    present = series.dropna()
    try:
        distinct = int(present.nunique())
    except TypeError:  # lists and the like, which have no hash
        present = present.map(str)
        distinct = int(present.nunique())
    if distinct > _FEW_VALUES and distinct > len(present) / 2:
        step = max(1, len(present) // _LOOKED_AT)
        lengths = [len(words_of(str(text))) for text in present.iloc[::step]]
        if float(np.mean(lengths)) >= _WORDS_OF_TEXT:
            return "text"
    if len(present) >= _MIN_ROWS and distinct >= 0.95 * len(present):
        return "id"
    return "category"
