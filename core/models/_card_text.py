"""Values of a card as text, the same in Markdown and HTML."""

from __future__ import annotations

from typing import Any

__all__ = ["format_value", "interval"]


def format_value(value: Any) -> str:
    """Return a cell's text.

    Examples
    --------
    >>> [format_value(value) for value in (0.123456, 48842, None, True, "a", 1234567.8, 0.0)]
    ['0.1235', '48,842', 'n/a', 'yes', 'a', '1,234,568', '0']
    """
    if value is None or (isinstance(value, float) and value != value):
        return "n/a"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
    return str(value)


def interval(value: Any, low: Any, high: Any) -> str:
    """Return a figure with its interval.

    Examples
    --------
    >>> interval(0.5, 0.4, 0.6), interval(None, None, None), interval(1.0, None, None)
    ('0.5 [0.4, 0.6]', 'n/a', '1')
    """
    if format_value(low) == "n/a":
        return format_value(value)
    return f"{format_value(value)} [{format_value(low)}, {format_value(high)}]"
