"""95% intervals of the strength of the relation between two columns."""

from __future__ import annotations

import math

__all__ = ["interval_of_rank_correlation", "interval_of_root"]

_Z = 1.959963984540054
_TAIL = 0.025
_HIDDEN_ROWS = -math.log(_TAIL)  # of a kind that no row in the sample is of: the rule of three, with 2.5% in one tail


def interval_of_rank_correlation(strength: float, rows: int, telling_rows: int) -> tuple[float, float]:
    """Return the interval of an absolute rank correlation of Spearman.

    Fisher's transformation with the variance of Bonett and Wright (2000), ``(1 + r**2 / 2) / (n - 3)``.

    Parameters
    ----------
    strength : float
        Absolute correlation.
    rows : int
        Number of rows, at least 4.
    telling_rows : int
        Number of rows outside of the most frequent value of a column, of that with fewer of them.

    Examples
    --------
    >>> low, high = interval_of_rank_correlation(0.5, 100, 99)
    >>> round(low, 3), round(high, 3)
    (0.326, 0.641)
    """
    if strength >= 1.0:
        return _widened(strength, 1.0, 1.0, telling_rows)
    center, margin = math.atanh(strength), _Z * math.sqrt((1 + strength**2 / 2) / (rows - 3))
    low, high = math.tanh(center - margin), math.tanh(center + margin)
    return _widened(strength, max(low, 0.0), max(high, -low), telling_rows)


def interval_of_root(
    strength: float, *, squared: float, freedom: int, variance: float, scale: float, rows: int, telling_rows: int
) -> tuple[float, float]:
    """Return the interval of a strength whose square is estimated by a statistic of the chi-square kind.

    Parameters
    ----------
    strength : float
        Strength, corrected for its bias.
    squared : float
        Square as it is in the rows, uncorrected and before `scale`: chi-square by rows, or the share of the variance.
    freedom : int
        Degrees of freedom of the statistic without a relation.
    variance : float
        Variance of `squared` where there is a relation, by the delta method.
    scale : float
        Square that stands for a strength of 1.
    rows : int
        Number of rows.
    telling_rows : int
        Number of rows outside of the most frequent value of a column, of that with fewer of them.

    Notes
    -----
    The noncentralities at which the statistic is the lower or upper 2.5% of a noncentral chi-square distribution
    (Steiger, 2004). That distribution is the right one for weak relations; for others the distance from the estimate is
    stretched by the ratio of the variance to that of the distribution. For strong ones, which are near the end of the
    scale, the interval is widened to that of Fisher's transformation.
    """
    from scipy.special import chdtr, chndtrinc

    statistic = rows * squared
    noncentrality = max(statistic - freedom, 0.0)
    stretch = (rows**2 * variance + 2 * freedom) / (4 * noncentrality + 2 * freedom) if noncentrality else 1.0
    at = (statistic - freedom) / stretch + freedom
    low = float(chndtrinc(at, freedom, 1 - _TAIL)) if chdtr(freedom, at) > 1 - _TAIL else 0.0
    high = float(chndtrinc(max(at, freedom), freedom, _TAIL))
    low, high = (math.sqrt(min(stretch * end / rows / scale, 1.0)) for end in (low, high))
    if noncentrality:
        low = min(low, _by_transformation(noncentrality / rows / scale, variance / scale**2, -_Z))
        high = max(high, _by_transformation(squared / scale, variance / scale**2, _Z))
    return _widened(strength, low, high, telling_rows)


def _by_transformation(square: float, variance: float, margin: float) -> float:
    """Return the end of the interval of a root by Fisher's transformation."""
    if square >= 1.0:
        return 1.0
    deviation = math.sqrt(variance / square) / 2 / (1 - square)
    return math.tanh(max(math.atanh(math.sqrt(square)) + margin * deviation, 0.0))


def _widened(strength: float, low: float, high: float, telling_rows: int) -> tuple[float, float]:
    """Return an interval that holds the strength and is at least as wide as what rows of an unseen kind could change.

    Rows with the most frequent value of a column say little: where all but one have it, that one makes the strength.
    """
    hidden = strength * min(_HIDDEN_ROWS / telling_rows, 1.0)
    return min(low, strength - hidden), min(max(high, strength + hidden), 1.0)
