"""Cells of text as the values that the training table had: amounts, dates and truth values as they are written.

The patterns of a column come with its model, as ``core.datasets.cell_format`` returns them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

__all__ = ["Value", "category_text", "iso_time", "known_word", "read_cell", "seconds"]

Value: TypeAlias = bool | int | float | str | datetime | None

_BLANKS = " \t\u00a0"
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_CODE = re.compile(r"[+-]?0[0-9]")  # a postcode
_WHOLE = re.compile(r"[+-]?[0-9]+")
_LONG = re.compile(r"[+-]?[0-9]{16,}")
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([ T]([01][0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?( ?(Z|[+-][0-9]{2}(:?[0-9]{2})?))?)?"
)


def read_cell(record: Mapping[str, Any], cell: str) -> Value:
    """Return the value of a cell; None where it is missing.

    Parameters
    ----------
    record : mapping
        Format of the column: its kind, its texts that mean a missing value, and the patterns of its values.
    cell : str
        The cell.

    Raises
    ------
    ValueError
        When the cell has no value of this format.

    Examples
    --------
    >>> read_cell({"kind": "boolean", "missing": ["?"]}, "TRUE"), read_cell({"kind": "number", "missing": ["?"]}, "?")
    (True, None)
    >>> day = {"kind": "date", "missing": [], "dates": [["%d/%m/%Y", "[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}"]]}
    >>> read_cell(day, "3/10/2024")
    datetime.datetime(2024, 10, 3, 0, 0)
    """
    stripped = cell.strip(_BLANKS)
    if not stripped or (stripped in record["missing"] and stripped not in record.get("words", ())):
        return None
    kind = record["kind"]
    if kind == "text":
        return cell
    if kind == "boolean":
        if cell not in _BOOLEANS:
            raise ValueError(cell)
        return _BOOLEANS[cell]
    if kind in ("number", "integer"):
        return _amount(record, cell) if "number" in record else _plain_number(stripped)
    return _date(record, cell.strip())


def _plain_number(text: str) -> int | float:
    if not text.isascii() or "_" in text or _CODE.match(text) or _LONG.fullmatch(text):
        raise ValueError(text)
    value = float(text)
    if math.isnan(value) or (math.isinf(value) and "inf" not in text.lower()):
        raise ValueError(text)
    return int(text) if _WHOLE.fullmatch(text) else value


def _amount(record: Mapping[str, Any], cell: str) -> float:
    text = cell.translate(str.maketrans(record["typography"], record["keys"])).strip(" \t")
    match = re.fullmatch(record["number"], text, re.ASCII)
    if match is None:
        raise ValueError(cell)
    opened, sign, _, inner, digits, scale, _, last, closed = (part or "" for part in match.groups())
    digits = digits.rstrip()
    fits = re.fullmatch(record["digits"], digits, re.ASCII) and ("(" in (opened, inner)) == (closed == ")")
    code = re.match("0[0-9]|[0-9]{16}", digits) or sum(char.isdigit() for char in digits) > 16
    if not fits or code or len(sign + inner + last + opened) > 1:
        raise ValueError(cell)
    plain = digits.replace(record["thousands"], "") if record["thousands"] != "" else digits
    value = float(plain.replace(record["decimal"], "."))
    negative = "-" in (sign, inner, last) or "(" in (opened, inner)
    return value * (-1 if negative else 1) * float(record["scales"].get(scale, 1))


def _date(record: Mapping[str, Any], text: str) -> datetime:
    for written, shape in record.get("dates", ()):
        if re.fullmatch(shape, text, re.ASCII):
            moment = datetime.strptime(text, written)
            return moment.replace(hour=0, minute=0, second=0) if record["kind"] == "date" else moment
    if "dates" in record or not re.fullmatch(record["iso"], text, re.ASCII):
        raise ValueError(text)
    return iso_time(text)


def iso_time(text: str) -> datetime:
    """Return the time that a text in ISO 8601 means, to six digits of a second.

    Raises
    ------
    ValueError
        When it is written in another way, also in one that some versions of Python read.

    Examples
    --------
    >>> iso_time("2024-12-31 23:59:00.123456789 +0200").isoformat()
    '2024-12-31T23:59:00.123456+02:00'
    """
    if not _ISO.fullmatch(text):
        raise ValueError(text)
    # Python reads six digits of a second at most, and offsets as +01:00.
    text = re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text.replace(" +", "+").replace(" -", "-").replace(" Z", "Z"))
    return datetime.fromisoformat(text)


def category_text(value: Value) -> str | None:
    """Return a value as a category's text: whole numbers without decimals, truth as True and False.

    Examples
    --------
    >>> category_text(1.0), category_text(2.5), category_text(True), category_text("a"), category_text(None)
    ('1', '2.5', 'True', 'a', None)
    """
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return None if value is None else str(value)


def known_word(cell: str, known: Collection[str], markers: Collection[str]) -> str | None:
    """Return a cell of text as training read it; None where it is missing.

    Parameters
    ----------
    cell : str
        The cell.
    known : collection of str
        Words of the column. A text that means a missing value is a word only there. Blanks before a text belong to it
        where some of these words begin with one.
    markers : collection of str
        Texts that mean a missing value.

    Examples
    --------
    >>> known_word("NA", ["NA"], ["NA"]), known_word("NA", ["a"], ["NA"])
    ('NA', None)
    >>> known_word(" a", ["a"], []), known_word(" a", ["a", " b"], [])
    ('a', ' a')
    """
    if cell in known:
        return cell
    stripped = cell.strip(_BLANKS)
    if not stripped or stripped in markers:
        return None
    plain = cell.lstrip()
    return plain if plain in known and not any(word[:1].isspace() for word in known) else cell


def seconds(value: datetime) -> int:
    """Return whole seconds since 1970 of a date; without a zone it is in UTC."""
    moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    return math.floor((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
