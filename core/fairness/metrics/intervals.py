"""How sure a figure is: an interval for every kind of it.

* A rate: Wilson's (1927). F1 is 2J / (1 + J) of J = TP / (TP + FP + FN), so its interval is Wilson's of J, mapped.
* A mean of two rates, and a gap between two groups: MOVER from the intervals of the parts (Zou, Donner 2008), which for
  rates is Newcombe's (1998). A bootstrap of a group of 30 with a rate of .97 covers 71 % where this covers 95 %.
* A ratio: the multinomial bootstrap of the counts: that of the rows, at a cost that does not grow with them.
* An area under the ROC curve: DeLong's (1988) on the logit scale. A mean: Student's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.fairness.metrics.counts import PROPORTIONS, RATES, Cells, rate

__all__ = [
    "benjamini_hochberg",
    "cell_intervals",
    "draw_cells",
    "effective_weights",
    "mean_interval",
    "mover",
    "percentiles",
    "wilson",
]

Array = NDArray[np.float64]
Pair = tuple[Array, Array]


def quantile(confidence: float) -> float:
    """Return the normal quantile of a two-sided interval."""
    from scipy.special import ndtri

    return float(ndtri((1 + confidence) / 2))


def wilson(share: Any, n: Any, confidence: float = 0.95) -> Pair:
    """Return Wilson's interval of a share of n rows; NaN where n is 0.

    Examples
    --------
    >>> [round(float(bound), 4) for bound in wilson(0.5, 10)]
    [0.2366, 0.7634]
    """
    z = quantile(confidence)
    share, n = np.asarray(share, dtype=float), np.asarray(n, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # At 0 and 1 the bound is exact; rounding must not put it beside the value.
    low, high = np.where(share <= 0, 0.0, centre - half), np.where(share >= 1, 1.0, centre + half)
    unknown = ~(n > 0)
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def mover(first: Array, first_interval: Pair, other: Array, other_interval: Pair, sign: int = -1) -> Pair:
    """Return the interval of ``first - other`` (or the sum, with sign 1) from the intervals of the parts.

    Zou, Donner (2008), "Construction of confidence limits about effect measures: a general approach".
    """
    (low, high), (other_low, other_high) = first_interval, other_interval
    value = first + sign * other
    down, up = (other_high - other, other - other_low) if sign < 0 else (other - other_low, other_high - other)
    return value - np.hypot(first - low, down), value + np.hypot(high - first, up)


def mean_interval(mean: Array, variance: Array, n: Array, confidence: float = 0.95) -> Pair:
    """Return Student's interval of a mean from the rows' variance (ddof 0); NaN below two rows."""
    from scipy.special import stdtrit

    with np.errstate(invalid="ignore", divide="ignore"):
        half = stdtrit(n - 1, (1 + confidence) / 2) * np.sqrt(np.maximum(variance, 0) / (n - 1))
    half = np.where(n > 1, half, np.nan)
    return mean - half, mean + half


def cell_intervals(cells: Cells, confidence: float) -> Pair:
    """Return intervals of all `RATES` of each group from its counts, each (groups, rates)."""
    found: dict[str, Pair] = {}
    for name, (_, of) in PROPORTIONS.items():
        found[name] = wilson(rate(name, cells), cells @ np.array(of, dtype=float), confidence)
    # Half the sum of two independent rates.
    true, false = rate("true_positive_rate", cells), rate("true_negative_rate", cells)
    low, high = mover(true, found["true_positive_rate"], false, found["true_negative_rate"], sign=1)
    found["balanced_accuracy"] = low / 2, high / 2
    union = cells[..., 1] + cells[..., 2] + cells[..., 3]
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = wilson(cells[..., 3] / union, union, confidence)
    found["f1"] = 2 * low / (1 + low), 2 * high / (1 + high)
    return np.stack([found[name][0] for name in RATES], -1), np.stack([found[name][1] for name in RATES], -1)


def draw_cells(cells: Cells, draws: int, random: np.random.Generator) -> Cells:
    """Draw bootstrap resamples of each group's rows, (draws, groups, 4): exactly a multinomial of its counts."""
    totals = np.rint(cells.sum(axis=-1)).astype(np.int64)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(totals[:, None] > 0, cells / cells.sum(axis=-1, keepdims=True), 0.25)
    return random.multinomial(totals, shares, size=(draws, len(cells))).astype(np.float64)


def effective_weights(weights: Array, codes: NDArray[np.intp], groups: int) -> Array:
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


def percentiles(draws: Array, confidence: float) -> tuple[Array, Array, NDArray[np.intp]]:
    """Return low, high, and how many draws are undefined, over the first axis."""
    unknown = np.count_nonzero(~np.isfinite(draws), axis=0)
    tail = (1 - confidence) / 2
    flat = draws.reshape(len(draws), -1)
    low, high = np.full(flat.shape[1], np.nan), np.full(flat.shape[1], np.nan)
    for place, column in enumerate(flat.T):
        known = column[np.isfinite(column)]
        if len(known):
            low[place], high[place] = np.quantile(known, [tail, 1 - tail])
    return low.reshape(draws.shape[1:]), high.reshape(draws.shape[1:]), unknown


def benjamini_hochberg(p: Array) -> Array:
    """Return p-values adjusted so that the false discovery rate is held (Benjamini, Hochberg 1995); NaN stays NaN.

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
