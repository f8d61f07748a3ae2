"""Rates of each group, and the interface that all metrics by group share: values, intervals, tests."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from core.fairness.metrics.arrays import BoolArray, FloatArray, IndexArray, Interval
from core.fairness.metrics.counts import denominator, rate
from core.fairness.metrics.intervals import rate_bounds
from core.fairness.metrics.permutation import p_values
from core.fairness.metrics.registry import RATES

__all__ = ["MetricValues", "RateValues", "WeightedRateValues"]


class MetricValues(Protocol):
    """Metrics of one kind, for all groups; arrays have the shape (groups, metrics)."""

    names: tuple[str, ...]
    values: FloatArray

    @property
    def denominators(self) -> FloatArray:
        """Number of rows behind each value."""

    @property
    def methods(self) -> tuple[str, ...]:
        """Name of the interval of each metric."""

    def bounds(self, metric: int, groups: IndexArray, z: FloatArray) -> Interval:
        """Return the bounds of a metric of some groups, each at its own normal quantile.

        Parameters
        ----------
        metric : int
            Position of the metric.
        groups : array of shape (n,)
            Positions of the groups, which may repeat.
        z : array of shape (n,)
            Normal quantile of each interval. Intervals grow with it.

        Returns
        -------
        tuple of array
            Lower and upper bounds; NaN without an interval.
        """

    def obstacle(self, metric: int, group: int) -> str:
        """Return why a metric of a group has no interval; empty where it has one."""

    def test(self, chosen: BoolArray, usable: BoolArray, draws: int, random: np.random.Generator) -> FloatArray:
        """Return for each metric the p-value that the chosen groups do not differ, or NaN."""


class RateValues:
    """All `RATES` of each group, from its counts.

    Parameters
    ----------
    cells : array of shape (groups, 4)
        Counts of each group, or sums of weights.
    squares : array of shape (groups, 4), optional
        Sums of the squares of the weights; by default each row weighs 1.
    """

    def __init__(self, cells: FloatArray, squares: FloatArray | None = None) -> None:
        self.cells = cells
        self.squares = cells if squares is None else squares
        self.rates = tuple(RATES.values())
        self.names = tuple(record.name for record in self.rates)
        self.values = np.stack([rate(record, cells) for record in self.rates], axis=-1)

    @property
    def denominators(self) -> FloatArray:
        """Number of rows behind each rate."""
        return self._denominators(self.cells)

    def _denominators(self, cells: FloatArray) -> FloatArray:
        return np.stack([denominator(record, cells) for record in self.rates], axis=-1)

    @property
    def methods(self) -> tuple[str, ...]:
        """Name of the interval of each rate."""
        return tuple(record.method for record in self.rates)

    def bounds(self, metric: int, groups: IndexArray, z: FloatArray) -> Interval:
        """Return the bounds of a rate of some groups, each at its own normal quantile."""
        low, high = rate_bounds(self.rates[metric], self.cells[groups], self.squares[groups], z)
        values = self.values[groups, metric]
        return np.minimum(low, values), np.maximum(high, values)

    def obstacle(self, metric: int, group: int) -> str:
        """Return why a rate of a group has no interval; empty where it has one."""
        return "no interval: no row to compute it from" if np.isnan(self.values[group, metric]) else ""

    def test(self, chosen: BoolArray, usable: BoolArray, draws: int, random: np.random.Generator) -> FloatArray:
        """Test among the chosen groups that they do not differ."""
        return p_values(self.rates, self.cells[chosen], self.squares[chosen], usable[chosen], draws, random)


class WeightedRateValues(RateValues):
    """Rates from sums of weights.

    Parameters
    ----------
    cells : array of shape (groups, 4)
        Sums of weights.
    cell_of_row : array of shape (n,)
        ``4 * group + cell`` of each row.
    weights : array of shape (n,)
        Weights of the rows.
    """

    def __init__(self, cells: FloatArray, cell_of_row: IndexArray, weights: FloatArray) -> None:
        squares = np.bincount(cell_of_row, weights=weights**2, minlength=cells.size)
        self._rows = np.bincount(cell_of_row, minlength=cells.size).reshape(cells.shape)
        # A difference of sums may leave a rounding error where no rows are.
        super().__init__(np.where(self._rows > 0, cells, 0.0), squares.reshape(cells.shape).astype(np.float64))

    @property
    def denominators(self) -> FloatArray:
        """Number of rows, not the sum of their weights, behind each rate."""
        return self._denominators(self._rows.astype(float))
