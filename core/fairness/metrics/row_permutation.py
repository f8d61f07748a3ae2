"""Permutation tests of means by group: the groups are permuted over the rows.

The statistic is the sum of squared distances of the groups from their mean, each in its own standard errors, which are
estimated anew for every permutation, so that groups may differ in spread (Janssen 1997; Chung, Romano 2013). Where rows
are many, the sums of large groups are drawn from their normal distribution.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from core.fairness.metrics.arrays import BoolArray, FloatArray, IndexArray

__all__ = ["RowMeans", "affordable_draws", "comparable_groups", "permuted_p_values", "rows_among"]

_PERMUTED_ROWS = 5_000  # at most; of more rows, groups are drawn one by one
_LARGE_GROUP = 300  # rows from which the sums of a group are normal
_CELLS = 30_000_000  # numbers that are drawn, at most, down to the fewest draws
_FEWEST_DRAWS = 200
_BORROWED_ROWS = 5.0  # of all groups, in the variance of each: a group without an error has some

_Moments: TypeAlias = tuple[FloatArray, FloatArray]
"""Means and their variances, (..., groups, metrics)."""


@dataclass(frozen=True)
class RowMeans:
    """Values of rows whose means are compared between groups.

    Parameters
    ----------
    values : array of shape (n, metrics)
        Value of each row for each metric.
    codes : array of shape (n,)
        Group of each row, from 0, every group with rows.
    weights : array of shape (n,), optional
        Weights of the rows.
    """

    values: FloatArray
    codes: IndexArray
    weights: FloatArray | None = None

    def in_order(self) -> RowMeans:
        """Return the rows in an order that depends on their values alone, so that the same rows give the same draws."""
        own = () if self.weights is None else (self.weights,)
        scale = np.sqrt(self._pooled) + 1e-300
        order = np.lexsort((*own, *np.round(self.values / scale, 8).T, self.codes))
        weights = None if self.weights is None else self.weights[order]
        return RowMeans(self.values[order], self.codes[order], weights)

    def drawn(self, draws: int, random: np.random.Generator) -> _Moments:
        """Return means and their variances for groups permuted over the rows."""
        sizes = np.bincount(self.codes)
        columns = self._columns
        if len(columns) <= _PERMUTED_ROWS:
            starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
            sums = [np.add.reduceat(columns[random.permutation(len(columns))], starts) for _ in range(draws)]
            return self._moments(np.stack(sums))
        means, variances = self._moments(columns.sum(axis=0))
        metrics = self.values.shape[1]
        drawn_means, drawn_variances = np.empty((draws, len(sizes), metrics)), np.empty((draws, len(sizes), metrics))
        covariance = np.cov(self.values, rowvar=False, aweights=self.weights).reshape(metrics, metrics)
        for group, size in enumerate(sizes):
            if size > _LARGE_GROUP:
                scale = variances * len(columns) / size
                root = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
                noise = random.multivariate_normal(
                    np.zeros(metrics), covariance / np.outer(root, root), size=draws, method="eigh"
                )
                drawn_means[:, group], drawn_variances[:, group] = means + noise * np.sqrt(scale), scale
            else:
                rows = [columns[random.integers(0, len(columns), size)].sum(axis=0) for _ in range(draws)]
                drawn_means[:, group], drawn_variances[:, group] = self._moments(np.stack(rows))
        return drawn_means, drawn_variances

    @property
    def observed(self) -> _Moments:
        """Means and their variances of the groups as they are."""
        return self._moments(np.stack([np.bincount(self.codes, column) for column in self._columns.T], axis=-1))

    @property
    def cost(self) -> int:
        """Numbers that one draw handles."""
        sizes = np.bincount(self.codes)
        permuted = sizes if len(self.codes) <= _PERMUTED_ROWS else sizes[sizes <= _LARGE_GROUP]
        return int(permuted.sum()) * (2 + 3 * int(self.values.shape[1]))

    @property
    def _columns(self) -> FloatArray:
        """What is summed of each row: w, w², and w x, w² x, w² x² of each metric."""
        weights = np.ones(len(self.codes)) if self.weights is None else self.weights
        own, square = weights[:, None], weights[:, None] ** 2
        return np.hstack([own, square, own * self.values, square * self.values, square * self.values**2])

    @cached_property
    def _pooled(self) -> FloatArray:
        """Variance of one row of all groups."""
        center = self.values - np.average(self.values, axis=0, weights=self.weights)
        return np.asarray(np.average(center**2, axis=0, weights=self.weights))

    def _moments(self, sums: FloatArray) -> _Moments:
        metrics = self.values.shape[1]
        weight, square = sums[..., :1], sums[..., 1:2]
        own, first, second = (sums[..., 2 + part * metrics : 2 + (part + 1) * metrics] for part in range(3))
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = own / weight
            rows = weight**2 / square
            variance = np.maximum(second - 2 * mean * first + mean**2 * square, 0) / weight**2 * rows / (rows - 1)
            borrowed = variance * rows  # of one row
            pooled = self._pooled
            shared = (borrowed * rows + pooled * _BORROWED_ROWS) / (rows + _BORROWED_ROWS) / rows
        return mean, np.where(np.isfinite(shared), shared, pooled)


def affordable_draws(cost: int, draws: int) -> int:
    """Return how many draws of a cost are made, where so many are asked for.

    Examples
    --------
    >>> affordable_draws(1_000, 2_000), affordable_draws(1_000_000, 2_000)
    (2000, 200)
    """
    return int(np.clip(_CELLS // max(cost, 1), min(_FEWEST_DRAWS, draws), draws))


def permuted_p_values(
    values: FloatArray, strata: list[RowMeans], draws: int, random: np.random.Generator
) -> FloatArray:
    """Test that groups have the same value of each metric.

    Parameters
    ----------
    values : array of shape (groups, metrics)
        Values of the groups.
    strata : list of RowMeans
        Rows that are permuted among each other; the variances of a group's means add up over the strata.
    draws : int
        Number of permutations; fewer, but at least 200, where the rows are many.
    random : Generator
        Random number generator that draws the permutations.

    Returns
    -------
    array of shape (metrics,)
    """
    draws = affordable_draws(sum(part.cost for part in strata), draws)
    variances = sum(part.observed[1] for part in strata)
    drawn = [part.in_order().drawn(draws, random) for part in strata]
    observed = _statistic(values, np.asarray(variances))
    permuted = _statistic(sum(means for means, _ in drawn), sum(spread for _, spread in drawn))  # type: ignore[arg-type]
    return np.asarray((1 + np.count_nonzero(permuted >= observed * (1 - 1e-9), axis=0)) / (draws + 1))


def comparable_groups(usable: BoolArray, metrics: Sequence[int]) -> Iterator[tuple[list[int], IndexArray]]:
    """Return the metrics that can be tested, in lists that have the same groups, and these groups.

    Parameters
    ----------
    usable : array of shape (groups, metrics)
        Whether each metric of each group is compared.
    metrics : sequence of int
        Positions of metrics that share their draws.

    Examples
    --------
    >>> usable = np.array([[True, True, False], [True, True, False], [True, True, True]])
    >>> [(metrics, groups.tolist()) for metrics, groups in comparable_groups(usable, [0, 1, 2])]
    [([0, 1], [0, 1, 2])]
    """
    by_groups: dict[bytes, list[int]] = {}
    for metric in metrics:
        if usable[:, metric].sum() > 1:
            by_groups.setdefault(usable[:, metric].tobytes(), []).append(metric)
    for shared in by_groups.values():
        yield shared, np.flatnonzero(usable[:, shared[0]])


def rows_among(codes: IndexArray, groups: IndexArray) -> tuple[IndexArray, BoolArray]:
    """Return the positions of the rows' groups among some groups, and which rows belong to one of these.

    Examples
    --------
    >>> codes, own = rows_among(np.array([0, 1, 2, 2]), np.array([0, 2]))
    >>> codes.tolist(), own.tolist()
    ([0, 1, 1], [True, False, True, True])
    """
    position = np.full(int(codes.max()) + 1, -1)
    position[groups] = np.arange(len(groups))
    own = position[codes] >= 0
    return position[codes[own]], own


def _statistic(values: FloatArray, variances: FloatArray) -> FloatArray:
    """Return the sum of squared distances of groups from their mean in standard errors (Cochran 1937)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = np.where(variances > 0, 1 / variances, 0.0)
        center = (weight * values).sum(axis=-2, keepdims=True) / weight.sum(axis=-2, keepdims=True)
        return np.asarray(np.nan_to_num((weight * (values - center) ** 2).sum(axis=-2)))
