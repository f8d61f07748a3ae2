"""The format of a column of text: what its cells mean, how they become values, and which of them do not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from core.errors import InputError
from core.query import literal

__all__ = [
    "BLANKS",
    "COLUMN_KINDS",
    "CURRENCY",
    "DATE_FORMATS",
    "ISO_SHAPE",
    "MACROS",
    "NUMBER",
    "NUMBER_STYLES",
    "SCALES",
    "TIME_FORMATS",
    "TYPOGRAPHY",
    "ColumnFormat",
    "NumberStyle",
    "date_shape",
    "plain_tests",
    "typed",
]

COLUMN_KINDS = ("boolean", "integer", "number", "date", "timestamp", "text")
BLANKS = " \t\u00a0"

# Currencies by sign and by code (ISO 4217), as they stand before or after an amount.
_SIGNS = r"[$€£¥₹₽₩₺₴₦฿₫₱₪₡₲₵₸₼₾]"
_CODES = "USD|EUR|GBP|JPY|CHF|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|TRY|RUB|INR|CNY|KRW|BRL|MXN|ZAR|SGD|HKD|ILS|THB"
CURRENCY = rf"(?:(?:US|A|C|R|NZ|HK|S)?{_SIGNS}|{_CODES}|Rs\.?|kr\.?|zł|Kč|Ft|Fr\.?)"
_LETTER = "A-Za-zÀ-ÿĀ-žα-ωΑ-Ωа-яА-Яµ°"  # ranges that Python and DuckDB (RE2) share
"""Regular expression of a currency."""
_UNIT = rf"(?:{CURRENCY}|[%‰°{_LETTER}][{_LETTER}0-9²³/%.]{{0,11}})"
NUMBER = (
    rf"^(\(?)\s*([-+]?)\s*({CURRENCY})?\s*([-+]?)\s*([0-9][0-9.,' ]*|[.,][0-9]+)"
    rf"(?:\s?(k|K|M|bn|B|Mio|Mrd)\b\.?)?\s*({_UNIT})?\s*([-+]?)(\)?)$"
)
"""A number with whatever people put around it."""
_PARTS = ("opened", "sign", "currency", "inner", "digits", "scale", "unit", "last", "closed")
SCALES = {"k": 1e3, "K": 1e3, "M": 1e6, "Mio": 1e6, "bn": 1e9, "B": 1e9, "Mrd": 1e9}

# Signs and blanks of typography become those of a keyboard.
_TRANSLATED, _KEYS = TYPOGRAPHY = ("−–\u00a0\u202f\u2009’", "--   '")
MACROS = (
    f"CREATE OR REPLACE TEMP MACRO typed(v) AS trim(translate(v, {literal(_TRANSLATED)}, {literal(_KEYS)}), ' \t')",
    f"CREATE OR REPLACE TEMP MACRO number_parts(v) AS regexp_extract(typed(v), {literal(NUMBER)}, "
    f"[{', '.join(literal(part) for part in _PARTS)}])",
)
"""SQL that a connection executes before it uses a format with signs around its numbers."""


def typed(text: str) -> str:
    """Return a text with the signs and blanks of a keyboard, as the macro of this name does.

    Examples
    --------
    >>> typed("−1\\u00a0200")
    '-1 200'
    """
    return text.translate(str.maketrans(_TRANSLATED, _KEYS)).strip(" \t")


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


_DAY = r"\s*\d{4}-\d{2}-\d{2}\s*"
_TIME = r"\s*\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?\s*"
_ZONE = r"\s*\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)? ?(Z|[+-]\d{2}(:?\d{2})?)\s*"
ISO_SHAPE = {"date": _DAY, "timestamp": f"{_TIME}|{_ZONE}"}
"""Regular expressions of dates and times in ISO 8601."""
_STORED = {
    "boolean": "BOOLEAN",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "zoned": "TIMESTAMPTZ",
}


@dataclass(frozen=True)
class ColumnFormat:
    """How the cells of a column of text become values.

    Parameters
    ----------
    kind : {"boolean", "integer", "number", "date", "timestamp", "text"}
        Type of the values.
    style : str, default=""
        Way in which numbers are written, a key of `NUMBER_STYLES`; empty for digits with a decimal point at most.
    signs : tuple of str, default=()
        Currency or unit that stands beside the numbers.
    dates : tuple of str, default=()
        Formats of dates as `datetime.strptime` has them; empty for ISO 8601.
    zoned : bool, default=False
        Whether times have an offset from UTC.
    missing : tuple of str, default=()
        Cells that mean a missing value.
    trimmed : bool, default=False
        Whether blanks before a text do not belong to it.

    Examples
    --------
    >>> ColumnFormat.parse("number:1.234,5").style
    '1.234,5'
    >>> ColumnFormat("date", dates=("%d/%m/%Y",)).spec
    'date:%d/%m/%Y'
    """

    kind: str
    style: str = ""
    signs: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    zoned: bool = False
    missing: tuple[str, ...] = ()
    trimmed: bool = False

    def value(self, cell: str, *, tested: bool = True) -> str:
        """Return SQL of the value of a cell; it is NULL where the cell has none of this format.

        Parameters
        ----------
        cell : str
            SQL of a text. Numbers with a `style` need `MACROS`.
        tested : bool, default=True
            Whether a cell that a cast would round or guess at has no value; not needed when all cells were tested.
        """
        text = f"CASE WHEN {_in(cell, self.missing)} THEN NULL ELSE {cell} END" if self.missing else cell
        if self.kind == "text":
            return f"ltrim({text})" if self.trimmed else text
        if self.kind == "number" and self.style:
            return _number(text, NUMBER_STYLES[self.style])
        if self.dates:
            return _date(text, self.dates, self.kind)
        kind = "zoned" if self.zoned else self.kind
        trimmed = f"trim({text})" if kind in ("date", "timestamp", "zoned") else text
        value = f"try_cast({trimmed} AS {_STORED[kind]})"
        return f"CASE WHEN {plain_tests(text)[kind]} THEN {value} END" if tested else value

    @property
    def spec(self) -> str:
        """The type and the way it is written, as `ReadOptions.column_types` has them."""
        written = self.style or " | ".join(self.dates)
        return f"{self.kind}:{written}" if written else self.kind

    @classmethod
    def parse(cls, spec: str) -> ColumnFormat:
        """Return the format that a `spec` describes.

        Raises
        ------
        InputError
            When the type, style or format is unknown.
        """
        kind, _, written = spec.partition(":")
        if kind not in COLUMN_KINDS:
            raise InputError(f"Unknown type {spec!r}.", f"Choose one of {', '.join(COLUMN_KINDS)}.")
        if not written:
            return cls(kind)
        if kind == "number" and written in NUMBER_STYLES:
            return cls(kind, style=written)
        if kind in ("date", "timestamp"):
            dates = tuple(part.strip() for part in written.split("|"))
            for date in dates:
                date_shape(date)
            return cls(kind, dates=dates)
        raise InputError(
            f"Unknown way to write a {kind}: {written!r}.",
            f"Write numbers as one of {', '.join(NUMBER_STYLES)}, dates as in %d.%m.%Y.",
        )


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


def _in(cell: str, texts: Iterable[str]) -> str:
    return f"trim({cell}, {literal(BLANKS)}) IN ({', '.join(literal(text) for text in texts)})"


def _number(cell: str, style: NumberStyle) -> str:
    """Return SQL of a number in this style, with signs around it."""
    digits = "rtrim(p.digits)"
    plain = digits
    for mark, new in ((style.thousands, ""), (style.decimal, ".")):
        plain = f"replace({plain}, {literal(mark)}, {literal(new)})" if mark != new else plain
    scale = " ".join(f"WHEN {literal(name)} THEN {factor!r}::DOUBLE" for name, factor in SCALES.items())
    negative = "(p.sign = '-' OR p.inner = '-' OR p.last = '-' OR p.opened = '(')"
    once = "strlen(p.sign) + strlen(p.inner) + strlen(p.last) + strlen(p.opened) <= 1"
    # Digits after a leading zero are a code, and a float would round more than 16.
    code = (
        f"regexp_matches({digits}, '^(0[0-9]|[0-9]{{16}})') OR length(regexp_replace({digits}, '[^0-9]', '', 'g')) > 16"
    )
    fits = f"regexp_full_match({digits}, {literal(style.pattern)}) AND (p.opened = '(') = (p.closed = ')')"
    return (
        f"(SELECT CASE WHEN {fits} AND {once} AND NOT ({code}) THEN try_cast({plain} AS DOUBLE) "
        f"* CASE WHEN {negative} THEN -1 ELSE 1 END * CASE p.scale {scale} ELSE 1 END END "
        f"FROM (SELECT number_parts({cell}) AS p))"
    )


def _date(cell: str, dates: Iterable[str], kind: str) -> str:
    """Return SQL of a date in one of these formats; the shape is tested since parsing is lenient about it."""
    tried = " ".join(
        f"WHEN regexp_full_match(trim({cell}), {literal(date_shape(date))}) "
        f"THEN try_strptime(trim({cell}), {literal(date)})"
        for date in dates
    )
    return f"CAST(CASE {tried} END AS {_STORED[kind]})"


def plain_tests(v: str) -> dict[str, str]:
    """Return SQL conditions by type: that the text `v` has the type without loss."""
    whole = f"try_cast({v} AS BIGINT)"
    real = f"try_cast({v} AS DOUBLE)"
    # A digit after a leading zero is a code (a postcode), not a number. The comparison avoids the regex.
    code = f"({v} < '1' AND regexp_matches({v}, '^\\s*[+-]?0\\d'))"
    # A float would round an integer of 16 or more digits.
    long = f"(strlen({v}) >= 16 AND regexp_full_match({v}, '\\s*[+-]?\\d{{16,}}\\s*'))"
    return {
        "boolean": f"{v} IN ('true', 'false', 'True', 'False', 'TRUE', 'FALSE')",
        # DuckDB casts 1.5, 1e3, 0x1F and 1_000 to integers: an integer is what prints the same again.
        "integer": f"CASE WHEN {whole}::VARCHAR = {v} THEN true ELSE {whole} IS NOT NULL AND NOT {code} "
        f"AND regexp_full_match({v}, '\\s*[+-]?\\d+\\s*') END",
        # NaN is greater than infinity, which digits alone do not mean.
        "number": f"CASE WHEN {v} >= '1' AND {v} < ':' AND strlen({v}) < 16 AND NOT contains({v}, '_') "
        f"THEN {real} < 'infinity'::DOUBLE "
        f"ELSE {real} <= 'infinity'::DOUBLE AND NOT contains({v}, '_') AND NOT {code} AND NOT {long} "
        f"AND (isfinite({real}) OR contains(lower({v}), 'inf')) END",
        # Numbers whose points may stand between thousands, and those that may be codes of digits and an E.
        "grouped": f"regexp_full_match({v}, '\\s*[+-]?(\\d{{1,3}}|[1-9]\\d{{0,2}}(\\.\\d{{3}})+)\\s*')",
        "coded": f"regexp_full_match({v}, '\\s*\\d+([eE]\\d+)?\\s*')",
        # DuckDB casts a time to a date, truncates nanoseconds and accepts 'epoch': the shape is tested as well.
        "date": f"CASE WHEN strlen({v}) = 10 AND try_cast({v} AS DATE)::VARCHAR = {v} AND {v} < ':' THEN true ELSE "
        f"regexp_full_match({v}, '{_DAY}') AND try_cast(trim({v}) AS DATE) IS NOT NULL END",
        "timestamp": f"CASE WHEN strlen({v}) = 19 AND try_cast({v} AS TIMESTAMP)::VARCHAR = {v} AND {v} < ':' "
        f"THEN true ELSE regexp_full_match({v}, '{_TIME}') AND try_cast(trim({v}) AS TIMESTAMP) IS NOT NULL END",
        # Whether a time keeps all of its digits: six are stored.
        "precise": f"(strlen({v}) <= 26 OR NOT regexp_matches({v}, '\\.\\d{{7}}'))",
        "zoned": f"(regexp_full_match({v}, '{_ZONE}') AND try_cast(trim({v}) AS TIMESTAMPTZ) IS NOT NULL)",
    }
