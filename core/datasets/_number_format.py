"""Numbers as people write them, with marks between digits, and signs, currencies, units and letters around them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = [
    "CURRENCY",
    "DIGITS",
    "LETTERS",
    "NUMBER",
    "NUMBER_STYLES",
    "SCALES",
    "TYPOGRAPHY",
    "UNIT",
    "NumberStyle",
    "typed",
]

# Currencies by sign and by code (ISO 4217), as they stand before or after an amount.
_SIGNS = r"[$€£¥₹₽₩₺₴₦฿₫₱₪₡₲₵₸₼₾]"
_CODES = "USD|EUR|GBP|JPY|CHF|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|TRY|RUB|INR|CNY|KRW|BRL|MXN|ZAR|SGD|HKD|ILS|THB"
CURRENCY = rf"(?:(?:US|A|C|R|NZ|HK|S)?{_SIGNS}|{_CODES}|Rs\.?|kr\.?|zł|Kč|Ft|Fr\.?)"
"""Regular expression of a currency."""
_LETTER = "A-Za-zÀ-ÿĀ-žα-ωΑ-Ωа-яА-Яµ°"  # ranges that Python and DuckDB (RE2) share
UNIT = rf"(?:{CURRENCY}|[%‰°{_LETTER}][{_LETTER}0-9²³/%.]{{0,11}})"
"""Regular expression of a currency or a unit behind a number."""
DIGITS = r"[0-9][0-9.,' ]*|[.,][0-9]+"
"""Regular expression of the digits of a number, with any marks."""
SCALES = {"k": 1e3, "K": 1e3, "M": 1e6, "bn": 1e9, "B": 1e9, "Mio": 1e6, "Mrd": 1e9}
"""Factors of the letters behind digits that stand for thousands or more."""
LETTERS = "|".join(SCALES)
"""Regular expression of these letters."""
NUMBER = (
    rf"^(\(?)\s*([-+]?)\s*({CURRENCY})?\s*([-+]?)\s*({DIGITS})"
    rf"(?:\s?({LETTERS})\b\.?)?\s*({UNIT})?\s*([-+]?)(\)?)$"
)
"""Regular expression of a number with whatever people put around it; the fifth group has the digits."""

# Signs and blanks of typography, and those of a keyboard.
TYPOGRAPHY = ("−–\u00a0\u202f\u2009’", "--   '")


def typed(text: str) -> str:
    """Return a text with the signs and blanks of a keyboard.

    Examples
    --------
    >>> typed("−1\\u00a0200")
    '-1 200'
    """
    return text.translate(str.maketrans(*TYPOGRAPHY)).strip(" \t")


@dataclass(frozen=True)
class NumberStyle:
    """A way to write the digits of a number.

    Parameters
    ----------
    decimal, thousands : str
        Decimal mark, and the mark between groups of digits.
    pattern : str
        Regular expression of the digits. A group never follows a lone zero.
    """

    decimal: str
    thousands: str
    pattern: str


def _style(decimal: str, thousands: str, groups: str = r"\d{3}") -> NumberStyle:
    mark, point = re.escape(thousands), re.escape(decimal)
    last = rf"(?:{mark}{groups})*{mark}\d{{3}}" if groups != r"\d{3}" else rf"(?:{mark}\d{{3}})+"
    return NumberStyle(decimal, thousands, rf"(?:\d+|[1-9]\d{{0,2}}{last})(?:{point}\d*)?|{point}\d+")


NUMBER_STYLES: Mapping[str, NumberStyle] = {
    "1,234.5": _style(".", ","),
    "1.234,5": _style(",", "."),
    "1 234.5": _style(".", " "),
    "1 234,5": _style(",", " "),
    "1'234.5": _style(".", "'"),
    "1'234,5": _style(",", "'"),
    "1,23,456.5": _style(".", ",", r"\d{2}"),
}
"""Ways to write the digits of a number, by an example."""
