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
_OTHERS = "À-ÿĀ-žα-ωΑ-Ωа-яА-Яµ°"  # ranges that Python and DuckDB (RE2) share
_LATER = f"A-Za-z{_OTHERS}²³/%."
# An E before digits is an exponent.
UNIT = rf"(?:{CURRENCY}|[%‰A-DF-Za-df-z{_OTHERS}][{_LATER}0-9]{{0,11}}|[eE](?:[{_LATER}][{_LATER}0-9]{{0,10}})?)"
"""Regular expression of a currency or a unit behind a number."""
_EXPONENT = r"[eE][-+]?[0-9]{1,2}"
DIGITS = rf"(?:[0-9][0-9.,' ]*|[.,][0-9]+)(?:{_EXPONENT})?"
"""Regular expression of the digits of a number, with any marks and an exponent."""
SCALES = {"k": 1e3, "K": 1e3, "M": 1e6, "bn": 1e9, "B": 1e9, "Mio": 1e6, "Mrd": 1e9}
"""Factors of the letters behind digits that stand for thousands or more."""
LETTERS = "|".join(SCALES)
"""Regular expression of these letters."""
NUMBER = (
    rf"^(\(?)\s*([-+]?)\s*({CURRENCY})?\s*([-+(]?)\s*({DIGITS})"
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
    # Whole digits with an exponent, such as 12E5, may be codes.
    whole, fraction = rf"(?:\d+|[1-9]\d{{0,2}}{last})", rf"{point}\d+(?:{_EXPONENT})?"
    return NumberStyle(decimal, thousands, rf"{whole}(?:{fraction}|{point})?|{fraction}")


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
