"""Percentiles with distribution-free intervals; without enough samples there is no value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["PERCENTS", "Percentile", "Percentiles", "curve", "needed", "percentiles", "ranks", "window_medians"]

PERCENTS: tuple[int | float, ...] = (50, 90, 95, 99, 99.9)
_DETAIL = (*range(1, 100), *(99 + tenth / 10 for tenth in range(1, 10)), 99.95, 99.99, 99.999)
_WINDOWS = 3


@dataclass(frozen=True)
class Percentile:
    """One percentile of the samples.

    Parameters
    ----------
    value : float or None
        Milliseconds; None unless there are `enough` samples.
    low, high : float or None
        Limits of the 95% interval, milliseconds; None where no sample lies far enough out.
    n : int
        Number of samples.
    needed : int
        Number of samples that the percentile needs.
    enough : bool
        Whether ``n >= needed``.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    needed: int
    enough: bool

    def to_dict(self) -> dict[str, float | None]:
        """Return the percentile as JSON-serializable values."""
        return asdict(self)


Percentiles = dict[int | float, Percentile]
"""Percentiles by percent."""


@cache
def needed(percent: float, confidence: float = 0.99) -> int:
    """Return how many samples a percentile needs.

    The number is MLPerf's early-stopping criterion (MLPerf Inference Rules, appendix "Early Stopping Criterion", with
    tolerance d = 0): the smallest n for which a system whose true quantile is higher would show at most one sample
    above the bound with a probability of 1 - confidence or less,

        F(1; n, 1 - p) = p^n + n (1 - p) p^(n - 1) <= 1 - confidence.

    Examples
    --------
    >>> [needed(percent) for percent in (50, 90, 95, 99, 99.9)]
    [11, 64, 130, 662, 6636]
    """
    share = percent / 100

    def chance(n: int) -> float:
        return float(share**n + n * (1 - share) * share ** (n - 1))

    low, high = 1, 2
    while chance(high) > 1 - confidence:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if chance(middle) > 1 - confidence else (low, middle)
    return high


@cache
def ranks(n: int, percent: float, confidence: float = 0.95) -> tuple[int | None, int | None]:
    """Return which order statistics (1 is the smallest) bound a percentile, whatever the distribution.

    With B binomial(n, p), the interval from the l-th to the u-th smallest sample holds the p-quantile with
    probability P(l <= B < u) or more (David, Nagaraja: Order Statistics, 2003, 7.1). Each side errs with
    (1 - confidence) / 2 at most. Samples are assumed to be independent; in a queue neighbors are alike, and the
    interval is then somewhat too narrow.

    Examples
    --------
    >>> ranks(100, 50)
    (40, 61)
    >>> ranks(100, 99)  # no sample lies far enough out to bound it from above
    (97, None)
    """
    from scipy.special import bdtr

    share, tail = percent / 100, (1 - confidence) / 2
    reach = 8 * math.sqrt(n * share * (1 - share)) + 8
    first, last = max(0, math.floor(n * share - reach)), min(n - 1, math.ceil(n * share + reach))
    below = bdtr(np.arange(first, last + 1, dtype=float), n, share)  # P(B <= k), rising with k
    low = first + int(np.searchsorted(below, tail, side="right"))  # the largest l with P(B <= l - 1) <= tail
    upper = int(np.searchsorted(below, 1 - tail, side="left"))  # the smallest u - 1 with P(B <= u - 1) >= 1 - tail
    return low or None, first + upper + 1 if upper < len(below) else None


def percentiles(samples_ms: NDArray[np.float64]) -> Percentiles:
    """Return all of `PERCENTS`, each the smallest sample that this share of the samples does not exceed.

    Examples
    --------
    >>> result = percentiles(np.arange(1.0, 101.0))
    >>> result[90].value, result[99].value, result[99].needed
    (90.0, None, 662)
    """
    ordered, n = np.sort(samples_ms), len(samples_ms)

    def sample(rank: int | None) -> float | None:
        return None if rank is None else float(ordered[rank - 1])

    result = {}
    for percent in PERCENTS:
        enough = n >= needed(percent)
        low, high = ranks(n, percent) if n else (None, None)
        rank = _rank(n, percent) if enough else None
        result[percent] = Percentile(sample(rank), sample(low), sample(high), n, needed(percent), enough)
    return result


def _rank(n: int, percent: float) -> int:
    """Return ceil(n p) without the rounding of floats: 99.9% of 1,000 is the 999th, not the 1,000th."""
    return max(1, -(-n * round(percent * 1_000) // 100_000))


def curve(samples_ms: NDArray[np.float64]) -> tuple[tuple[int | float, float], ...]:
    """Return (percent, milliseconds) pairs to draw, up to the percent that ten samples exceed.

    Examples
    --------
    >>> curve(np.arange(1.0, 101.0))[-1]
    (90, 90.0)
    """
    ordered, n = np.sort(samples_ms), len(samples_ms)
    return tuple(
        (percent, float(ordered[_rank(n, percent) - 1])) for percent in _DETAIL if n * (100 - percent) / 100 >= 10
    )


def window_medians(service: NDArray[np.int64], started: NDArray[np.int64]) -> Sequence[float | None]:
    """Return the median of each third of the time; None for a third with too few samples for a median.

    Examples
    --------
    >>> window_medians(np.full(60, 7), np.arange(60))
    [7.0, 7.0, 7.0]
    """
    if not len(started):
        return [None] * _WINDOWS
    edges = np.linspace(0, int(started[-1]) + 1, _WINDOWS + 1)
    parts = [service[(started >= begin) & (started < end)] for begin, end in pairwise(edges)]
    return [float(np.median(part)) if len(part) >= needed(50) else None for part in parts]
