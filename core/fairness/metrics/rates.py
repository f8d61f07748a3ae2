"""Rates of each group, and the interface that all metrics by group share: values, intervals, tests."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from core.fairness.metrics.arrays import BoolArray, FloatArray, IndexArray
from core.fairness.metrics.counts import denominator, rate
from core.fairness.metrics.intervals import draw_cells, percentiles, rate_intervals
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

    def intervals(
        self, confidence: float, draws: int, random: np.random.Generator
    ) -> tuple[FloatArray, FloatArray, list[str]]:
        """Return lower bounds, upper bounds, and the method of each metric."""

    def test(self, chosen: BoolArray, usable: BoolArray, draws: int, random: np.random.Generator) -> FloatArray:
        """Return for each metric the p-value that the chosen groups do not differ, or NaN."""


class RateValues:
    """All `RATES` of each group, from its counts.

    Parameters
    ----------
    cells : array of shape (groups, 4)
        Counts of each group.
    """

    def __init__(self, cells: FloatArray) -> None:
        self.cells = cells
        self.rates = tuple(RATES.values())
        self.names = tuple(record.name for record in self.rates)
        self.values = self.of(cells)

    def of(self, cells: FloatArray) -> FloatArray:
        """Return the rates of other counts, shape (..., rates)."""
        return np.stack([rate(record, cells) for record in self.rates], axis=-1)

    @property
    def denominators(self) -> FloatArray:
        """Number of rows behind each rate."""
        return self._denominators(self.cells)

    def _denominators(self, cells: FloatArray) -> FloatArray:
        return np.stack([denominator(record, cells) for record in self.rates], axis=-1)

    def intervals(
        self, confidence: float, draws: int, random: np.random.Generator
    ) -> tuple[FloatArray, FloatArray, list[str]]:
        """Return lower bounds, upper bounds, and the method of each rate."""
        low, high = rate_intervals(self.rates, self.cells, confidence)
        return low, high, [record.method for record in self.rates]

    def draw(self, draws: int, random: np.random.Generator) -> FloatArray:
        """Return the rates of bootstrap resamples, (draws, groups, rates)."""
        return self.of(draw_cells(self.cells, draws, random))

    def test(self, chosen: BoolArray, usable: BoolArray, draws: int, random: np.random.Generator) -> FloatArray:
        """Test among the chosen groups that they do not differ."""
        return p_values(self.rates, self.cells[chosen], usable[chosen], draws, random)


class WeightedRateValues(RateValues):
    """Rates from sums of weights, resampled by rows, for which the weights are kept.

    Parameters
    ----------
    cells : array of shape (groups, 4)
        Sums of weights.
    cell_of_row : array of shape (n,)
        ``4 * group + cell`` of each row.
    weights : array of shape (n,)
        Weights of the rows.
    """

    # A group with more rows than this is resampled by the normal distribution of its sums.
    normal_from_rows = 2_000

    def __init__(self, cells: FloatArray, cell_of_row: IndexArray, weights: FloatArray) -> None:
        super().__init__(cells)
        self._cell_of_row, self._weights = cell_of_row, weights
        self._rows = np.bincount(cell_of_row, minlength=cells.size).reshape(cells.shape)

    @property
    def denominators(self) -> FloatArray:
        """Number of rows, not the sum of their weights, behind each rate."""
        return self._denominators(self._rows.astype(float))

    def draw(self, draws: int, random: np.random.Generator) -> FloatArray:
        """Return the rates of bootstrap resamples of the rows within each group."""
        drawn = np.zeros((draws, *self.cells.shape))
        order = np.argsort(self._cell_of_row, kind="stable")
        ends = np.cumsum(self._rows.sum(axis=1))
        for group, rows in enumerate(np.split(order, ends[:-1])):
            cell, weight = self._cell_of_row[rows] - 4 * group, self._weights[rows]
            n = len(rows)
            if n <= self.normal_from_rows:
                times = random.multinomial(n, np.full(n, 1 / n), size=draws)
                drawn[:, group] = times @ (np.eye(4)[cell] * weight[:, None])
            else:
                squares = np.bincount(cell, weights=weight**2, minlength=4)
                covariance = np.diag(squares) - np.outer(self.cells[group], self.cells[group]) / n
                drawn[:, group] = random.multivariate_normal(
                    self.cells[group], covariance, size=draws, method="eigh", check_valid="ignore"
                )
        return self.of(np.maximum(drawn, 0))

    def intervals(
        self, confidence: float, draws: int, random: np.random.Generator
    ) -> tuple[FloatArray, FloatArray, list[str]]:
        """Return lower bounds, upper bounds, and the method of each rate."""
        low, high, _ = percentiles(self.draw(draws, random), confidence)
        return low, high, ["row bootstrap"] * len(self.rates)

    def test(self, chosen: BoolArray, usable: BoolArray, draws: int, random: np.random.Generator) -> FloatArray:
        """Return NaN: the permutation test deals counts, and sums of weights are none."""
        return np.full(len(self.rates), np.nan)
