"""Values of a card as text, the same in every format."""

from __future__ import annotations

import math
from typing import TypeAlias

__all__ = ["Cell", "format_interval", "format_value"]

Cell: TypeAlias = str | bool | int | float | None


def format_value(value: object) -> str:
    """Return the text of a table cell.

    Parameters
    ----------
    value : object
        Numbers get at most four significant digits; None and NaN read "n/a".

    Examples
    --------
    >>> [format_value(value) for value in (0.123456, 48842, None, True, "a", 1234567.8, 0.0, -2)]
    ['0.1235', '48,842', 'n/a', 'yes', 'a', '1,234,568', '0', '−2']
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "n/a"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return str(value)
    sign, size = ("−", -value) if value < 0 else ("", value)
    if isinstance(size, int):
        return f"{sign}{size:,}"
    return f"{sign}{size:,.0f}" if size >= 10_000 else f"{sign}{size:.4g}"


def format_interval(value: float | None, low: float | None, high: float | None) -> str:
    """Return a value with its interval.

    Examples
    --------
    >>> format_interval(0.5, 0.4, 0.6), format_interval(None, None, None), format_interval(1.0, None, None)
    ('0.5 [0.4, 0.6]', 'n/a', '1')
    """
    if format_value(low) == "n/a":
        return format_value(value)
    return f"{format_value(value)} [{format_value(low)}, {format_value(high)}]"
