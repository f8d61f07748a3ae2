"""Checks of the columns that a table must have."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from core.errors import InputError
from core.registry import unknown_name

__all__ = ["require_columns"]


def require_columns(
    present: Iterable[Hashable], required: Iterable[Hashable], *, what: str = "The table", hint: str = ""
) -> None:
    """Refuse a table that lacks a column.

    Parameters
    ----------
    present : iterable
        Names of the columns of the table, or the frame itself.
    required : iterable
        Names that must be among them.
    what : str, default="The table"
        Noun for the table in the message.
    hint : str, optional
        Hint of the error; by default the nearest name, and a list of the columns.

    Raises
    ------
    InputError
        Naming the first five columns that are missing.

    Examples
    --------
    >>> require_columns(["age", "income"], ["age"])
    >>> require_columns(["age", "income"], ["incme"])
    Traceback (most recent call last):
    core.errors.InputError: The table has no column 'incme'. Did you mean 'income'? Choose one of: age, income.
    """
    names = list(present)
    known = set(names)
    absent = [name for name in required if name not in known]
    if absent:
        raise InputError(
            f"{what} has no column {', '.join(repr(name) for name in absent[:5])}"
            f"{f' and {len(absent) - 5:,} more' if len(absent) > 5 else ''}.",
            hint or unknown_name(str(absent[0]), (str(name) for name in names), most=15),
        )
