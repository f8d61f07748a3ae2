"""Conversion of results of libraries to values that JSON can store."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["jsonable"]


def jsonable(value: Any) -> Any:
    """Return JSON-serializable values: NaN and infinities as None, NumPy scalars as numbers, other objects as text.

    Examples
    --------
    >>> jsonable({"n": (1, float("nan")), 2: True})
    {'n': [1, None], '2': True}
    """
    if isinstance(value, dict):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)
