"""The format of a column as a plain record, which travels with a model: code without DuckDB reads cells by it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypedDict

from core.datasets._column_format import ColumnFormat
from core.datasets._date_format import date_shape
from core.datasets._number_format import NUMBER, NUMBER_STYLES, SCALES, TYPOGRAPHY
from core.datasets._plain_format import ISO_SHAPE
from core.datasets.missing_markers import MISSING_MARKERS, TEXT_MARKERS

__all__ = ["CellFormat", "cell_format"]


class CellFormat(TypedDict, total=False):
    """A column's format as JSON holds it; patterns are regular expressions that Python's ``re`` reads.

    Parameters
    ----------
    kind : str
        Type of the values: boolean, number, date, timestamp or text.
    missing : list of str
        Texts that mean a missing value.
    words : list of str
        Those of them that may be words of this column all the same.
    number, digits : str
        Patterns of an amount with its signs, and of its digits, for numbers with signs or marks.
    decimal, thousands : str
        Marks of the digits.
    typography, keys : str
        Signs and blanks of typography, and those of a keyboard in the same order.
    scales : dict of str to float
        Factors of the letters after a number, such as 1000 for k.
    dates : list of (str, str)
        Formats of dates, as `datetime.strptime` has them, each with its pattern.
    iso : str
        Pattern of dates in ISO 8601.
    """

    kind: str
    missing: list[str]
    words: list[str]
    number: str
    digits: str
    decimal: str
    thousands: str
    typography: str
    keys: str
    scales: dict[str, float]
    dates: list[tuple[str, str]]
    iso: str


def cell_format(spec: str, missing_values: Iterable[str] | None = None) -> CellFormat:
    """Return the format of a column as a record.

    Parameters
    ----------
    spec : str
        Type of the column, as `ReadOptions.column_types` and ``ReadReport.grammar()`` have it.
    missing_values : iterable of str, optional
        Texts that mean a missing value; by default the usual ones of the type.

    Raises
    ------
    InputError
        When the type, style or format is unknown.

    Examples
    --------
    >>> cell_format("number:1.234,5")["decimal"], cell_format("boolean")["kind"]
    (',', 'boolean')
    """
    item = ColumnFormat.parse(spec)
    usual = TEXT_MARKERS if item.kind == "text" else MISSING_MARKERS
    missing = [text for text in (usual if missing_values is None else missing_values) if not item.keeps(text)]
    record: CellFormat = {"kind": item.kind, "missing": missing}
    if item.style:
        style = NUMBER_STYLES[item.style]
        typography, keys = TYPOGRAPHY
        record |= {
            "number": NUMBER.removeprefix("^").removesuffix("$"),
            "digits": style.pattern,
            "decimal": style.decimal,
            "thousands": style.thousands,
            "typography": typography,
            "keys": keys,
            "scales": dict(SCALES),
        }
    elif item.dates:
        record["dates"] = [(written, date_shape(written)) for written in item.dates]
    elif item.kind in ("date", "timestamp"):
        record["iso"] = re.sub(r"\\s\*", "", ISO_SHAPE[item.kind])
    return record
