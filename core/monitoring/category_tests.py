"""Tests of categories: chi-square of two samples, its permutations, and total variation less what chance gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation import mover, wilson
from core.monitoring.column_sketches import CategorySketch, ColumnSketch
from core.monitoring.outcomes import DriftOutcome, TestContext, both_as, too_few

__all__ = ["MANY_LEVELS", "LevelTable", "chance_variation", "compare_levels", "level_table", "permute_levels"]

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]

MANY_LEVELS = 50
"""Levels, after rare ones are pooled, above which permutations give the p-value."""

_MIN_EXPECTED = 5.0
_PERMUTATIONS = 999
_DRAWS = 300_000
_ENOUGH_EXCEEDING = 10


@dataclass(frozen=True, eq=False)
class LevelTable:
    """Counts of two columns by level.

    Parameters
    ----------
    levels : tuple of str
        Levels of either side that are known on both.
    reference, current : array of int of shape (k,)
        Rows of each level.
    new : tuple of (str, int)
        Levels of the batch that the reference lacks, with their rows; empty where the reference does not keep all.
    gone : tuple of str
        Levels of the reference that the batch lacks; empty where the batch does not keep all.
    """

    levels: tuple[str, ...]
    reference: IntArray
    current: IntArray
    new: tuple[tuple[str, int], ...]
    gone: tuple[str, ...]

    @property
    def pooled(self) -> tuple[IntArray, IntArray]:
        """Counts after levels with fewer than 5 expected rows on a side are pooled."""
        a, b = self.reference, self.current
        total = a + b
        smaller = min(int(a.sum()), int(b.sum()))
        expected = total * smaller / max(int(total.sum()), 1)
        rare = expected < _MIN_EXPECTED
        if not rare.any():
            return a, b
        kept_a, kept_b = a[~rare], b[~rare]
        rest_a, rest_b = int(a[rare].sum()), int(b[rare].sum())
        if expected[rare].sum() >= _MIN_EXPECTED or not len(kept_a):
            return np.append(kept_a, rest_a), np.append(kept_b, rest_b)
        smallest = int(np.argmin(kept_a + kept_b))
        kept_a[smallest] += rest_a
        kept_b[smallest] += rest_b
        return kept_a, kept_b


def level_table(reference: CategorySketch, current: CategorySketch) -> LevelTable:
    """Return the counts of two columns by level.

    A level that only one side names, while the other does not keep all of its levels, counts among the rest.
    """
    first = dict(zip(reference.levels, reference.counts.tolist(), strict=True))
    other = dict(zip(current.levels, current.counts.tolist(), strict=True))
    names = [
        name
        for name in dict.fromkeys([*first, *other])
        if (name in first or reference.is_exact) and (name in other or current.is_exact)
    ]
    a = [first.get(name, 0) for name in names]
    b = [other.get(name, 0) for name in names]
    rest = reference.present - sum(a), current.present - sum(b)
    if any(rest):
        a.append(rest[0])
        b.append(rest[1])
    new = tuple((name, count) for name, count in other.items() if name not in first) if reference.is_exact else ()
    gone = tuple(name for name in first if name not in other) if current.is_exact else ()
    return LevelTable(tuple(names), np.array(a, dtype=np.int64), np.array(b, dtype=np.int64), new, gone)


def chance_variation(reference: IntArray, current: IntArray) -> float:
    """Return the total variation that two samples of one distribution have on average, by normal approximation.

    The mean of the absolute difference of a level's two shares is sqrt(2 / pi) times its standard deviation.

    Examples
    --------
    >>> round(chance_variation(np.full(60, 13), np.full(60, 13)), 3)
    0.155
    """
    n, m = int(reference.sum()), int(current.sum())
    share = (reference + current) / (n + m)
    return float(np.sqrt(2 / np.pi * share * (1 - share) * (1 / n + 1 / m)).sum() / 2)


def _chi_square(pooled: IntArray, current: Array, m: int) -> Array:
    """Return the statistic of tables of two rows, with these totals of levels."""
    total = pooled.sum()
    share = m / total
    return np.asarray(((current - share * pooled) ** 2 / (pooled * share * (1 - share))).sum(axis=-1))


def compare_levels(reference: ColumnSketch, current: ColumnSketch, context: TestContext) -> DriftOutcome:
    """Return the chi-square test of the table of two columns (Pearson 1900), both of them samples.

    The effect is the total variation distance less what chance alone gives on average. Its interval is that of the
    levels that became more frequent taken together (Newcombe 1998), whose lower bound is corrected in the same way.
    """
    from scipy.special import chdtrc

    counts = _counts(reference, current, "chi2")
    if isinstance(counts, DriftOutcome):
        return counts
    a, b = counts
    statistic = float(_chi_square(a + b, b.astype(np.float64), int(b.sum()))) if len(a) > 1 else 0.0
    p = float(chdtrc(len(a) - 1, statistic)) if len(a) > 1 else 1.0
    return _outcome("chi2", a, b, statistic, p)


def permute_levels(reference: ColumnSketch, current: ColumnSketch, context: TestContext) -> DriftOutcome:
    """Return the chi-square test of many levels, by random permutations of the rows.

    Up to 999 permutations; where fewer than 10 of them reach the statistic, the p-value is the tail of the gamma
    distribution with their moments, which resolves small p-values.
    """
    from scipy.special import gammaincc

    counts = _counts(reference, current, "chi2_permutation")
    if isinstance(counts, DriftOutcome):
        return counts
    a, b = counts
    pooled, m = a + b, int(b.sum())
    total = int(pooled.sum())
    draws = int(np.clip(_DRAWS // len(pooled), 199, _PERMUTATIONS))
    random = np.random.default_rng(context.seed)
    permuted = random.multivariate_hypergeometric(pooled, m, draws, method="marginals")
    statistic = float(_chi_square(pooled, b.astype(np.float64), m))
    statistics = _chi_square(pooled, permuted.astype(np.float64), m)
    exceeding = int((statistics >= statistic - 1e-9).sum())
    p = (1 + exceeding) / (draws + 1)
    if exceeding < _ENOUGH_EXCEEDING:
        mean, variance = total * (len(pooled) - 1) / (total - 1), float(statistics.var())
        p = min(p, float(gammaincc(mean**2 / variance, statistic * mean / variance)))
    return _outcome("chi2_permutation", a, b, statistic, p)


def _counts(reference: ColumnSketch, current: ColumnSketch, test: str) -> tuple[IntArray, IntArray] | DriftOutcome:
    before, now = both_as(CategorySketch, reference, current)
    return too_few(test, before.present, now.present) or level_table(before, now).pooled


def _outcome(test: str, a: IntArray, b: IntArray, statistic: float, p: float) -> DriftOutcome:
    n, m = int(a.sum()), int(b.sum())
    up = b / m > a / n
    variation = float((b / m - a / n)[up].sum())
    chance = chance_variation(a, b)
    hits, before = int(b[up].sum()), int(a[up].sum())
    low, high = mover(hits / m, wilson(hits, m), before / n, wilson(before, n))
    return DriftOutcome(
        test,
        statistic,
        p,
        max(0.0, variation - chance),
        max(0.0, float(low) - chance),
        min(1.0, float(high)),
        values={"total_variation": variation, "total_variation_by_chance": chance, "levels": len(a)},
    )
