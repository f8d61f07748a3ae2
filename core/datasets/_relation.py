"""A table on its way from a file to Parquet: an SQL relation with what was learned about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.datasets._options import Decision
from core.datasets._table import Dialect, LineCounts, SkippedRow
from core.datasets._text_column import TextColumn

__all__ = ["Relation"]


@dataclass(frozen=True)
class Relation:
    """Rows that are ready to be stored.

    Parameters
    ----------
    sql : str
        Expression that selects the rows, for ``FROM``.
    names : sequence of str
        Names of the columns, as they are in the file.
    columns : sequence of TextColumn
        Type and SQL of each column.
    rows : int
        Number of rows.
    dialect : Dialect, optional
        Dialect of delimited text.
    encoding : str, optional
        Encoding of a text file.
    skipped : int, default=0
        Number of rows that could not be read.
    skipped_rows : tuple of SkippedRow, default=()
        The first of them.
    lines : LineCounts, optional
        Counts of what became of the lines of delimited text.
    decisions : sequence of Decision, default=()
        Decisions on how the file is read.
    head : tuple of str, default=()
        First lines of a text file, or rows of a sheet, shortened.
    sheets : tuple of str, default=()
        Names of the sheets of a workbook that can be read.
    labels : mapping, default={}
        Descriptions of columns that the file has, by name.
    notices : tuple of str, default=()
        Sentences about everything else that was decided.
    complete : bool, default=True
        Whether these are all rows, and not only the first.
    """

    sql: str
    names: Sequence[str]
    columns: Sequence[TextColumn]
    rows: int
    dialect: Dialect | None = None
    encoding: str | None = None
    skipped: int = 0
    skipped_rows: tuple[SkippedRow, ...] = ()
    lines: LineCounts | None = None
    decisions: Sequence[Decision] = ()
    head: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    complete: bool = True
