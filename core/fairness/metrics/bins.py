"""Bins of numbers: names that know their edges, so that a policy finds the bin of a new number exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from core.fairness.metrics.arrays import Column, Label

__all__ = ["Bin", "BinRange", "bin_ranges", "name_bins"]


class BinRange(NamedTuple):
    """The numbers of a bin: at least `low`, below `high`."""

    name: str
    low: float
    high: float


class Bin(str):
    """The name of a bin of numbers. It reads and compares as text, and knows the numbers that it stands for.

    Parameters
    ----------
    name : str
        Name of the bin.
    low, high : float
        Its edges; a number that equals an edge is in the bin above it.

    Examples
    --------
    >>> Bin("25 to 60", 25.0, 60.0), Bin("25 to 60", 25.0, 60.0).span.high
    ('25 to 60', 60.0)
    """

    span: BinRange

    def __new__(cls, name: str, low: float, high: float) -> Bin:
        made = super().__new__(cls, name)
        made.span = BinRange(name, low, high)
        return made

    def __getnewargs__(self) -> tuple[str, float, float]:  # type: ignore[override]
        return self.span


def bin_ranges(labels: Sequence[Label]) -> tuple[BinRange, ...]:
    """Return the ranges of the labels that are bins, from the lowest on; none for other labels.

    Parameters
    ----------
    labels : sequence of labels
        Labels of a column's groups.
    """
    return tuple(sorted((label.span for label in labels if isinstance(label, Bin)), key=lambda item: item.low))


def name_bins(column: Column, ranges: Sequence[BinRange]) -> Column:
    """Return the names of the bins that a column's numbers lie in; a column of something else as it is.

    Parameters
    ----------
    column : array-like of shape (n,)
        Numbers, or names of bins.
    ranges : sequence of BinRange
        Bins that follow each other, from the lowest on.

    Examples
    --------
    >>> name_bins([19, 60.0], [BinRange("below 60", -np.inf, 60.0), BinRange("60 and above", 60.0, np.inf)]).tolist()
    ['below 60', '60 and above']
    """
    values = (column if isinstance(column, pd.Series) else pd.Series(column)).infer_objects()
    if not pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
        return column
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    position = np.searchsorted([item.low for item in ranges], numbers, side="right") - 1
    names = np.array([item.name for item in ranges], dtype=object)[position]
    names[np.isnan(numbers)] = None
    return pd.Series(names, dtype=object)
