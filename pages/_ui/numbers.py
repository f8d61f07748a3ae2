"""Numbers as people read them: the one place where pages write durations, sizes, estimates and intervals."""

from __future__ import annotations

import math
import time
from datetime import datetime

from core.units import size_text

__all__ = [
    "ago",
    "duration",
    "estimate",
    "interval",
    "minus",
    "percent",
    "rarest",
    "rounded",
    "score",
    "signed",
    "size",
    "when",
]


def minus(text: str) -> str:
    """Return a number with the true minus sign, which is as wide as the plus.

    Examples
    --------
    >>> minus("-0.5")
    '−0.5'
    """
    return text.replace("-", "−")


def score(value: float) -> str:
    """Write a metric in short: four decimals below 1, four digits above, and of very small ones as well.

    Examples
    --------
    >>> score(0.75751), score(0.5), score(-0.0008228), score(1234.56), score(0.00001234)
    ('0.7575', '0.5', '−0.0008', '1,235', '1.234e−05')
    """
    text = f"{value:.4f}".rstrip("0").rstrip(".") if 5e-5 <= abs(value) < 1 else f"{value:,.0f}"
    if 1 <= abs(value) < 1_000 or 0 < abs(value) < 5e-5:
        text = f"{value:.4g}"
    return minus(text)


def signed(value: float, digits: str = ".3f") -> str:
    """Write a change, with its sign.

    Parameters
    ----------
    value : float
        Change, such as the gain of a model over another.
    digits : str, default=".3f"
        Format of the number without its sign.

    Examples
    --------
    >>> signed(0.0314), signed(-0.5, ".1f"), signed(-0.0)
    ('+0.031', '−0.5', '+0.000')
    """
    return minus(f"{value + 0.0:+{digits}}")


def percent(share: float, decimals: int = 1) -> str:
    """Write a share in percent.

    Examples
    --------
    >>> percent(0.4567), percent(0.95, 0)
    ('45.7%', '95%')
    """
    return minus(f"{share:.{decimals}%}")


def duration(seconds: float | None) -> str:
    """Write a duration.

    Examples
    --------
    >>> duration(7.44), duration(60), duration(83), duration(3700)
    ('7.4 s', '1 min', '1 min 23 s', '1 h 1 min')
    """
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def size(count: int) -> str:
    """Write a number of bytes.

    Examples
    --------
    >>> size(900), size(2_400_000)
    ('900 B', '2.4 MB')
    """
    return size_text(count)


def ago(epoch: float) -> str:
    """Write how long ago a moment was.

    Examples
    --------
    >>> ago(time.time() - 7200)
    '2 h ago'
    """
    seconds = max(0.0, time.time() - epoch)
    if seconds < 1:
        return "just now"
    for limit, unit, name in ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h"), (math.inf, 86400, "d")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name} ago"
    raise AssertionError("unreachable")


def when(epoch: float) -> datetime:
    """Return a moment in the time zone of the server, for tables."""
    return datetime.fromtimestamp(epoch).astimezone()


def rounded(value: float) -> str:
    """Write a number with four significant digits and no exponent, a whole number in full.

    Examples
    --------
    >>> rounded(1234567), rounded(12285.4), rounded(0.012345), rounded(2.5), rounded(1.5e-9)
    ('1,234,567', '12,285', '0.01235', '2.5', '1.5e−09')
    """
    if float(value).is_integer() and abs(value) < 1e15:
        return minus(f"{value:,.0f}")
    if 1e4 <= abs(value) < 1e15:
        return minus(f"{value:,.0f}")
    return minus(f"{value:,.4g}")


def _decimals(low: float, high: float) -> int:
    """Return how many decimals are meaningful, given the width of the interval."""
    width = high - low
    if not math.isfinite(width) or width <= 0:
        return 3
    return min(6, max(0, 1 - math.floor(math.log10(width))))


def estimate(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Write an estimate with as many decimals as its interval allows.

    Examples
    --------
    >>> estimate(0.92713, 0.9213, 0.9330), estimate(53.21, 48.9, 57.6)
    ('0.927', '53.2')
    """
    if value is None or not math.isfinite(value):
        return "–"
    decimals = _decimals(low, high) if low is not None and high is not None else 3
    return minus(f"{value:,.{decimals}f}")


def interval(low: float | None, high: float | None) -> str:
    """Write a 95% interval.

    Examples
    --------
    >>> interval(0.9213, 0.9330)
    '[0.921, 0.933]'
    """
    if low is None or high is None:
        return "no interval"
    decimals = _decimals(low, high)
    return minus(f"[{low:,.{decimals}f}, {high:,.{decimals}f}]")


def rarest(count: int | None, *, groups: bool = False) -> str:
    """Write how many test rows are of the rarest class, to follow the number of rows; empty where it is not known.

    Parameters
    ----------
    count : int or None
        Number of rows, or of groups.
    groups : bool, default=False
        Whether groups are counted.

    Examples
    --------
    >>> rarest(12), rarest(3, groups=True), rarest(None)
    (' (12 of the rarest class)', ' (3 groups have the rarest class)', '')
    """
    if count is None:
        return ""
    return f" ({count:,} groups have the rarest class)" if groups else f" ({count:,} of the rarest class)"
