"""Sizes and latencies in the unit that fits, for sentences of core and for pages."""

from __future__ import annotations

import math

__all__ = ["latency_text", "latency_with_interval", "size_text"]


def latency_text(milliseconds: float | None) -> str:
    """Write a latency with three significant digits.

    Parameters
    ----------
    milliseconds : float or None
        Latency; None where it is not known.

    Examples
    --------
    >>> latency_text(0.0509), latency_text(17.569), latency_text(1234.5), latency_text(None)
    ('50.9 µs', '17.6 ms', '1,234 ms', '–')
    """
    if milliseconds is None or not math.isfinite(milliseconds):
        return "–"
    if milliseconds >= 999.5:
        return f"{milliseconds:,.0f} ms"
    if 0 < milliseconds < 0.9995:
        microseconds = 1_000 * milliseconds
        return f"{microseconds:.0f} µs" if microseconds >= 100 else f"{microseconds:.3g} µs"
    return f"{milliseconds:.3g} ms"


def latency_with_interval(value: float, low: float | None, high: float | None) -> str:
    """Write a latency with its interval in the same unit, and as many decimals.

    Parameters
    ----------
    value : float
        Latency, milliseconds.
    low, high : float or None
        Bounds of the interval; None where there is none.

    Examples
    --------
    >>> latency_with_interval(8.67, 8.3, 9.334), latency_with_interval(12.0, 10.41, 14.9)
    ('8.67 ms [8.30, 9.33]', '12.0 ms [10.4, 14.9]')
    >>> latency_with_interval(0.998, 0.97, 1.01)
    '998 µs [970, 1,010]'
    """
    text = latency_text(value)
    if low is None or high is None or not math.isfinite(value) or value <= 0:
        return text
    unit = text.split(" ")[1]
    shown = [(1_000 if unit == "µs" else 1) * number for number in (value, low, high)]
    decimals = max(0, 2 - math.floor(math.log10(float(f"{shown[0]:.3g}"))))
    number, *bounds = (f"{number:,.{decimals}f}" for number in shown)
    return f"{number} {unit} [{', '.join(bounds)}]"


def size_text(count: int) -> str:
    """Write a number of bytes.

    Examples
    --------
    >>> size_text(900), size_text(2_400_000)
    ('900 B', '2.4 MB')
    """
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("unreachable")
