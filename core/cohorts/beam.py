"""A shallow tree grown on the loss: at each level the best few branches are split further."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.cohorts.column_codes import CodedColumn
from core.cohorts.conditions import Cohort

__all__ = ["grow"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_BRANCHES = 8
_DEEPEST = 3
_MIN_BRANCH_Z = 1.0  # a branch of two conditions may show little of itself by either
_MAX_OVERLAP = 0.5
_ALIKE = 0.9
_MAX_NAMED = 5  # values in one condition
_THRESHOLDS = 20  # independent choices that a threshold amounts to: neighbors are nearly the same split


@dataclass(frozen=True)
class _Branch:
    """A branch of the tree.

    Parameters
    ----------
    rows : array of bool
        Rows for which the conditions hold.
    allowed : dict
        Codes that the condition on each column allows, by the column's index.
    costs : dict
        Logarithm of the number of choices behind each condition: the more there were, the more chance alone explains.
    score : float
        Half the square of the standardized difference to the other rows, minus the costs.
    """

    rows: Mask
    allowed: dict[int, Mask]
    costs: dict[int, float]
    score: float


def grow(residuals: Array, columns: Sequence[CodedColumn], *, min_rows: int, most: int) -> list[Cohort]:
    """Return the cohorts whose loss is furthest above that of the other rows, the clearest first.

    Parameters
    ----------
    residuals : array of shape (n,)
        Loss of each row minus the mean, times the weight.
    columns : sequence of CodedColumn
        Columns of the same rows.
    min_rows : int
        Smallest number of rows on either side of a split.
    most : int
        Number of cohorts at most.
    """
    scale = float(residuals.std())
    if not scale > 0:
        return []
    standardized = residuals / scale
    level = [_Branch(np.ones(len(residuals), dtype=bool), {}, {}, -math.inf)]
    pool: list[_Branch] = []
    for _ in range(_DEEPEST):
        children = [child for branch in level for child in _split(branch, standardized, columns, min_rows)]
        level = _distinct(children, _BRANCHES, _ALIKE)
        level = [_refine(branch, standardized, columns, min_rows) for branch in level]
        pool += level
    chosen = _distinct(pool, most, _MAX_OVERLAP)
    # What chance explains would only widen the intervals of the others; the best is always judged.
    chosen = [branch for index, branch in enumerate(chosen) if index == 0 or branch.score > 0]
    return [
        Cohort(tuple(columns[index].condition(allowed) for index, allowed in branch.allowed.items()))
        for branch in chosen
    ]


def _distinct(branches: list[_Branch], most: int, max_overlap: float) -> list[_Branch]:
    """Return the branches of the highest score that share no more than this part of their rows with a better one."""
    chosen: list[_Branch] = []
    for branch in sorted(branches, key=lambda item: -item.score):
        if len(chosen) == most:
            break
        if all(_overlap(branch.rows, other.rows) <= max_overlap for other in chosen):
            chosen.append(branch)
    return chosen


def _overlap(first: Mask, other: Mask) -> float:
    return float((first & other).sum() / (first | other).sum())


def _split(branch: _Branch, residuals: Array, columns: Sequence[CodedColumn], min_rows: int) -> Iterator[_Branch]:
    """Yield the best part of a branch by each column, where it is better than the branch for all its choices."""
    for index, column in enumerate(columns):
        if index in branch.allowed and column.thresholds is None:
            continue
        part = _best_part(branch, index, residuals, columns, min_rows)
        if part is not None and part.score > branch.score:
            yield part


def _refine(branch: _Branch, residuals: Array, columns: Sequence[CodedColumn], min_rows: int) -> _Branch:
    """Return the branch with each condition chosen again, given the others: the first was chosen without them."""
    if len(branch.allowed) < 2:
        return branch
    for index in branch.allowed:
        allowed = {other: codes for other, codes in branch.allowed.items() if other != index}
        costs = {other: cost for other, cost in branch.costs.items() if other != index}
        rows = np.ones(len(residuals), dtype=bool)
        for other, codes in allowed.items():
            rows &= codes[columns[other].codes]
        part = _best_part(_Branch(rows, allowed, costs, -math.inf), index, residuals, columns, min_rows)
        if part is not None and part.score > branch.score:
            branch = part
    return branch


def _best_part(
    branch: _Branch, index: int, residuals: Array, columns: Sequence[CodedColumn], min_rows: int
) -> _Branch | None:
    """Return the part of a branch with the best score that a condition on one column makes."""
    column, before = columns[index], branch.allowed.get(index)
    codes = column.codes[branch.rows]
    counts = np.bincount(codes, minlength=column.size + 2)
    sums = np.bincount(codes, residuals[branch.rows], minlength=column.size + 2).astype(np.float64)
    options, costs = (_values if column.thresholds is None else _ranges)(column, counts, sums)
    if not len(options):
        return None
    n, rows = len(residuals), options @ counts
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (options @ sums) / np.sqrt(rows * (1 - rows / n))
    costs += math.log(len(columns)) + branch.costs.get(index, 0.0)
    rest = sum(cost for other, cost in branch.costs.items() if other != index)
    scores = np.full(len(options), -np.inf)
    possible = (rows >= min_rows) & (n - rows >= min_rows)
    possible[possible] = z[possible] >= _MIN_BRANCH_Z
    scores[possible] = z[possible] ** 2 / 2 - costs[possible] - rest
    best = int(np.argmax(scores))
    if not np.isfinite(scores[best]):
        return None
    allowed = options[best] if before is None else options[best] & before
    return _Branch(
        branch.rows & allowed[column.codes],
        {**branch.allowed, index: allowed},
        {**branch.costs, index: float(costs[best])},
        float(scores[best]),
    )


def _ranges(column: CodedColumn, counts: NDArray[np.intp], sums: Array) -> tuple[Mask, Array]:
    """Return the sets of codes that a threshold makes, each with and without missing cells, and their costs."""
    size = column.size
    below = np.tri(size - 1, size, dtype=bool)
    sides = np.vstack([below, ~below])
    none = np.zeros((len(sides), 1), dtype=bool)
    options = np.hstack([sides, none, none])
    cost = math.log(_THRESHOLDS)
    if not counts[column.missing]:
        return options, np.full(len(options), cost)
    known = np.arange(size + 2) < size
    missing = np.arange(size + 2) > size
    costs = np.array([cost + math.log(2)] * (2 * len(options)) + [math.log(2)] * 2)
    return np.vstack([options, np.hstack([sides, none, ~none]), known, missing]), costs


def _values(column: CodedColumn, counts: NDArray[np.intp], sums: Array) -> tuple[Mask, Array]:
    """Return the sets of a few values of the highest means, or all but those of the lowest, and their costs."""
    present = np.flatnonzero(counts)
    named = present[present != column.other]
    options: list[Mask] = []
    costs: list[float] = []
    order = named[np.argsort(-sums[named] / counts[named], kind="stable")]
    for many in range(1, min(_MAX_NAMED, len(named), len(present) - 1) + 1):
        highest = np.zeros(column.size + 2, dtype=bool)
        highest[order[:many]] = True
        lowest = np.ones(column.size + 2, dtype=bool)
        lowest[order[len(order) - many :]] = False
        options += [highest, lowest]
        costs += [math.log(2 * math.comb(len(named), many))] * 2
    return np.array(options, dtype=bool).reshape(-1, column.size + 2), np.array(costs)
