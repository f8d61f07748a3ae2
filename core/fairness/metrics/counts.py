"""The four counts of a group, and every rate that comes from them.

Cells are arrays of shape (..., 4) whose last axis holds true negatives, false positives, false negatives and true
positives; everything here works on any number of leading axes (groups, resamples, thresholds).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from core.fairness.metrics.arrays import BoolArray, FloatArray, IndexArray
from core.fairness.metrics.registry import RATES, Rate

__all__ = ["RATES", "count_cells", "denominator", "divide", "rate", "sum_cells"]


def count_cells(
    codes: IndexArray, groups: int, positive: BoolArray, selected: BoolArray, weights: FloatArray | None = None
) -> FloatArray:
    """Count group x label x prediction in one pass.

    Returns
    -------
    array of shape (groups, 4)

    Examples
    --------
    >>> count_cells(np.array([0, 0, 1]), 2, np.array([True, False, True]), np.array([True, True, False])).tolist()
    [[0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0]]
    """
    # Sums of small integers in one byte are cheap; the group is added once.
    key = codes * 4
    key += positive.view(np.int8) * np.int8(2) + selected.view(np.int8)
    return np.bincount(key, weights=weights, minlength=groups * 4).reshape(groups, 4).astype(np.float64)


def divide(numerator: ArrayLike, denominator: ArrayLike) -> FloatArray:
    """Divide, with NaN where the denominator is not positive."""
    above, below = np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(below > 0, above / below, np.nan)


def sum_cells(cells: FloatArray, weights: tuple[int, int, int, int]) -> FloatArray:
    """Return the weighted sum of the four counts."""
    total: FloatArray = cells @ np.array(weights, dtype=float)
    return total


def rate(metric: str | Rate, cells: FloatArray) -> FloatArray:
    """Compute a rate from the counts; NaN where its denominator is 0.

    Examples
    --------
    >>> rate("precision", np.array([5.0, 1.0, 2.0, 3.0])).item()
    0.75
    """
    record = RATES[metric] if isinstance(metric, str) else metric
    if record.mean_of is not None:
        first, second = record.mean_of
        return (rate(first, cells) + rate(second, cells)) / 2
    hits, among = record.ratio
    return divide(sum_cells(cells, hits), sum_cells(cells, among))


def denominator(metric: str | Rate, cells: FloatArray) -> FloatArray:
    """Return the number of rows behind a rate: that of the smaller side for a mean of two rates."""
    record = RATES[metric] if isinstance(metric, str) else metric
    if record.mean_of is not None:
        first, second = record.mean_of
        return np.minimum(denominator(first, cells), denominator(second, cells))
    return sum_cells(cells, record.rows_behind)
