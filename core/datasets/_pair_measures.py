"""How strongly two columns are related: one measure for each pair of types, all from 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.datasets._column_codes import MIN_ROWS, ColumnCodes, inner
from core.datasets._strength_interval import interval_of_rank_correlation, interval_of_root

__all__ = ["MEASURES", "ColumnRelation", "Measure", "relate"]

Measure = Literal["spearman", "correlation_ratio", "cramers_v"]

MEASURES: dict[Measure, str] = {
    "spearman": "Spearman rank correlation",
    "correlation_ratio": "Correlation ratio of ranks",
    "cramers_v": "Cramér's V",
}
"""Titles of the measures by name."""


@dataclass(frozen=True)
class ColumnRelation:
    """How strongly two columns are related.

    Parameters
    ----------
    one, other : str
        Names of the columns.
    measure : {"spearman", "correlation_ratio", "cramers_v"}
        Name of the measure. Two columns of numbers or dates have the absolute rank correlation of Spearman; a number
        and a category the correlation ratio of the ranks, and two categories Cramér's V, both corrected for the bias
        that grows with the number of categories.
    strength : float
        Strength from 0, no relation of this form, to 1, where one column determines the other.
    rows : int
        Number of rows in which both columns have a value.
    direction : {-1, 0, 1}, default=0
        Whether one number falls or rises with the other; 0 with categories.
    low, high : float, optional
        95% interval of the strength; None in relations that earlier versions measured.
    """

    one: str
    other: str
    measure: Measure
    strength: float
    rows: int
    direction: int = 0
    low: float | None = None
    high: float | None = None

    def partner(self, name: str) -> str:
        """Return the other column of the pair."""
        return self.other if name == self.one else self.one


def relate(one: ColumnCodes, other: ColumnCodes) -> ColumnRelation | None:
    """Measure the relation of two columns in the rows in which both have a value.

    Returns
    -------
    ColumnRelation or None
        None with fewer than 10 such rows, or where a column has a single value in them, or a category in each.
    """
    if one.complete and other.complete:
        return _measure(one, other)
    both = one.known & other.known
    if int(both.sum()) < MIN_ROWS:
        return None
    return _measure(*(ColumnCodes(item.name, item.codes[both], item.values, item.ordered) for item in (one, other)))


def _measure(one: ColumnCodes, other: ColumnCodes) -> ColumnRelation | None:
    if one.ordered and other.ordered:
        return _spearman(one, other)
    if one.ordered:
        return _correlation_ratio(one, other, other)
    if other.ordered:
        return _correlation_ratio(one, other, one)
    return _cramers_v(one, other)


def _telling_rows(one: ColumnCodes, other: ColumnCodes) -> int:
    """Return how many rows are outside of the most frequent value of a column, of that with fewer of them."""
    return min(len(column.codes) - int(column.counts.max()) for column in (one, other))


def _spearman(one: ColumnCodes, other: ColumnCodes) -> ColumnRelation | None:
    ranks, others = one.ranks, other.ranks
    if not ranks.any() or not others.any():
        return None
    value = inner(ranks, others)
    strength, rows = min(abs(value), 1.0), len(ranks)
    low, high = interval_of_rank_correlation(strength, rows, _telling_rows(one, other))
    return ColumnRelation(one.name, other.name, "spearman", strength, rows, int(np.sign(value)), low, high)


def _correlation_ratio(one: ColumnCodes, other: ColumnCodes, category: ColumnCodes) -> ColumnRelation | None:
    """Return the root of epsilon squared (Kelley) of the ranks, the effect size of the test of Kruskal and Wallis."""
    number = other if category is one else one
    ranks = number.ranks
    counts = np.bincount(category.codes, minlength=len(category.values))
    counts, present = counts[counts > 0], counts > 0
    rows, levels = len(ranks), len(counts)
    if not ranks.any() or levels < 2 or levels >= rows:
        return None
    sums = np.bincount(category.codes, weights=ranks, minlength=len(category.values))[present]
    explained = float((sums**2 / counts).sum())  # of a total of 1
    squared = 1 - (1 - explained) * (rows - 1) / (rows - levels)
    strength = float(np.sqrt(min(max(squared, 0.0), 1.0)))
    low, high = interval_of_root(
        strength,
        squared=explained * (1 - 1 / rows),  # so that the statistic is that of Kruskal and Wallis
        freedom=levels - 1,
        variance=_variance_of_ratio(number, category, explained),
        scale=1.0,
        rows=rows,
        telling_rows=_telling_rows(one, other),
    )
    return ColumnRelation(one.name, other.name, "correlation_ratio", strength, rows, low=low, high=high)


def _variance_of_ratio(number: ColumnCodes, category: ColumnCodes, explained: float) -> float:
    """Return the variance of the share of the variance of the ranks that lies between the categories (delta method).

    A row counts in its category, in the distribution that gives all rows their ranks, and in the ties.
    """
    rows, ties = len(number.codes), number.counts / len(number.codes)
    spread = (1 - float((ties**3).sum())) / 12  # of the ranks as shares
    ranks = number.ranks * np.sqrt(rows)
    sizes = np.maximum(np.bincount(category.codes, minlength=len(category.values)), 1)
    means = (np.bincount(category.codes, weights=ranks, minlength=len(category.values)) / sizes)[category.codes]
    at_value = np.bincount(number.codes, weights=means, minlength=len(ties)) / rows
    below = (np.cumsum(at_value) - at_value / 2)[number.codes]
    influence = 2 * means * ranks - means**2 - 2 * below / np.sqrt(spread)
    influence += explained * ties[number.codes] ** 2 / (4 * spread)
    return float(influence.var()) / rows


def _cramers_v(one: ColumnCodes, other: ColumnCodes) -> ColumnRelation | None:
    """Return Cramér's V with the bias correction of Bergsma (2013)."""
    rows = len(one.codes)
    width = len(other.values)
    joint = one.codes * width + other.codes
    if len(one.values) * width <= 4 * rows:
        table = np.bincount(joint, minlength=len(one.values) * width)
        cells = np.flatnonzero(table)
        sizes = table[cells]
    else:
        cells, sizes = np.unique(joint, return_counts=True)
    row_sizes, column_sizes = (np.bincount(item.codes, minlength=len(item.values)) for item in (one, other))
    shares = sizes / (row_sizes[cells // width] * column_sizes[cells % width])
    phi = float((sizes * shares).sum()) - 1
    levels = np.array([np.count_nonzero(row_sizes), np.count_nonzero(column_sizes)])
    corrected = levels - (levels - 1) ** 2 / (rows - 1)
    if levels.min() < 2 or corrected.min() - 1 < 1e-9:
        return None
    scale, freedom = float(corrected.min() - 1), int(np.prod(levels - 1))
    strength = float(np.sqrt(min(max(0.0, phi - freedom / (rows - 1)) / scale, 1.0)))
    influence = 2 * shares * rows
    for index, marginal in ((cells // width, row_sizes), (cells % width, column_sizes)):
        parts = np.bincount(index, weights=sizes * shares, minlength=len(marginal)) / np.maximum(marginal, 1)
        influence = influence - parts[index] * rows
    mean = float((sizes * influence).sum()) / rows
    variance = float((sizes * (influence - mean) ** 2).sum()) / rows**2  # Bishop, Fienberg and Holland (1975)
    low, high = interval_of_root(
        strength,
        squared=phi,
        freedom=freedom,
        variance=variance,
        scale=scale,
        rows=rows,
        telling_rows=_telling_rows(one, other),
    )
    return ColumnRelation(one.name, other.name, "cramers_v", strength, rows, low=low, high=high)
