"""Metrics of predicted numbers by group, from sums over the rows."""

from __future__ import annotations

import numpy as np

from core.fairness.metrics.arrays import BoolArray, FloatArray, IndexArray, Interval
from core.fairness.metrics.counts import divide
from core.fairness.metrics.intervals import MIN_ROWS, effective_weights, loss_bounds, mean_bounds
from core.fairness.metrics.permutation import spread
from core.fairness.metrics.registry import NUMBER_METRICS
from core.fairness.metrics.row_permutation import (
    RowMeans,
    affordable_draws,
    comparable_groups,
    permuted_p_values,
    rows_among,
)

__all__ = ["NumberValues"]

_METHODS = ("Student", "Student", "gamma, Hall", "gamma, Hall, root", "gamma, Hall")


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
        self.names = tuple(NUMBER_METRICS)
        self._codes, self._weights = codes, weights
        self._center = float(predicted.mean())
        self._predicted = predicted - self._center
        self._count = np.bincount(codes, minlength=groups).astype(float)
        own = None if weights is None else effective_weights(weights, codes, groups)
        self.rows = np.bincount(codes, weights=own, minlength=groups).astype(float)

        def mean(values: FloatArray) -> FloatArray:
            total = np.bincount(codes, weights=values if own is None else values * own, minlength=groups)
            with np.errstate(invalid="ignore", divide="ignore"):
                average: FloatArray = total / self.rows
            return average

        self._error = predicted - truth
        self._distance = truth - mean(truth)[codes]
        squares, distances = self._error**2, self._distance**2
        self._squares, self._variation = mean(squares), mean(distances)
        scale = mean(truth**2) * 1e-12
        with np.errstate(invalid="ignore", divide="ignore"):
            unexplained = np.where(self._variation > scale, self._squares / self._variation, np.nan)
            # What each row adds to the logarithm of the unexplained share.
            shares = np.where(squares > 0, squares / self._squares[codes], 0.0)
            shares = shares - distances / self._variation[codes]
        rows = [predicted - mean(predicted)[codes], self._error, np.abs(self._error), squares, shares]
        centered = [part - mean(part)[codes] for part in rows]
        self._variances = np.stack([mean(part**2) for part in centered], axis=-1)
        third = np.stack([mean(part**3) for part in centered], axis=-1)
        self._skewness = divide(third, self._variances**1.5)
        means = [mean(predicted), mean(self._error), mean(np.abs(self._error)), np.sqrt(self._squares), 1 - unexplained]
        self.values = np.stack(means, axis=-1)

    @property
    def denominators(self) -> FloatArray:
        """Number of rows behind each metric."""
        return np.repeat(self._count[:, None], len(self.names), axis=1)

    @property
    def methods(self) -> tuple[str, ...]:
        """Name of the interval of each metric."""
        return _METHODS

    def bounds(self, metric: int, groups: IndexArray, z: FloatArray) -> Interval:
        """Return the bounds of a metric of some groups, each at its own normal quantile."""
        values, rows, variance = self.values[groups, metric], self.rows[groups], self._variances[groups, metric]
        variation, skewness = self._variation[groups], self._skewness[groups, metric]
        name = self.names[metric]
        if name == "mae":
            low, high = loss_bounds(values, variance, skewness, rows, z, np.sqrt(variation))
        elif name == "rmse":
            squares = self._squares[groups]
            low, high = (np.sqrt(bound) for bound in loss_bounds(squares, variance, skewness, rows, z, variation))
        elif name == "r2":  # by the share that is not explained
            left = 1 - values
            moments = left, variance * left**2, skewness
            high, low = (1 - bound for bound in loss_bounds(*moments, rows, z, np.ones(len(rows))))
        else:
            low, high = mean_bounds(values, variance, rows, z)
        few = self._count[groups] < MIN_ROWS
        return np.where(few, np.nan, np.minimum(low, values)), np.where(few, np.nan, np.maximum(high, values))

    def obstacle(self, metric: int, group: int) -> str:
        """Return why a metric of a group has no interval; empty where it has one."""
        count = self._count[group]
        if count < MIN_ROWS:
            return f"no interval: only {count:,.0f} {'row' if count == 1 else 'rows'}"
        return ""

    def test(self, chosen: BoolArray, usable: BoolArray, draws: int, random: np.random.Generator) -> FloatArray:
        """Test among the chosen groups that they do not differ."""
        p = np.full(len(self.names), np.nan)
        usable = usable & chosen[:, None]
        for metrics, groups in comparable_groups(usable, range(4)):
            codes, own = rows_among(self._codes, groups)
            error = self._error[own]
            columns = (self._predicted[own], error, np.abs(error), error**2)
            rows = RowMeans(np.column_stack([columns[metric] for metric in metrics]), codes, self._weights_of(own))
            means = np.column_stack([self.values[:, 0] - self._center, self.values[:, 1:3], self._squares])
            p[metrics] = permuted_p_values(means[groups][:, metrics], [rows], draws, random)
        for _, groups in comparable_groups(usable, [4]):
            p[4] = self._test_r2(groups, draws, random)
        return p

    def _test_r2(self, groups: IndexArray, draws: int, random: np.random.Generator) -> float:
        """Test R² by the logarithm of the share that is not explained, from the moments of permuted rows."""
        codes, own = rows_among(self._codes, groups)
        distance = self._distance[own]
        columns = np.column_stack([self._error[own] ** 2, distance, distance**2])
        rows = RowMeans(columns, codes, self._weights_of(own)).in_order()
        means, _ = rows.drawn(affordable_draws(rows.cost, draws), random)
        with np.errstate(invalid="ignore", divide="ignore"):
            drawn = np.log(np.maximum(means[..., 0] / (means[..., 2] - means[..., 1] ** 2), 1e-300))
        observed = spread(np.log(np.maximum(1 - self.values[groups, 4], 1e-300)), self.rows[groups])
        permuted = spread(drawn, self.rows[groups])
        return float((1 + np.count_nonzero(permuted >= observed * (1 - 1e-9))) / (len(permuted) + 1))

    def _weights_of(self, own: BoolArray) -> FloatArray | None:
        return None if self._weights is None else self._weights[own]
