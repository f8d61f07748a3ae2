"""The rates of each group, with what `group_metrics` asks of every kind of figures: values, intervals, tests."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.fairness.metrics.counts import RATES, denominator, rate
from core.fairness.metrics.intervals import cell_intervals, draw_cells, percentiles
from core.fairness.metrics.permutation import p_values

__all__ = ["CellFigures", "Figures", "WeightedCells"]

Array = NDArray[np.float64]


class Figures(Protocol):
    """One kind of figures of all groups; arrays are (groups, figures)."""

    names: tuple[str, ...]
    values: Array

    @property
    def denominators(self) -> Array:
        """The rows that each figure is about."""

    def intervals(self, confidence: float, draws: int, random: np.random.Generator) -> tuple[Array, Array, list[str]]:
        """Return low and high bounds, and the method of each figure."""

    def test(
        self, chosen: NDArray[np.bool_], usable: NDArray[np.bool_], draws: int, random: np.random.Generator
    ) -> Array:
        """Return for each figure the p-value that the chosen groups do not differ, or NaN."""


class CellFigures:
    """Rates from counts."""

    names = RATES

    def __init__(self, cells: Array) -> None:
        self.cells = cells
        self.values = np.stack([rate(name, cells) for name in RATES], axis=-1)

    @property
    def denominators(self) -> Array:
        """The rows that each rate is about."""
        return np.stack([denominator(name, self.cells) for name in RATES], axis=-1)

    def intervals(self, confidence: float, draws: int, random: np.random.Generator) -> tuple[Array, Array, list[str]]:
        """Return low and high bounds, and the method of each rate."""
        methods = {"balanced_accuracy": "MOVER of Wilson", "f1": "Wilson of Jaccard"}
        return *cell_intervals(self.cells, confidence), [methods.get(name, "Wilson") for name in RATES]

    def draw(self, draws: int, random: np.random.Generator) -> Array:
        """Return the rates of bootstrap resamples, (draws, groups, rates)."""
        drawn = draw_cells(self.cells, draws, random)
        return np.stack([rate(name, drawn) for name in RATES], axis=-1)

    def test(
        self, chosen: NDArray[np.bool_], usable: NDArray[np.bool_], draws: int, random: np.random.Generator
    ) -> Array:
        """Test among the chosen groups that they do not differ."""
        return p_values(self.cells[chosen], usable[chosen], draws, random)


class WeightedCells(CellFigures):
    """Rates from sums of weights: resampled by rows, for which the weights are kept.

    Parameters
    ----------
    cells : array of shape (groups, 4)
        Sums of weights.
    cell_of_row : array of shape (n,)
        ``4 * group + cell``.
    weights : array of shape (n,)
        The rows' weights.
    """

    _ROWS = 2_000  # from here on the sums of a resample are as good as normal

    def __init__(self, cells: Array, cell_of_row: NDArray[np.intp], weights: Array) -> None:
        super().__init__(cells)
        self._cell_of_row, self._weights = cell_of_row, weights
        self._rows = np.bincount(cell_of_row, minlength=cells.size).reshape(cells.shape)

    @property
    def denominators(self) -> Array:
        """The rows, not their weights, that each rate is about."""
        return np.stack([denominator(name, self._rows.astype(float)) for name in RATES], axis=-1)

    def draw(self, draws: int, random: np.random.Generator) -> Array:
        """Return the rates of bootstrap resamples of the rows within each group."""
        drawn = np.zeros((draws, *self.cells.shape))
        order = np.argsort(self._cell_of_row, kind="stable")
        ends = np.cumsum(self._rows.sum(axis=1))
        for group, rows in enumerate(np.split(order, ends[:-1])):
            cell, weight = self._cell_of_row[rows] - 4 * group, self._weights[rows]
            n = len(rows)
            if n <= self._ROWS:
                times = random.multinomial(n, np.full(n, 1 / n), size=draws)
                drawn[:, group] = times @ (np.eye(4)[cell] * weight[:, None])
            else:
                squares = np.bincount(cell, weights=weight**2, minlength=4)
                covariance = np.diag(squares) - np.outer(self.cells[group], self.cells[group]) / n
                drawn[:, group] = random.multivariate_normal(
                    self.cells[group], covariance, size=draws, method="eigh", check_valid="ignore"
                )
        drawn = np.maximum(drawn, 0)
        return np.stack([rate(name, drawn) for name in RATES], axis=-1)

    def intervals(self, confidence: float, draws: int, random: np.random.Generator) -> tuple[Array, Array, list[str]]:
        """Return low and high bounds, and the method of each rate."""
        low, high, _ = percentiles(self.draw(draws, random), confidence)
        return low, high, ["row bootstrap"] * len(RATES)

    def test(
        self, chosen: NDArray[np.bool_], usable: NDArray[np.bool_], draws: int, random: np.random.Generator
    ) -> Array:
        """Return NaN: counts are what is dealt anew, and weights are none."""
        return np.full(len(RATES), np.nan)
