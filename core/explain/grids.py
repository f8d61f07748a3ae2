"""The values that a column is set to, and how often each occurs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from pandas.api import types

__all__ = ["ColumnKind", "Grid", "kind_of", "make_grid", "observed_values"]

POINTS = 20
_VALUES = 12
_BINS = 20
_RARE = 0.1  # of the rows: values that together cover less say nothing about a column

ColumnKind: TypeAlias = Literal["number", "boolean", "category", "date"]


@dataclass(frozen=True)
class Grid:
    """A column's grid.

    Parameters
    ----------
    kind : {"number", "boolean", "category", "date"}
        Type of the column.
    values : Series
        The points, of the column's own type, without missing ones.
    edges : list
        Edges of the histogram's bins (numbers and dates), one more than its counts.
    counts : list of int
        Rows in each bin, or with each value.
    others : int
        Rows with values that are not among the points (categories), or outside of the bins.
    missing : int
        Rows without a value.
    """

    kind: ColumnKind
    values: pd.Series
    edges: list[float] | list[str]
    counts: list[int]
    others: int
    missing: int


def kind_of(column: pd.Series) -> ColumnKind:
    """Return number, boolean, category or date."""
    if types.is_bool_dtype(column.dtype):
        return "boolean"
    if types.is_datetime64_any_dtype(column.dtype):
        return "date"
    return "number" if types.is_numeric_dtype(column.dtype) else "category"


def observed_values(ordered: pd.Series, points: int, *, tail: float) -> pd.Series:
    """Return representative values: quantiles of the rows, and of the values where few values have most rows.

    Parameters
    ----------
    ordered : Series
        Numbers or dates in order, at least one.
    points : int
        Approximate number of values.
    tail : float
        Share of the rows that is cut off at either end.

    Examples
    --------
    >>> observed_values(pd.Series([0, 0, 0, 0, 0, 0, 0, 0, 5, 9]), 6, tail=0).tolist()
    [0, 5, 9]
    """

    def at_quantiles(values: pd.Series, tail: float) -> pd.Series:
        positions = np.round(np.linspace(tail, 1 - tail, points) * (len(values) - 1)).astype(int)
        return values.iloc[positions].drop_duplicates()

    chosen = at_quantiles(ordered, tail)
    if len(chosen) < points / 2:
        inside = ordered[(ordered >= chosen.iloc[0]) & (ordered <= chosen.iloc[-1])].drop_duplicates()
        chosen = pd.concat([chosen, at_quantiles(inside, 0)]).drop_duplicates().sort_values()
    return chosen.reset_index(drop=True)


def make_grid(column: pd.Series, points: int = POINTS, values: int = _VALUES) -> Grid | None:
    """Return a column's grid: observed values at quantiles 0.01 to 0.99, or the most frequent ones.

    Parameters
    ----------
    column : Series
        Raw cells.
    points : int, default=20
        Maximum number of numbers or dates.
    values : int, default=12
        Maximum number of categories.

    Returns
    -------
    Grid or None
        None when there are no values, or nearly all are different.

    Examples
    --------
    >>> grid = make_grid(pd.Series(["a", "b", "a", None]))
    >>> grid.values.tolist(), grid.counts, grid.missing
    (['a', 'b'], [2, 1], 1)
    """
    kind = kind_of(column)
    known = column.dropna()
    missing = len(column) - len(known)
    if kind == "number":
        known = known[np.isfinite(known.to_numpy(dtype=float))]
    if known.empty:
        return None
    if kind in ("category", "boolean"):
        counts = known.value_counts()
        shown = counts.head(values)
        if shown.sum() < _RARE * len(known):
            return None
        first = known.drop_duplicates()
        chosen = pd.Series([first[first == value].iloc[0] for value in shown.index], dtype=column.dtype)
        return Grid(kind, chosen, [], [int(n) for n in shown], int(len(known) - shown.sum()), missing)
    ordered = known.sort_values(ignore_index=True)
    chosen = observed_values(ordered, points, tail=0.01)
    low, high = chosen.iloc[0], chosen.iloc[-1]
    inside = known[(known >= low) & (known <= high)]
    if kind == "date":
        seconds = inside.dt.tz_localize(None).to_numpy().astype("datetime64[s]").astype("int64")
        counts_, edges_ = np.histogram(seconds, _BINS)
        edges: list[float] | list[str] = [str(np.datetime64(int(edge), "s")) for edge in edges_]
    else:
        counts_, edges_ = np.histogram(inside.to_numpy(dtype=float), min(_BINS, max(1, inside.nunique())))
        edges = [float(edge) for edge in edges_]
    return Grid(kind, chosen, edges, [int(n) for n in counts_], len(known) - len(inside), missing)
