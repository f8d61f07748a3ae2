"""How a file is read: every decision can be given, and every one that was made has its evidence."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pydantic import Field, field_validator

from core.checked import CheckedSettings
from core.datasets._column_format import ColumnFormat
from core.errors import InputError

__all__ = ["AUTO", "Confidence", "Decision", "ReadOptions", "Undecided"]

AUTO: Literal["auto"] = "auto"
Confidence: TypeAlias = Literal["given", "certain", "likely", "guessed"]


class ReadOptions(CheckedSettings):
    """How a file is read; what is ``"auto"`` is decided from its content.

    Parameters
    ----------
    encoding : str, default="auto"
        Encoding of a text file, such as "utf-8" or "windows-1252".
    delimiter : str, default="auto"
        Character between fields; empty when the file has one column, a blank for any number of them, "::", or "fixed"
        when each column begins at the same position in every line.
    quote : str, default="auto"
        Character around fields; empty when there is none.
    header : int or None, default="auto"
        Row with the names of the columns, from 0, after the skipped ones; None when there is none.
    skip_rows : int, default="auto"
        Number of lines (of a sheet: rows) before the table.
    decimal : {".", ","}, default="auto"
        Decimal mark of columns that could be read either way.
    thousands : {",", ".", " ", "'", ""}, default="auto"
        Mark between groups of digits.
    date_order : {"dmy", "mdy"}, default="auto"
        Order of day and month in dates that could be read either way.
    sheet : str, default="auto"
        Name of the sheet of a workbook, or of the table of a database.
    missing_values : tuple of str, default="auto"
        Texts that mean a missing value, in any column; by default the usual ones, by type of the column.
    column_types : mapping of str to str, default={}
        Types by column: "text", "integer", "number", "boolean", "date", "timestamp", and with the way they are written
        "number:1.234,5" or "date:%d.%m.%Y"; for texts in which NA is, or is not, a value whatever stands beside it,
        "text:NA is a value" or "text:NA is missing". Cells without a value of that type become missing, and are
        counted.

    Examples
    --------
    >>> ReadOptions(decimal=",", column_types={"zip": "text"}).column_types
    {'zip': 'text'}
    >>> ReadOptions(column_types={"zip": "words"})
    Traceback (most recent call last):
    core.errors.SettingsError: ...
    """

    encoding: str = AUTO
    delimiter: str = AUTO
    quote: Literal["auto", '"', "'", ""] = AUTO
    header: int | Literal["auto"] | None = AUTO
    skip_rows: int | Literal["auto"] = AUTO
    decimal: Literal["auto", ".", ","] = AUTO
    thousands: Literal["auto", ",", ".", " ", "'", ""] = AUTO
    date_order: Literal["auto", "dmy", "mdy"] = AUTO
    sheet: str = AUTO
    missing_values: tuple[str, ...] | Literal["auto"] = AUTO
    column_types: dict[str, str] = Field(default_factory=dict)

    def with_defaults(self, other: ReadOptions) -> ReadOptions:
        """Return these options, with those of another table where a decision is left to the content.

        Types by column are not taken over.

        Examples
        --------
        >>> ReadOptions(sheet="May").with_defaults(ReadOptions(sheet="April", decimal=",")).decimal
        ','
        """
        names = [name for name, value in self if value == AUTO]
        return self.model_copy(update={name: getattr(other, name) for name in names})

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str) -> str:
        if value not in (AUTO, "::", "fixed") and len(value.encode()) > 1:
            raise ValueError(f"{value!r} is more than one character")
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        if value != AUTO:
            try:
                codecs.lookup(value)
            except LookupError:
                raise ValueError(f"{value!r} is not a known encoding") from None
        return value

    @field_validator("column_types")
    @classmethod
    def _known_types(cls, value: dict[str, str]) -> dict[str, str]:
        for column, spec in value.items():
            try:
                ColumnFormat.parse(spec)
            except InputError as error:
                raise ValueError(f"{column}: {error.message} {error.hint}") from None
        return value

    @field_validator("header", "skip_rows")
    @classmethod
    def _not_negative(cls, value: int | str | None) -> int | str | None:
        if isinstance(value, int) and value < 0:
            raise ValueError("Rows are counted from 0")
        return value


@dataclass(frozen=True)
class Decision:
    """One decision on how a file is read.

    Parameters
    ----------
    name : str
        Name of the option, a field of `ReadOptions`.
    value : str, int, tuple or None
        Value that was used.
    evidence : str
        Sentence that says why.
    confidence : {"given", "certain", "likely", "guessed"}
        Certainty of the value: given by the caller, the only one that fits all of the file, the one with more evidence,
        or a default without evidence.
    """

    name: str
    value: str | int | tuple[str, ...] | None
    evidence: str
    confidence: Confidence


@dataclass(frozen=True)
class Undecided:
    """A column that stays text, though it may be something else.

    Parameters
    ----------
    column : str
        Name of the column.
    candidates : tuple of str
        Types that `ReadOptions.column_types` takes for it.
    evidence : str
        Sentence that says what is open.
    """

    column: str
    candidates: tuple[str, ...]
    evidence: str
