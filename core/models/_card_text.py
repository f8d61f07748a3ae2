"""Values of a card as text, the same in Markdown and HTML."""

from __future__ import annotations

from typing import Any

__all__ = ["interval", "told"]


def told(value: Any) -> str:
    """Return a cell's text.

    Examples
    --------
    >>> told(0.123456), told(48842), told(None), told(True), told("a"), told(1234567.8), told(0.0)
    ('0.1235', '48,842', 'n/a', 'yes', 'a', '1,234,568', '0')
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
    if told(low) == "n/a":
        return told(value)
    return f"{told(value)} [{told(low)}, {told(high)}]"
