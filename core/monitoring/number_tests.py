"""Tests of numbers: Kolmogorov and Smirnov's test of two samples, and the Wasserstein distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.monitoring.column_sketches import ColumnSketch, NumberSketch
from core.monitoring.outcomes import DriftOutcome, TestContext, both_as, too_few
from core.monitoring.quantile_points import QuantilePoints

__all__ = ["FEW_VALUES", "compare_numbers", "compare_points", "ks_distance", "wasserstein"]

Array = NDArray[np.float64]

FEW_VALUES = 50
"""Distinct numbers of both sides together up to which permutations give the p-value."""

_PERMUTATIONS = 1_999
_KS_95 = 1.3581  # quantile of Kolmogorov's distribution
_MOST_ROWS = 1_000_000_000


def ks_distance(reference: QuantilePoints, current: QuantilePoints) -> float:
    """Return the largest distance of two distribution functions.

    Examples
    --------
    >>> ks_distance(QuantilePoints.of(np.arange(4.0)), QuantilePoints.of(np.arange(2.0, 6.0)))
    0.5
    """
    at = np.union1d(reference.points, current.points)
    return float(np.abs(reference.share_upto(at) - current.share_upto(at)).max())


def wasserstein(reference: QuantilePoints, current: QuantilePoints) -> float:
    """Return the area between two distribution functions of finite numbers, in their unit.

    Examples
    --------
    >>> wasserstein(QuantilePoints.of(np.arange(4.0)), QuantilePoints.of(np.arange(2.0, 6.0)))
    2.0
    """
    at = np.union1d(reference.points, current.points)
    at = at[np.isfinite(at)]
    if len(at) < 2:
        return 0.0
    distance = np.abs(reference.share_upto(at) - current.share_upto(at))
    return float(distance[:-1] @ np.diff(at))


def compare_points(
    test: str, reference: QuantilePoints, current: QuantilePoints, *, scale: float | None = None, seed: int = 0
) -> DriftOutcome:
    """Return Kolmogorov and Smirnov's test of two samples.

    The p-value is that of ``scipy.stats.ks_2samp(method="asymp")``. Where both sides have at most 50 distinct numbers
    together, ties make it too large, and the test is done by 1,999 random permutations of the rows instead; the
    smaller of the two counts, because the first is an upper bound. The interval of the distance is the band of
    Doksum and Sievers (1976, "Plotting with confidence") around the difference of the distribution functions.

    Parameters
    ----------
    test : str
        Name of the test.
    reference, current : QuantilePoints
        The samples.
    scale : float, optional
        Standard deviation by which the Wasserstein distance is divided.
    seed : int, default=0
        Seed of the random number generator of permutations.
    """
    n, m = reference.rows, current.rows
    few = too_few(test, n, m)
    if few is not None:
        return few
    from scipy.stats import kstwo

    distance = ks_distance(reference, current)
    p = float(np.clip(kstwo.sf(distance, np.round(n * m / (n + m))), 0, 1))
    if reference.is_exact and current.is_exact and n + m < _MOST_ROWS:
        pooled = np.union1d(reference.points, current.points)
        if len(pooled) <= FEW_VALUES:
            p = min(p, _permuted(reference, current, pooled, distance, seed))
    band = _KS_95 * np.sqrt(1 / n + 1 / m)
    values = {}
    if scale:
        values["wasserstein"] = wasserstein(reference, current) / scale
    return DriftOutcome(
        test, distance, p, distance, max(0.0, distance - band), min(1.0, distance + band), values=values
    )


def _permuted(reference: QuantilePoints, current: QuantilePoints, at: Array, distance: float, seed: int) -> float:
    """Return the share of random divisions of all rows whose distance is as large."""
    counts = sum(np.diff(np.round(side.share_upto(at) * side.rows), prepend=0) for side in (reference, current))
    pooled = np.asarray(counts).astype(np.int64)
    n, m = reference.rows, current.rows
    draws = np.random.default_rng(seed).multivariate_hypergeometric(pooled, m, _PERMUTATIONS, method="marginals")
    upto = draws.cumsum(axis=1)
    distances = np.abs(upto / m - (pooled.cumsum() - upto) / n).max(axis=1)
    return float((1 + (distances >= distance - 1e-12).sum()) / (_PERMUTATIONS + 1))


def compare_numbers(reference: ColumnSketch, current: ColumnSketch, context: TestContext) -> DriftOutcome:
    """Return the test of two columns of numbers."""
    before, now = both_as(NumberSketch, reference, current)
    return compare_points("ks", before.values, now.values, scale=before.std, seed=context.seed)
