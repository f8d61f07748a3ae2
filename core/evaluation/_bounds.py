"""Bounds of a metric, from its value and what it owes to each unit of the test."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from core.evaluation._intervals import normal_quantile, wilson
from core.evaluation._jackknife import Units
from core.evaluation._statistics import Array

__all__ = ["Bounds", "area_bounds", "distance_bounds", "gain_bounds", "share_bounds", "student_quantile"]

Bounds = tuple[float, float]

_BISECTIONS = 32
_LEAST_SCALE = 0.25  # of a sample's variance of an area to that which is usual
_RESAMPLES = 1_000


def student_quantile(freedom: float, confidence: float = 0.95) -> float:
    """Return Student's quantile of a two-sided interval.

    Examples
    --------
    >>> round(student_quantile(7), 4)
    2.3646
    """
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + confidence) / 2))


def share_bounds(value: float, variance: float, quantile: float, step: float, confidence: float = 0.95) -> Bounds:
    """Return Wilson's interval of a value from 0 to 1 for as many rows as would give it its variance.

    Parameters
    ----------
    value : float
        Value of the metric.
    variance : float
        Its variance, above 0.
    quantile : float
        Quantile of Student's distribution.
    step : float
        Change of the value by one further row; a value within a step of 0 or 1 has the variance of one that is not.
    confidence : float, default=0.95
        Probability with which the interval holds the true value.

    Examples
    --------
    >>> [round(bound, 4) for bound in share_bounds(0.5, 0.025, 1.959964, 0.1)]
    [0.2366, 0.7634]
    """
    step = min(step, 0.5)
    inner = min(max(value, step), 1 - step)
    rows = inner * (1 - inner) / variance * (normal_quantile(confidence) / quantile) ** 2
    low, high = wilson(value * rows, rows, confidence)
    return min(float(low), value), max(float(high), value)


def area_bounds(
    value: ArrayLike, variance: ArrayLike, quantile: ArrayLike, hits: ArrayLike, misses: ArrayLike
) -> tuple[Array, Array]:
    """Return the score interval of an area under the ROC curve (Newcombe 2006, method 5), scaled to its variance.

    The variance that Hanley and McNeil (1982) give for an area of any size has the right shape near 0 and 1, where that
    of the sample fails; it is scaled to the sample's own at the value.

    Parameters
    ----------
    value : array-like
        Area; further areas are bounded at the same time.
    variance : array-like
        Variance of the sample's area, such as DeLong's; 0 where all rows of the class lie above, or below, all others.
    quantile : array-like
        Quantile of Student's distribution.
    hits, misses : array-like
        Effective numbers of rows of the class, and of other rows.

    Examples
    --------
    >>> low, high = area_bounds([0.9, 1.0], [0.002, 0.0], 2.0, 12, 60)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.768, 0.896], [0.958, 1.0])
    """
    area, spread, t, rows, others = np.broadcast_arrays(
        *(np.asarray(part, dtype=np.float64) for part in (value, variance, quantile, hits, misses))
    )

    def expected(at: Array) -> Array:
        pairs = (rows + others) / 2 - 1
        return np.asarray(at * (1 - at) * (1 + pairs * ((1 - at) / (2 - at) + at / (1 + at))) / (rows * others))

    with np.errstate(invalid="ignore", divide="ignore"):
        usual = expected(area)
        scale = t**2 * np.where(usual > 0, np.maximum(spread / usual, _LEAST_SCALE), 1.0)

        def bound(limit: float) -> Array:
            near, far = area.copy(), np.full(area.shape, limit)
            for _ in range(_BISECTIONS):
                middle = (near + far) / 2
                outside = (area - middle) ** 2 > scale * expected(middle)
                near, far = np.where(outside, near, middle), np.where(outside, middle, far)
            return np.where(np.isfinite(spread + t + area), near, np.nan)

        return bound(0.0), bound(1.0)


def distance_bounds(
    distance: float, influence: Array, units: Units, guess: float, rows: float, seed: int, confidence: float = 0.95
) -> Bounds:
    """Return the interval of a distance from perfection, such as a mean error, on the logarithmic scale.

    The quantiles are those of the studentized bootstrap (Hall 1988), since errors are skewed.

    Parameters
    ----------
    distance : float
        Distance of the metric from its value for a model without a fault.
    influence : array of shape (units,)
        Influence of each unit on the distance.
    units : Units
        Units of the test.
    guess : float
        Distance of guessing.
    rows : float
        Effective number of rows, or groups.
    seed : int
        Seed of the bootstrap.
    confidence : float, default=0.95
        Probability with which the interval holds the true value.
    """
    centered = units.center(influence)
    variances = units.variances(centered)
    total = float(variances.sum())
    if total <= (1e-9 * max(distance, 1e-300)) ** 2 or distance <= 0:
        # Every unit is as far away. As for a share that no row has, up to z²/(n + z²) of the rows may be otherwise.
        square = normal_quantile(confidence) ** 2
        share = square / (rows + square)
        wide = max(guess, distance)
        if wide <= 0 or not np.isfinite(wide):
            return float("nan"), float("nan")
        return distance * (1 - share), distance + wide * share
    error = np.sqrt(total) / distance
    low, high = _studentized(distance, influence, units, seed, confidence, logarithm=True)
    usual = student_quantile(units.freedom(variances), confidence)
    low, high = (np.clip(value, usual * 0.9, 4 * usual) for value in (-low, high))
    return distance * float(np.exp(-high * error)), distance * float(np.exp(low * error))


def gain_bounds(
    gain: float, influence: Array, units: Units, added: Array, seed: int, skewed: bool, confidence: float = 0.95
) -> Bounds:
    """Return the interval of a difference of two models on the same rows.

    Parameters
    ----------
    gain : float
        Difference.
    influence : array of shape (units,)
        Influence of each unit on the difference.
    units : Units
        Units of the test.
    added : array of shape (strata,)
        Variance added for differences that the sample may lack, as by two more discordant pairs (Agresti, Min 2005).
    seed : int
        Seed of the bootstrap.
    skewed : bool
        Whether the quantiles are those of the studentized bootstrap.
    confidence : float, default=0.95
        Probability with which the interval holds the true difference.
    """
    variances = units.variances(units.center(influence))
    quantile = student_quantile(units.freedom(variances + added), confidence)
    error = float(np.sqrt(variances.sum() + added.sum()))
    if error <= 0:
        return float("nan"), float("nan")
    low = high = quantile
    if skewed and variances.sum() > 0:
        lower, upper = _studentized(1.0, influence, units, seed, confidence, logarithm=False)
        low, high = (float(np.clip(bound, quantile * 0.9, 4 * quantile)) for bound in (upper, -lower))
    return gain - low * error, gain + high * error


def _studentized(
    distance: float, influence: Array, units: Units, seed: int, confidence: float, *, logarithm: bool
) -> Bounds:
    """Return both quantiles of the bootstrap's t of a value that is linear in its units."""
    random = np.random.default_rng(seed)
    centered = units.center(influence)
    moved, squares = np.zeros(_RESAMPLES), np.zeros(_RESAMPLES)
    for code in range(len(units.sizes)):
        own = centered[units.stratum == code]
        if len(own) < 2:
            continue
        drawn = own[random.integers(0, len(own), (_RESAMPLES, len(own)))]
        moved += drawn.sum(axis=1)
        squares += len(own) * drawn.var(axis=1)
    value = distance + moved
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.log(value / distance) * value / np.sqrt(squares) if logarithm else moved / np.sqrt(squares)
    known = ratio[np.isfinite(ratio)]
    if len(known) < _RESAMPLES // 2:
        return -np.inf, np.inf
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
