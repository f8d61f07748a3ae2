"""Columns as codes of their sorted values: what measures of relations between columns compute with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from core.datasets._task import whole_numbers

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MIN_ROWS", "ColumnCodes", "average_ranks", "encode_column", "inner", "standardize"]

MIN_ROWS = 10
_REPEATING = 2.0  # rows per value that a category needs on average


@dataclass(frozen=True)
class ColumnCodes:
    """A column as codes.

    Parameters
    ----------
    name : str
        Name of the column.
    codes : ndarray of shape (n_rows,)
        Position of each cell's value in `values`, -1 where it is missing.
    values : ndarray
        Distinct values, sorted.
    ordered : bool
        Whether the values are numbers or dates; otherwise they are categories.
    """

    name: str
    codes: np.ndarray
    values: np.ndarray
    ordered: bool

    @cached_property
    def known(self) -> np.ndarray:
        """Whether each cell has a value."""
        return self.codes >= 0

    @cached_property
    def complete(self) -> bool:
        """Whether every cell has a value."""
        return bool(self.known.all())

    @cached_property
    def counts(self) -> np.ndarray:
        """Number of cells with each value."""
        return np.bincount(self.codes[self.known], minlength=len(self.values))

    @cached_property
    def ranks(self) -> np.ndarray:
        """Ranks of a complete column, with mean 0 and norm 1."""
        return standardize(average_ranks(self.codes, len(self.values)))

    @property
    def problem(self) -> str:
        """The reason why no relation to other columns can be measured; empty where it can."""
        rows = int(self.counts.sum())
        if len(self.values) < 2:
            return "has a single value" if rows else "has no values"
        if rows < MIN_ROWS:
            return f"has {rows} values; at least {MIN_ROWS} are needed"
        if not self.ordered and rows < _REPEATING * len(self.values):
            return "is text whose values hardly repeat"
        return ""


def encode_column(series: pd.Series, *, category: bool = False) -> ColumnCodes:
    """Encode a column.

    Parameters
    ----------
    series : pandas.Series
        Column with its name.
    category : bool, default=False
        Whether numbers are categories, as in a target of classes.

    Examples
    --------
    >>> import pandas as pd
    >>> column = encode_column(pd.Series([2.5, None, 1.0, 2.5], name="x"))
    >>> column.codes.tolist(), column.values.tolist(), column.ordered
    ([1, -1, 0, 1], [1.0, 2.5], True)
    """
    import pandas as pd
    from pandas.api import types

    dtype = series.dtype
    dates = types.is_datetime64_any_dtype(dtype)
    numbers = types.is_numeric_dtype(dtype) and not types.is_bool_dtype(dtype)
    ordered = dates or numbers or types.is_timedelta64_dtype(dtype)
    if ordered:
        codes, values = pd.factorize(whole_numbers(series) if category else series, sort=True)
    else:
        codes, values = pd.factorize(series.map(str, na_action="ignore").astype(object), sort=True)
    return ColumnCodes(str(series.name), codes.astype(np.int64), np.asarray(values), ordered and not category)


def average_ranks(codes: np.ndarray, levels: int) -> np.ndarray:
    """Return the rank of each code, from 0; equal codes have the mean of their ranks.

    Examples
    --------
    >>> average_ranks(np.array([2, 0, 2, 1]), 3).tolist()
    [2.5, 0.0, 2.5, 1.0]
    """
    counts = np.bincount(codes, minlength=levels)
    ranks: np.ndarray = (np.cumsum(counts) - (counts + 1) / 2)[codes]
    return ranks


def standardize(values: np.ndarray) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return values with mean 0 and norm 1; constant ones become 0."""
    centered = values - values.mean()
    norm = float(np.sqrt(inner(centered, centered)))
    result: np.ndarray[Any, np.dtype[np.float64]] = centered / norm if norm > 0 else np.zeros(len(centered))
    return result


def inner(one: np.ndarray, other: np.ndarray) -> float:
    """Return the inner product; BLAS would wake its threads for each of thousands of short ones."""
    return float(np.einsum("i,i->", one, other))
