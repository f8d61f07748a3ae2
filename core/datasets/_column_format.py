"""The format of a column of text: what its cells mean, how they become values, and which of them do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from core.datasets._date_format import date_shape, date_value
from core.datasets._number_format import NUMBER_STYLES
from core.datasets._number_sql import number_value
from core.datasets._plain_format import plain_tests
from core.errors import InputError
from core.query import literal

__all__ = ["BLANKS", "COLUMN_KINDS", "NA", "TEXT_STYLES", "ColumnFormat", "NaMeaning"]

COLUMN_KINDS = ("boolean", "integer", "number", "date", "timestamp", "text")
NaMeaning: TypeAlias = Literal["value", "missing"]
TEXT_STYLES: Mapping[str, NaMeaning] = {"NA is a value": "value", "NA is missing": "missing"}
NA = "NA"
BLANKS = " \t\u00a0"
_TRIM = {"start": "ltrim", "both": "trim"}
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
    trimmed : {"", "start", "both"}, default=""
        Side of a text where blanks do not belong to it.
    na : {"value", "missing"}, optional
        Meaning of NA in a column of text, where it does not depend on the other values: the code of Namibia, or none.

    Examples
    --------
    >>> ColumnFormat.parse("number:1.234,5").style
    '1.234,5'
    >>> ColumnFormat("date", dates=("%d/%m/%Y",)).spec
    'date:%d/%m/%Y'
    >>> ColumnFormat.parse("text:NA is a value").na
    'value'
    """

    kind: str
    style: str = ""
    signs: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    zoned: bool = False
    missing: tuple[str, ...] = ()
    trimmed: Literal["", "start", "both"] = ""
    na: NaMeaning | None = None

    def keeps(self, marker: str) -> bool:
        """Return whether a text that elsewhere means a missing value is a value here."""
        return marker == NA and self.na == "value"

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
            return f"{_TRIM[self.trimmed]}({text})" if self.trimmed else text
        if self.kind == "number" and self.style:
            return number_value(f"number_parts({text})", NUMBER_STYLES[self.style])
        if self.dates:
            return f"CAST({date_value(text, self.dates)} AS {_STORED[self.kind]})"
        kind = "zoned" if self.zoned else self.kind
        trimmed = f"trim({text})" if kind in ("date", "timestamp", "zoned") else text
        value = f"try_cast({trimmed} AS {_STORED[kind]})"
        return f"CASE WHEN {plain_tests(text)[kind]} THEN {value} END" if tested else value

    @property
    def spec(self) -> str:
        """The type and the way it is written, as `ReadOptions.column_types` has them."""
        meaning = next((style for style, na in TEXT_STYLES.items() if na == self.na), "")
        written = self.style or " | ".join(self.dates) or meaning
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
        if kind == "text" and written in TEXT_STYLES:
            return cls(kind, na=TEXT_STYLES[written])
        raise InputError(
            f"Unknown way to write a {kind}: {written!r}.",
            f"Write numbers as one of {', '.join(NUMBER_STYLES)}, dates as in %d.%m.%Y, "
            f"text as {' or '.join(TEXT_STYLES)}.",
        )


def _in(cell: str, texts: Iterable[str]) -> str:
    return f"trim({cell}, {literal(BLANKS)}) IN ({', '.join(literal(text) for text in texts)})"
