"""Metrics of predicted numbers by group, from sums over the rows."""

from __future__ import annotations

import numpy as np

from core.fairness.metrics.arrays import BoolArray, FloatArray, IndexArray, Interval
from core.fairness.metrics.intervals import effective_weights, mean_interval, percentiles
from core.fairness.metrics.registry import NUMBER_METRICS
from core.fairness.metrics.scores import heterogeneity

__all__ = ["NumberValues"]


class NumberValues:
    """The metrics of predicted numbers of each group.

    Parameters
    ----------
    truth, predicted : array of shape (n,)
        Numbers. The error is predicted minus true, so above 0 is too high.
    codes : array of shape (n,)
        Group of each row.
    groups : int
        Number of groups.
    weights : array of shape (n,), optional
        Weights of the rows.
    """

    def __init__(
        self,
        truth: FloatArray,
        predicted: FloatArray,
        codes: IndexArray,
        groups: int,
        weights: FloatArray | None,
    ) -> None:
        def mean(values: FloatArray) -> FloatArray:
            total = np.bincount(codes, weights=values if weights is None else values * weights, minlength=groups)
            with np.errstate(invalid="ignore", divide="ignore"):
                average: FloatArray = total / self.rows
            return average

        self.names = tuple(NUMBER_METRICS)
        self._count = np.bincount(codes, minlength=groups).astype(float)
        if weights is not None:
            weights = effective_weights(weights, codes, groups)
        self.rows = np.bincount(codes, weights=weights, minlength=groups).astype(float)
        error = predicted - truth
        centered = truth - mean(truth)[codes]
        moments = [predicted - mean(predicted)[codes], error, np.abs(error), error**2, centered, centered**2]
        self._means = np.stack([mean(moment) for moment in moments], axis=-1)
        self._cross = np.stack([np.stack([mean(a * b) for b in moments], axis=-1) for a in moments], axis=-2)
        self._covariance = self._cross - self._means[:, :, None] * self._means[:, None, :]
        self.values = np.stack([mean(predicted), *self._error_metrics(self._means)], axis=-1)

    @staticmethod
    def _error_metrics(means: FloatArray) -> list[FloatArray]:
        """Return mean error, mean absolute error, root mean squared error and R2 of moments (..., 6)."""
        variation = means[..., 5] - means[..., 4] ** 2
        with np.errstate(invalid="ignore", divide="ignore"):
            r2 = np.where(variation > 1e-12 * means[..., 5], 1 - means[..., 3] / variation, np.nan)
        return [means[..., 1], means[..., 2], np.sqrt(np.maximum(means[..., 3], 0)), r2]

    @property
    def denominators(self) -> FloatArray:
        """Number of rows behind each metric."""
        return np.repeat(self._count[:, None], len(self.names), axis=1)

    def intervals(
        self, confidence: float, draws: int, random: np.random.Generator
    ) -> tuple[FloatArray, FloatArray, list[str]]:
        """Return lower bounds, upper bounds, and the method of each metric."""
        variance = np.diagonal(self._covariance, axis1=1, axis2=2)
        bounds: list[Interval] = [
            mean_interval(self.values[:, 0], variance[:, 0], self.rows, confidence),
            mean_interval(self.values[:, 1], variance[:, 1], self.rows, confidence),
        ]
        low, high = mean_interval(self.values[:, 2], variance[:, 2], self.rows, confidence)
        bounds.append((np.maximum(low, 0), high))
        low, high = mean_interval(self._means[:, 3], variance[:, 3], self.rows, confidence)
        bounds.append((np.sqrt(np.maximum(low, 0)), np.sqrt(high)))
        low, high = np.full(len(self.rows), np.nan), np.full(len(self.rows), np.nan)
        for group, rows in enumerate(self.rows):
            if rows > 2:  # R2 is a function of means, and means of resamples are normal
                drawn = random.multivariate_normal(
                    self._means[group], self._covariance[group] / rows, size=draws, method="eigh", check_valid="ignore"
                )
                low[group], high[group], _ = percentiles(self._error_metrics(drawn)[3], confidence)
        bounds.append((low, high))
        methods = ["Student", "Student", "Student", "Student, root", "bootstrap of moments"]
        return np.stack([pair[0] for pair in bounds], -1), np.stack([pair[1] for pair in bounds], -1), methods

    def test(self, chosen: BoolArray, usable: BoolArray, draws: int, random: np.random.Generator) -> FloatArray:
        """Test among the chosen groups that they do not differ; NaN for R2."""
        usable = usable & chosen[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            variances = np.diagonal(self._covariance, axis1=1, axis2=2) / (self.rows - 1)[:, None]
        means = [self.values[:, 0], self.values[:, 1], self.values[:, 2], self._means[:, 3]]
        p = [heterogeneity(values, variances[:, i], usable[:, i]) for i, values in enumerate(means)]
        return np.array([*p, np.nan])
