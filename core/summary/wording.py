"""Numbers as sentences: estimates with their intervals."""

from __future__ import annotations

import math
import re

from core.evaluation import Estimate

__all__ = ["format_estimate", "format_interval", "isolated", "share_detail"]

_MAX_DECIMALS = 4
_RIGHT_TO_LEFT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
_NAME = re.compile(f"[{_RIGHT_TO_LEFT}]+(?:[ _./-]+[{_RIGHT_TO_LEFT}]+)*")
_ISOLATE, _END = "\u2068", "\u2069"


def share_detail(share: Estimate, rows: str) -> str:
    """Return how sure a share is: the interval in hundredths and the rows behind it, or why there is no interval.

    Parameters
    ----------
    share : Estimate
        The share.
    rows : str
        Noun for the rows behind it.

    Examples
    --------
    >>> share_detail(Estimate(0.713, 0.6, 0.8, 80), "such rows")
    '95% interval 60 to 80; 80 such rows'
    """
    if share.low is None or share.high is None:
        return share.reason or f"no interval; {share.n:,} {rows}"
    return f"95% interval {_bound(share.low)} to {_bound(share.high)}; {share.n:,} {rows}"


def _bound(value: float) -> str:
    return f"{100 * value:.1f}" if 0 < value < 0.01 or 0.99 < value < 1 else f"{100 * value:.0f}"


def _decimals(low: float | None, high: float | None) -> int:
    """Return how many decimals are meaningful where an interval is this wide."""
    width = math.nan if low is None or high is None else high - low
    return min(_MAX_DECIMALS, max(0, 1 - math.floor(math.log10(width)))) if width > 0 else 3


def format_estimate(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Return an estimate with as many decimals as its interval allows.

    Examples
    --------
    >>> format_estimate(0.92713, 0.9213, 0.9330), format_estimate(-53.21, -57.6, -48.9), format_estimate(None)
    ('0.927', '−53.2', 'n/a')
    """
    if value is None or not math.isfinite(value):
        return "n/a"
    return f"{value:,.{_decimals(low, high)}f}".replace("-", "−")


def format_interval(low: float | None, high: float | None) -> str:
    """Return an interval.

    Examples
    --------
    >>> format_interval(0.9213, 0.9330), format_interval(None, None)
    ('0.921 to 0.933', 'no interval')
    """
    if low is None or high is None or math.isnan(low):
        return "no interval"
    decimals = _decimals(low, high)
    return f"{low:,.{decimals}f} to {high:,.{decimals}f}".replace("-", "−")


def isolated(text: str) -> str:
    """Return a text whose parts in right-to-left scripts do not move the numbers and quotes around them.

    Examples
    --------
    >>> isolated("'age': 5 of 100") == "'age': 5 of 100"
    True
    >>> isolated("'\u05e2\u05d9\u05e8': 5") == "'\u2068\u05e2\u05d9\u05e8\u2069': 5"
    True
    """
    return _NAME.sub(lambda match: f"{_ISOLATE}{match[0]}{_END}", text)
