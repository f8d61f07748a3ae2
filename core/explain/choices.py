"""The other cells that a column of a row may take, and their distances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.explain.explained_model import Array
from core.explain.grids import ColumnKind, kind_of, observed_values

__all__ = ["Choices", "column_choices"]

_POINTS = 40
_VALUES = 24


@dataclass(frozen=True)
class Choices:
    """Other cells of a column.

    Parameters
    ----------
    values : Series
        The cells, without the row's own; numbers and dates in order.
    distances : array
        Distance of each from the row's cell: 1 for a category, the change over the column's spread for a number.
    ordered : bool
        Whether the cells have an order.
    """

    values: pd.Series
    distances: Array
    ordered: bool

    def __len__(self) -> int:
        return len(self.values)


def _as_floats(column: pd.Series, kind: ColumnKind) -> Array:
    if kind == "date":
        seconds = column.dt.tz_localize(None).to_numpy().astype("datetime64[s]").astype("int64")
        return np.asarray(seconds, dtype=float)
    return np.asarray(column.to_numpy(dtype=float, na_value=np.nan))


def _spread(values: Array) -> float:
    """Return the median absolute deviation; of a column that is mostly one value the range, or 1."""
    mad = float(np.median(np.abs(values - np.median(values))))
    return mad or float(np.ptp(values)) or 1.0


def column_choices(cell: pd.Series, observed: pd.Series) -> Choices:
    """Return the values of known rows that a cell may take: quantiles of numbers and dates, frequent categories.

    Parameters
    ----------
    cell : Series of shape (1,)
        Cell of the row.
    observed : Series
        Cells of known rows. A missing cell is not a choice: a value cannot be made unknown.

    Examples
    --------
    >>> choices = column_choices(pd.Series([2.0]), pd.Series([1.0, 2.0, 3.0, 5.0, None]))
    >>> choices.values.tolist(), choices.distances.tolist()
    ([1.0, 3.0, 5.0], [1.0, 1.0, 3.0])
    """
    kind = kind_of(observed)
    known = observed.dropna()
    missing = bool(cell.isna().iloc[0])
    if kind in ("boolean", "category"):
        counts = known.value_counts()
        own = None if missing else str(cell.iloc[0])
        first = known.drop_duplicates()
        others = [value for value in counts.index if str(value) != own][:_VALUES]
        values = pd.Series([first[first == value].iloc[0] for value in others], dtype=observed.dtype)
        return Choices(values, np.ones(len(values)), False)
    if kind == "number":
        known = known[np.isfinite(known.to_numpy(dtype=float))]
    ordered = known.sort_values(ignore_index=True)
    if not len(ordered):
        return Choices(ordered, np.empty(0), True)
    values = observed_values(ordered, _POINTS, tail=0)
    if missing:
        return Choices(values, np.ones(len(values)), True)
    spread = _spread(_as_floats(known, kind))
    distances = np.abs(_as_floats(values, kind) - _as_floats(cell, kind)[0]) / spread
    other = distances > 0
    return Choices(values[other].reset_index(drop=True), distances[other], True)
