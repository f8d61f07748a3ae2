"""The result of reading a file: the table, and the report on how it was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets._column_format import NA, ColumnFormat
from core.datasets._options import Decision, ReadOptions, Undecided
from core.jsonable import JsonObject

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Dialect", "LineCounts", "ReadReport", "SkippedRow", "Table"]


@dataclass(frozen=True)
class Dialect:
    """The dialect of a delimited text file.

    Parameters
    ----------
    delimiter : str
        Character between fields; empty when the file has a single column.
    quote : str
        Character around fields; empty when there is none.
    header : bool
        Whether the first row has the column names.
    lead_lines : int, default=0
        Number of skipped lines before the header, or before the first row.
    """

    delimiter: str
    quote: str
    header: bool
    lead_lines: int = 0


@dataclass(frozen=True)
class SkippedRow:
    """A row that could not be read: its line (1-based), the reason, and the start of its text."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class LineCounts:
    """What became of the lines of a text file.

    The counts but `total` add up to it, with one line for each row that was read.

    Parameters
    ----------
    total : int
        Number of lines of the file.
    lead, header : int
        Lines before the header, and of the header.
    continuation : int
        Further lines of rows whose fields have line breaks.
    blank : int
        Lines without text between rows.
    skipped : int
        Lines of the rows that could not be read.
    """

    total: int
    lead: int
    header: int
    continuation: int
    blank: int
    skipped: int


@dataclass(frozen=True)
class ReadReport:
    """The report on how a file was read, with every automatic decision.

    Parameters
    ----------
    rows, columns : int
        Size of the table that was read.
    format : str
        Name of the format, a key of `FILE_FORMATS`.
    compression : str, optional
        Format of the outermost container, "gzip" or "zip".
    encoding : str, optional
        Encoding of a text file.
    dialect : Dialect, optional
        Delimiter, quote, header and skipped lines of delimited text.
    skipped : int, default=0
        Number of rows that could not be read.
    skipped_rows : tuple of SkippedRow, default=()
        The first of them.
    lines : LineCounts, optional
        Counts of what became of the lines of delimited text.
    renamed : mapping, default={}
        Names in the file of columns that were renamed, by new name.
    missing_markers : mapping, default={}
        Counts of markers such as ``?`` that were read as missing, by column and marker.
    types : mapping, default={}
        Types in the stored table by column: boolean, integer, number, date, timestamp or text.
    notices : tuple of str, default=()
        Sentences about all other decisions.
    options : ReadOptions
        Options that repeat this reading exactly.
    given : ReadOptions
        Options that the caller gave, with the types that were taken over from another table.
    decisions : tuple of Decision, default=()
        Decisions with their evidence.
    undecided : tuple of Undecided, default=()
        Columns that stay text, though they may be something else.
    head : tuple of str, default=()
        First lines of a text file, or rows of a sheet with ``|`` between its cells, shortened.
    sheets : tuple of str, default=()
        Names of the sheets of a workbook that can be read.
    labels : mapping, default={}
        Descriptions of columns that the file has, by column.
    lost : mapping, default={}
        Number of cells by column that became missing, since they have no value of the type that was given.
    complete : bool, default=True
        Whether the whole file was read, and not only its start.
    """

    rows: int
    columns: int
    format: str
    compression: str | None = None
    encoding: str | None = None
    dialect: Dialect | None = None
    skipped: int = 0
    skipped_rows: tuple[SkippedRow, ...] = ()
    lines: LineCounts | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    missing_markers: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    options: ReadOptions = field(default_factory=ReadOptions)
    given: ReadOptions = field(default_factory=ReadOptions)
    decisions: tuple[Decision, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    head: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    lost: Mapping[str, int] = field(default_factory=dict)
    complete: bool = True

    def grammar(self) -> dict[str, str]:
        """Return the type of each column, as `ReadOptions.column_types` has it, to read other rows in the same way.

        A column of integers may have other numbers elsewhere, and one of text the same meaning of NA.
        """
        types = {name: "number" if kind == "integer" else kind for name, kind in self.types.items()}
        without_na = [name for name, counts in self.missing_markers.items() if NA in counts]
        texts = {name: ColumnFormat("text", na="missing").spec for name in without_na if types.get(name) == "text"}
        specs = {name: spec for name, spec in self.options.column_types.items() if ":" in spec}
        return types | texts | specs

    def to_dict(self) -> JsonObject:
        """Return the report as JSON-serializable values."""
        options = {name: getattr(self, name).model_dump(mode="json") for name in ("options", "given")}
        return asdict(self) | options

    @classmethod
    def from_dict(cls, values: JsonObject) -> ReadReport:
        """Return the report from what `to_dict` returned."""
        fields = dict(values)
        fields["dialect"] = Dialect(**fields["dialect"]) if fields.get("dialect") else None
        fields["skipped_rows"] = tuple(SkippedRow(**row) for row in fields.get("skipped_rows", ()))
        fields["lines"] = LineCounts(**fields["lines"]) if fields.get("lines") else None
        fields["notices"] = tuple(fields.get("notices", ()))
        for name in ("options", "given"):
            fields[name] = ReadOptions(**fields.get(name) or {})
        for name in ("head", "sheets"):
            fields[name] = tuple(fields.get(name, ()))
        fields["decisions"] = tuple(Decision(**item) for item in fields.get("decisions", ()))
        fields["undecided"] = tuple(
            Undecided(**{**item, "candidates": tuple(item["candidates"])}) for item in fields.get("undecided", ())
        )
        return cls(**fields)


@dataclass(frozen=True)
class Table:
    """A table stored as a Parquet file.

    Parameters
    ----------
    name : str
        Name for users.
    path : Path
        Path of the Parquet file.
    report : ReadReport
        Report on how the file was read.
    fingerprint : str
        SHA-256 over all names, types and values, hexadecimal.
    """

    name: str
    path: Path
    report: ReadReport
    fingerprint: str

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.report.rows

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self.report.types)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The table in memory, loaded on first access."""
        from core.datasets._frame import load_frame

        return load_frame(self.path)
