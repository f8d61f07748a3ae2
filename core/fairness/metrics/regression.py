"""Figures of predicted numbers by group, from sums over the rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.fairness.metrics.intervals import Pair, effective_weights, mean_interval, percentiles
from core.fairness.metrics.scores import heterogeneity

__all__ = ["NUMBER_METRICS", "NumberFigures"]

Array = NDArray[np.float64]

NUMBER_METRICS: tuple[str, ...] = ("mean_prediction", "mean_error", "mae", "rmse", "r2")


class NumberFigures:
    """The figures of each group.

    Parameters
    ----------
    truth, predicted : array of shape (n,)
        Numbers; the error is predicted minus true, so above 0 is too high.
    codes : array of shape (n,)
        The row's group.
    groups : int
        How many there are.
    weights : array of shape (n,), optional
        Weights of the rows.
    """

    names = NUMBER_METRICS

    def __init__(
        self, truth: Array, predicted: Array, codes: NDArray[np.intp], groups: int, weights: Array | None
    ) -> None:
        def mean(each: Array) -> Array:
            total = np.bincount(codes, weights=each if weights is None else each * weights, minlength=groups)
            with np.errstate(invalid="ignore", divide="ignore"):
                return total / self.rows

        self._count = np.bincount(codes, minlength=groups).astype(float)
        if weights is not None:
            weights = effective_weights(weights, codes, groups)
        self.rows = np.bincount(codes, weights=weights, minlength=groups).astype(float)
        error = predicted - truth
        centred = truth - mean(truth)[codes]
        moments = [predicted - mean(predicted)[codes], error, np.abs(error), error**2, centred, centred**2]
        self._means = np.stack([mean(each) for each in moments], axis=-1)
        self._cross = np.stack([np.stack([mean(a * b) for b in moments], axis=-1) for a in moments], axis=-2)
        self._covariance = self._cross - self._means[:, :, None] * self._means[:, None, :]
        self.values = np.stack([mean(predicted), *self._figures(self._means)], axis=-1)

    @staticmethod
    def _figures(means: Array) -> list[Array]:
        """Return mean error, mean absolute error, root mean squared error and R2 of moments (..., 6)."""
        variation = means[..., 5] - means[..., 4] ** 2
        with np.errstate(invalid="ignore", divide="ignore"):
            r2 = np.where(variation > 1e-12 * means[..., 5], 1 - means[..., 3] / variation, np.nan)
        return [means[..., 1], means[..., 2], np.sqrt(np.maximum(means[..., 3], 0)), r2]

    @property
    def denominators(self) -> Array:
        """The rows that each figure is about."""
        return np.repeat(self._count[:, None], len(self.names), axis=1)

    def intervals(self, confidence: float, draws: int, random: np.random.Generator) -> tuple[Array, Array, list[str]]:
        """Return low and high bounds, each (groups, figures), and the method of each figure."""
        variance = np.diagonal(self._covariance, axis1=1, axis2=2)
        bounds: list[Pair] = [
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
                low[group], high[group], _ = percentiles(self._figures(drawn)[3], confidence)
        bounds.append((low, high))
        methods = ["Student", "Student", "Student", "Student, root", "bootstrap of moments"]
        return np.stack([pair[0] for pair in bounds], -1), np.stack([pair[1] for pair in bounds], -1), methods

    def test(
        self, chosen: NDArray[np.bool_], usable: NDArray[np.bool_], draws: int, random: np.random.Generator
    ) -> Array:
        """Test among the chosen groups that they do not differ; NaN for R2."""
        usable = usable & chosen[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            of_means = np.diagonal(self._covariance, axis1=1, axis2=2) / (self.rows - 1)[:, None]
        values = [self.values[:, 0], self.values[:, 1], self.values[:, 2], self._means[:, 3]]
        found = [heterogeneity(value, of_means[:, place], usable[:, place]) for place, value in enumerate(values)]
        return np.array([*found, np.nan])
