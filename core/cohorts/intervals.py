"""The difference of the mean loss inside and outside of a cohort, with an interval that holds for skewed losses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.evaluation import mover, wilson

__all__ = ["mean_difference"]

Array = NDArray[np.float64]

_MIN_UNITS = 8
_NEGLIGIBLE_SKEW = 1e-6


def mean_difference(
    loss: Array,
    inside: NDArray[np.bool_],
    *,
    weights: Array | None = None,
    groups: NDArray[np.intp] | None = None,
    confidence: float = 0.95,
) -> tuple[float, float, float, float, float]:
    """Return the mean inside, the mean outside, their difference and its bounds.

    Shares of rows have Newcombe's interval (1998), which holds for few rows and near 0 and 1. Other means have a t
    interval after Hall's transformation (1992, "On the removal of skewness by transformation"), from the influence
    of each row, or group of rows, on the difference.

    Parameters
    ----------
    loss : array of shape (n,)
        Loss of each row.
    inside : array of bool of shape (n,)
        Rows of the cohort.
    weights : array of shape (n,), optional
        Weights of the rows.
    groups : array of int of shape (n,), optional
        Group of each row; rows of one group are not independent.
    confidence : float, default=0.95
        Probability with which the interval holds the difference.

    Returns
    -------
    tuple of float
        The bounds are NaN where fewer than 8 rows (or groups) are on either side, or all losses are the same.
    """
    w = np.ones(len(loss)) if weights is None else weights
    inside_total, outside_total = float(w[inside].sum()), float(w[~inside].sum())
    if inside_total <= 0 or outside_total <= 0:
        return float("nan"), float("nan"), float("nan"), float("nan"), float("nan")
    mean = float(w[inside] @ loss[inside]) / inside_total
    other = float(w[~inside] @ loss[~inside]) / outside_total
    difference = mean - other
    units_inside = int(inside.sum()) if groups is None else len(np.unique(groups[inside]))
    units_outside = int((~inside).sum()) if groups is None else len(np.unique(groups[~inside]))
    units = min(units_inside, units_outside)
    if units < _MIN_UNITS:
        return mean, other, difference, float("nan"), float("nan")
    if weights is None and groups is None and np.isin(loss, (0.0, 1.0)).all():
        n, m = int(inside.sum()), int((~inside).sum())
        bounds = wilson(mean * n, n, confidence), wilson(other * m, m, confidence)
        low, high = mover(mean, bounds[0], other, bounds[1])
        return mean, other, difference, float(low), float(high)
    influence = np.where(inside, w * (loss - mean) / inside_total, -w * (loss - other) / outside_total)
    if groups is not None:
        influence = np.bincount(np.unique(groups, return_inverse=True)[1], influence)
    return mean, other, difference, *_hall(difference, influence, units - 1, confidence)


def _hall(value: float, influence: Array, freedom: int, confidence: float) -> tuple[float, float]:
    """Return the bounds of an estimate whose error is the sum of these influences."""
    from scipy.special import stdtrit

    error = float(np.sqrt((influence**2).sum() * (freedom + 1) / freedom))
    if not error > 0:
        return float("nan"), float("nan")
    quantile = float(stdtrit(freedom, (1 + confidence) / 2))
    skew = float((influence**3).sum()) / error**3
    if abs(skew) < _NEGLIGIBLE_SKEW:
        return value - error * quantile, value + error * quantile
    ends = [3 / skew * (np.cbrt(1 + skew * (end - skew / 6)) - 1) for end in (quantile, -quantile)]
    # Strong skew must not move a bound past the value.
    return value - error * max(float(ends[0]), 0.0), value - error * min(float(ends[1]), 0.0)
