"""The calibration error of each group, corrected for what chance adds to it, and its interval.

The mean distance of predicted and observed shares over bins is never 0 in a sample: of a calibrated model it is about
``0.8 * sqrt(p * (1 - p) * bins / n)``, so small groups would look worse than large ones. The error is therefore that of
which the sample's distance is the expected one, when the distances of bins are normal and, relative to each other, as
large as their standard deviations. Its interval holds the errors for which the sample's distance is not unusual.
"""

from __future__ import annotations

import numpy as np

from core.fairness.metrics.arrays import BoolArray, FloatArray, IndexArray, Interval
from core.fairness.metrics.counts import divide

__all__ = ["CalibrationBins"]

_BINS = 10
_BISECTIONS = 36


class CalibrationBins:
    """Predicted and observed shares of groups in bins of equal width.

    Parameters
    ----------
    scores : array of shape (n,)
        Probabilities.
    positive : array of shape (n,)
        Whether each row has the positive label.
    codes : array of shape (n,)
        Group of each row.
    groups : int
        Number of groups.
    weights : array of shape (n,), optional
        Weights of the rows, which add up to the effective number of rows of each group.

    Examples
    --------
    >>> scores, positive = np.tile([0.25, 0.75], 20), np.tile([False, True], 20)
    >>> bins = CalibrationBins(scores, positive, np.zeros(40, dtype=int), 1, None)
    >>> bins.distances.tolist(), bins.errors.round(2).tolist()
    ([0.25], [0.25])
    """

    def __init__(
        self, scores: FloatArray, positive: BoolArray, codes: IndexArray, groups: int, weights: FloatArray | None
    ) -> None:
        cell = codes * _BINS + np.clip((scores * _BINS).astype(np.intp), 0, _BINS - 1)
        own = np.ones(len(scores)) if weights is None else weights
        rows, sums, hits = (
            np.bincount(cell, weights=values, minlength=groups * _BINS).reshape(groups, _BINS)
            for values in (own, own * scores, own * positive)
        )
        total = rows.sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            self._share = np.where(total > 0, rows / total, 0.0)
            predicted = np.where(rows > 0, sums / rows, 0.0)
            observed = (hits + predicted) / (rows + 1)  # with one row as predicted
            variance = np.maximum(predicted * (1 - predicted), observed * (1 - observed))
            self._deviation = np.where(rows > 0, np.sqrt(np.maximum(variance / rows, 0.25 / rows**2)), 1.0)
            # Of each bin, in units of the mean: shares near 0 and 1 can be less wrong than others.
            usual = np.sqrt(np.maximum(variance, 1e-12))
            self._relative = usual / np.maximum((self._share * usual).sum(axis=1, keepdims=True), 1e-12)
        self.distances = divide(np.abs(sums - hits).sum(axis=1), total[:, 0])
        by_chance = (self._share * _folded_normal(np.zeros_like(self._share), self._deviation)[0]).sum(axis=1)
        self._no_less = np.maximum(self.distances, by_chance)  # NaN stays
        self.errors = self._solve(np.arange(groups), np.zeros(groups), self.distances)

    def bounds(self, groups: IndexArray, z: FloatArray) -> Interval:
        """Return the bounds of the errors of some groups, each at its own normal quantile.

        A distance that is smaller than chance makes it does not prove more than one that is as chance makes it: the
        upper bound is that of the latter, as of power-constrained limits (Cowan, Cranmer, Gross, Vitells 2011).
        """
        return self._solve(groups, z, self.distances), self._solve(groups, -z, self._no_less)

    def _solve(self, groups: IndexArray, z: FloatArray, distances: FloatArray) -> FloatArray:
        """Return the errors of which the groups' distances lie z deviations above the expected ones; at least 0."""
        share, deviation, relative = self._share[groups], self._deviation[groups], self._relative[groups]
        low, high = np.zeros(len(groups)), np.full(len(groups), 2.0)
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            mean, variance = _folded_normal(middle[:, None] * relative, deviation)
            expected = (share * mean).sum(axis=1) + z * np.sqrt((share**2 * variance).sum(axis=1))
            above = expected > distances[groups]
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return np.where(np.isfinite(self.distances[groups]), np.where(low > 0, np.minimum(high, 1.0), 0.0), np.nan)


def _folded_normal(center: FloatArray, deviation: FloatArray) -> Interval:
    """Return mean and variance of the distance from 0 of normal numbers (Leone, Nelson, Nottingham 1961)."""
    from scipy.special import ndtr

    ratio = center / deviation
    mean = deviation * np.sqrt(2 / np.pi) * np.exp(-(ratio**2) / 2) + center * (1 - 2 * ndtr(-ratio))
    return mean, np.maximum(center**2 + deviation**2 - mean**2, 0.0)
