"""Intervals of shares and of differences, in closed form."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Interval", "kish", "mover", "mover_ratio", "normal_quantile", "wilson"]

Interval: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Lower and upper bounds, of one shape."""


def normal_quantile(confidence: float) -> float:
    """Return the normal quantile of a two-sided interval.

    Examples
    --------
    >>> round(normal_quantile(0.95), 4)
    1.96
    """
    from scipy.special import ndtri

    return float(ndtri((1 + confidence) / 2))


def kish(weights: NDArray[np.float64]) -> float:
    """Return how many rows of equal weight say as much as rows of these weights (Kish, Survey Sampling, 1965).

    Examples
    --------
    >>> kish(np.ones(10)), kish(np.array([1.0, 0.0, 0.0]))
    (10.0, 1.0)
    """
    squares = float(weights @ weights)
    return float(weights.sum() ** 2 / squares) if squares > 0 else 0.0


def wilson(hits: ArrayLike, n: ArrayLike, confidence: float = 0.95, *, quantile: ArrayLike | None = None) -> Interval:
    """Return Wilson's interval (1927) of a share of n rows; NaN where n is 0.

    Parameters
    ----------
    hits, n : array-like
        Rows that count, out of how many.
    confidence : float, default=0.95
        Probability with which the interval holds the share.
    quantile : array-like, optional
        Normal quantile of each interval, in place of the confidence.

    Examples
    --------
    >>> [round(float(bound), 4) for bound in wilson(5, 10)]
    [0.2366, 0.7634]
    """
    z = np.asarray(normal_quantile(confidence) if quantile is None else quantile, dtype=np.float64)
    counts, rows = np.asarray(hits, dtype=np.float64), np.asarray(n, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = counts / rows
        center = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
        half = z / (1 + z**2 / rows) * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    # At 0 and 1 the bound is exact; rounding must not put it beside the value.
    low, high = np.where(share <= 0, 0.0, center - half), np.where(share >= 1, 1.0, center + half)
    unknown = ~(rows > 0)
    return np.where(unknown, np.nan, low)[()], np.where(unknown, np.nan, high)[()]


def mover(
    first: ArrayLike,
    first_interval: tuple[ArrayLike, ArrayLike],
    other: ArrayLike,
    other_interval: tuple[ArrayLike, ArrayLike],
    *,
    sign: int = -1,
) -> Interval:
    """Return the interval of ``first - other`` from the intervals of both parts.

    The method is MOVER (Zou, Donner 2008, "Construction of confidence limits about effect measures: a general
    approach"); for two shares it is Newcombe's interval (1998).

    Parameters
    ----------
    first, other : array-like
        Two independent estimates.
    first_interval, other_interval : tuple of array-like
        Lower and upper bounds of each.
    sign : {-1, 1}, default=-1
        1 for the interval of the sum.

    Examples
    --------
    >>> low, high = mover(56 / 70, wilson(56, 70), 48 / 80, wilson(48, 80))
    >>> round(float(low), 4), round(float(high), 4)
    (0.0524, 0.3339)
    """
    value, other_value = np.asarray(first, dtype=np.float64), np.asarray(other, dtype=np.float64)
    low, high = (np.asarray(bound, dtype=np.float64) for bound in first_interval)
    other_low, other_high = (np.asarray(bound, dtype=np.float64) for bound in other_interval)
    combined = value + sign * other_value
    down, up = other_high - other_value, other_value - other_low
    if sign > 0:
        down, up = up, down
    return combined - np.hypot(value - low, down), combined + np.hypot(high - value, up)


def mover_ratio(
    first: ArrayLike,
    first_interval: tuple[ArrayLike, ArrayLike],
    other: ArrayLike,
    other_interval: tuple[ArrayLike, ArrayLike],
) -> Interval:
    """Return the interval of ``first / other`` from the intervals of both parts, of values of at least 0.

    The method is MOVER-R (Donner, Zou 2012, "Closed-form confidence intervals for functions of the normal mean and
    standard deviation"). A first value of 0 has an upper bound; another of 0 has no ratio, and no interval.

    Parameters
    ----------
    first, other : array-like
        Two independent estimates.
    first_interval, other_interval : tuple of array-like
        Lower and upper bounds of each.

    Examples
    --------
    >>> low, high = mover_ratio(56 / 70, wilson(56, 70), 48 / 80, wilson(48, 80))
    >>> round(float(low), 4), round(float(high), 4)
    (1.0783, 1.6629)
    """
    value, other_value = np.asarray(first, dtype=np.float64), np.asarray(other, dtype=np.float64)
    low, high = (np.asarray(bound, dtype=np.float64) for bound in first_interval)
    other_low, other_high = (np.asarray(bound, dtype=np.float64) for bound in other_interval)
    product = value * other_value
    with np.errstate(invalid="ignore", divide="ignore"):
        ends = low * (2 * value - low), other_high * (2 * other_value - other_high)
        below = ends[0] / (product + np.sqrt(np.maximum(product**2 - ends[0] * ends[1], 0)))
        ends = high * (2 * value - high), other_low * (2 * other_value - other_low)
        above = (product + np.sqrt(np.maximum(product**2 - ends[0] * ends[1], 0))) / ends[1]
        ratio = value / other_value
    known = np.isfinite(ratio) & np.isfinite(above)
    below = np.where(value <= 0, 0.0, below)
    return np.where(known, np.minimum(below, ratio), np.nan)[()], np.where(known, np.maximum(above, ratio), np.nan)[()]
