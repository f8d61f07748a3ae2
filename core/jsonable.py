"""Conversion of results of libraries to values that JSON can store."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

__all__ = ["JsonObject", "jsonable"]

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object whose keys depend on what it is about, such as the settings or the result of a run."""


def jsonable(value: Any) -> Any:
    """Return JSON-serializable values: NumPy's as plain ones, NaN and infinities as None, other objects as text.

    Examples
    --------
    >>> jsonable({"n": (1, float("nan")), 2: True})
    {'n': [1, None], '2': True}
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)
