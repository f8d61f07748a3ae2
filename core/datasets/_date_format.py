"""Dates and times as people write them, by formats of `datetime.strptime`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from core.errors import InputError
from core.query import literal

__all__ = ["DATE_FORMATS", "TIME_FORMATS", "date_shape", "date_value"]

DATE_FORMATS = (
    *("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%Y-%m-%d"),
    *("%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d-%m-%y", "%m-%d-%y"),
    *("%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%d. %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y"),
    "%Y%m%d",
)
TIME_FORMATS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
_SHAPES = {
    "%d": r"\d{1,2}",
    "%m": r"\d{1,2}",
    "%Y": r"\d{4}",
    "%y": r"\d{2}",
    "%b": r"[A-Za-z]{3}",
    "%B": r"[A-Za-z]{3,9}",
    "%H": r"\d{1,2}",
    "%I": r"\d{1,2}",
    "%M": r"\d{2}",
    "%S": r"\d{2}",
    "%f": r"\d{1,6}",
    "%p": r"[AaPp][Mm]",
}


@cache
def date_shape(date: str) -> str:
    """Return the regular expression of a date's format.

    Raises
    ------
    InputError
        When the format has a field that dates do not have here.

    Examples
    --------
    >>> date_shape("%d.%m.%y")
    '\\\\d{1,2}\\\\.\\\\d{1,2}\\\\.\\\\d{2}'
    """
    shape, at = "", 0
    for match in re.finditer(r"%.?", date):
        if match.group() not in _SHAPES:
            raise InputError(f"Unknown field {match.group()!r} in the date format {date!r}.", "Write it as %d.%m.%Y.")
        shape += re.escape(date[at : match.start()]) + _SHAPES[match.group()]
        at = match.end()
    return shape + re.escape(date[at:])


def date_value(cell: str, dates: Iterable[str]) -> str:
    """Return SQL of the time of a cell in one of these formats, or NULL.

    The shape is tested, since parsing is lenient about it.
    """
    tried = " ".join(
        f"WHEN regexp_full_match(trim({cell}), {literal(date_shape(date))}) "
        f"THEN try_strptime(trim({cell}), {literal(date)})"
        for date in dates
    )
    return f"CASE {tried} END"
