"""Intervals and adjusted p-values of metrics by group.

* A rate: Wilson (1927). F1 is 2J / (1 + J) of J = TP / (TP + FP + FN), so its interval is Wilson's of J, mapped.
* A mean of two rates, and a gap between two groups: MOVER from the intervals of the parts (Zou, Donner 2008), which for
  rates is Newcombe's (1998). A bootstrap of a group of 30 with a rate of .97 covers 71% where this covers 95%.
* A ratio: the multinomial bootstrap of the counts, which is that of the rows, at a cost that does not grow with them.
* An area under the ROC curve: DeLong (1988) on the logit scale. A mean: Student.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.evaluation import mover, wilson
from core.fairness.metrics.arrays import FloatArray, IndexArray, Interval
from core.fairness.metrics.counts import rate, sum_cells
from core.fairness.metrics.registry import RATES, Rate

__all__ = [
    "benjamini_hochberg",
    "draw_cells",
    "effective_weights",
    "mean_interval",
    "percentiles",
    "rate_interval",
    "rate_intervals",
]


def mean_interval(mean: FloatArray, variance: FloatArray, n: FloatArray, confidence: float = 0.95) -> Interval:
    """Return Student's interval of a mean from the variance of the rows (ddof 0); NaN below two rows."""
    from scipy.special import stdtrit

    with np.errstate(invalid="ignore", divide="ignore"):
        half = stdtrit(n - 1, (1 + confidence) / 2) * np.sqrt(np.maximum(variance, 0) / (n - 1))
    half = np.where(n > 1, half, np.nan)
    return mean - half, mean + half


def rate_interval(record: Rate, cells: FloatArray, confidence: float) -> Interval:
    """Return the interval of a rate of each group from its counts, each bound of shape (groups,)."""
    if record.mean_of is not None:
        first, second = (RATES[name] for name in record.mean_of)
        low, high = mover(
            rate(first, cells),
            rate_interval(first, cells, confidence),
            rate(second, cells),
            rate_interval(second, cells, confidence),
            sign=1,
        )
        return low / 2, high / 2
    hits, rows = sum_cells(cells, record.ratio[0]), sum_cells(cells, record.rows_behind)
    if record.interval == "dice":
        low, high = wilson(hits / 2, rows, confidence)
        return 2 * low / (1 + low), 2 * high / (1 + high)
    return wilson(hits, rows, confidence)


def rate_intervals(rates: Sequence[Rate], cells: FloatArray, confidence: float) -> Interval:
    """Return the intervals of several rates of each group, each bound of shape (groups, rates)."""
    bounds = [rate_interval(record, cells, confidence) for record in rates]
    return np.stack([low for low, _ in bounds], axis=-1), np.stack([high for _, high in bounds], axis=-1)


def draw_cells(cells: FloatArray, draws: int, random: np.random.Generator) -> FloatArray:
    """Draw bootstrap resamples of each group's rows, (draws, groups, 4): exactly a multinomial of its counts."""
    totals = np.rint(cells.sum(axis=-1)).astype(np.int64)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(totals[:, None] > 0, cells / cells.sum(axis=-1, keepdims=True), 0.25)
    return random.multinomial(totals, shares, size=(draws, len(cells))).astype(np.float64)


def effective_weights(weights: FloatArray, codes: IndexArray, groups: int) -> FloatArray:
    """Return weights that add up to each group's effective number of rows (Kish 1965), whatever their unit.

    Examples
    --------
    >>> effective_weights(np.array([7.0, 7.0, 2.0, 2.0]), np.array([0, 0, 1, 1]), 2).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    sums = np.bincount(codes, weights=weights, minlength=groups)
    squares = np.bincount(codes, weights=weights**2, minlength=groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        return weights * np.where(squares > 0, sums / squares, 0.0)[codes]


def percentiles(draws: FloatArray, confidence: float) -> tuple[FloatArray, FloatArray, IndexArray]:
    """Return lower bounds, upper bounds, and how many draws are undefined, over the first axis."""
    undefined = np.count_nonzero(~np.isfinite(draws), axis=0)
    tail = (1 - confidence) / 2
    flat = draws.reshape(len(draws), -1)
    low, high = np.full(flat.shape[1], np.nan), np.full(flat.shape[1], np.nan)
    for index, column in enumerate(flat.T):
        finite = column[np.isfinite(column)]
        if len(finite):
            low[index], high[index] = np.quantile(finite, [tail, 1 - tail])
    return low.reshape(draws.shape[1:]), high.reshape(draws.shape[1:]), np.asarray(undefined, dtype=np.intp)


def benjamini_hochberg(p: FloatArray) -> FloatArray:
    """Return p-values adjusted to control the false discovery rate (Benjamini, Hochberg 1995); NaN stays NaN.

    Examples
    --------
    >>> benjamini_hochberg(np.array([0.01, 0.04, np.nan, 0.03])).round(3).tolist()
    [0.03, 0.04, nan, 0.04]
    """
    adjusted = np.full(p.shape, np.nan)
    known = np.flatnonzero(np.isfinite(p))
    if len(known):
        order = known[np.argsort(p[known])]
        scaled = p[order] * len(known) / np.arange(1, len(known) + 1)
        adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted
