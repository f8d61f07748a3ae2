"""What reading a file gives: the table and the report on how it was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Dialect", "ReadReport", "SkippedRow", "Table"]


@dataclass(frozen=True)
class Dialect:
    """How a text file lays out its rows.

    Parameters
    ----------
    delimiter : str
        Character between fields; empty when the file has a single column.
    quote : str
        Character around fields; empty when none is used.
    header : bool
        Whether the first row holds the column names.
    lead_lines : int
        Lines before the header (or the first row) that were skipped.
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
class ReadReport:
    """How a file was read, so that nothing about it stays silent.

    Parameters
    ----------
    rows, columns : int
        Size of the table that was read.
    format : str
        csv, json, excel, parquet or feather.
    compression : str or None
        gzip or zip.
    encoding : str or None
        Text encoding of the file (text formats only).
    dialect : Dialect or None
        Delimiter, quote, header, skipped lead lines (text formats only).
    skipped : int
        Rows left out because they could not be read.
    skipped_rows : tuple of SkippedRow
        The first of them.
    renamed : mapping
        New column name -> name in the file, for repaired names.
    missing_markers : mapping
        Column -> {marker: cells}, for markers such as ``?`` that were read as missing.
    types : mapping
        Column -> type in the stored table: boolean, integer, number, date, timestamp, text.
    notices : tuple of str
        Everything else that was decided, one sentence each.
    """

    rows: int
    columns: int
    format: str
    compression: str | None = None
    encoding: str | None = None
    dialect: Dialect | None = None
    skipped: int = 0
    skipped_rows: tuple[SkippedRow, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    missing_markers: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain, JSON-serialisable values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ReadReport:
        """Return the report that `to_dict` described."""
        fields = dict(values)
        fields["dialect"] = Dialect(**fields["dialect"]) if fields.get("dialect") else None
        fields["skipped_rows"] = tuple(SkippedRow(**row) for row in fields.get("skipped_rows", ()))
        fields["notices"] = tuple(fields.get("notices", ()))
        return cls(**fields)


@dataclass(frozen=True)
class Table:
    """A table stored as a Parquet file.

    Parameters
    ----------
    name : str
        Name for people.
    path : Path
        The Parquet file.
    report : ReadReport
        How the file was read.
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
        """The table in memory; made on first access, never by reading a file."""
        from core.datasets._frame import load_frame

        return load_frame(self.path)
