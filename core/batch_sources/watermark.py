"""The largest value of a column so far: between the checks it is text, and a parameter of the query in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

from core.errors import InputError, shortened

__all__ = ["Value", "restored", "stored", "typed"]

Value: TypeAlias = int | float | str | Decimal | datetime | date
_TYPES: Final[dict[str, type]] = {
    "int": int,
    "float": float,
    "str": str,
    "decimal": Decimal,
    "datetime": datetime,
    "date": date,
}


def typed(text: str) -> Value:
    """Return a value that a user wrote as a number where it is one.

    Examples
    --------
    >>> typed("12"), typed("0.5"), typed("2026-11-30")
    (12, 0.5, '2026-11-30')
    """
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return text


def stored(value: Any, column: str) -> dict[str, str]:
    """Return a value of a column as JSON.

    Raises
    ------
    InputError
        When it is of a type that has no order to go by.

    Examples
    --------
    >>> stored(date(2026, 11, 30), "day")
    {'type': 'date', 'value': '2026-11-30'}
    """
    for name, known in _TYPES.items():
        if type(value) is known:
            return {"type": name, "value": value.isoformat() if isinstance(value, date) else str(value)}
    raise InputError(
        f"The column '{shortened(column)}' has values that have no order to go by ({type(value).__name__}).",
        "Name a column of numbers, times or texts.",
    )


def restored(stored: Mapping[str, str]) -> Value:
    """Return the value that `stored` wrote.

    Examples
    --------
    >>> restored({"type": "decimal", "value": "1.50"})
    Decimal('1.50')
    """
    known, text = _TYPES[stored["type"]], stored["value"]
    value: Value = known.fromisoformat(text) if known in (datetime, date) else known(text)
    return value
