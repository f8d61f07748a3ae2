"""Reading of delimited text with DuckDB: every row as text, rows of the wrong width separately."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets._dialect import Layout
from core.datasets._table import SkippedRow
from core.query import literal

if TYPE_CHECKING:
    import duckdb

__all__ = ["SHOWN_ROWS", "Source", "delimited_source", "rejected_rows"]

SHOWN_ROWS = 20
_REASONS = {
    "TOO MANY COLUMNS": "too many fields",
    "MISSING COLUMNS": "too few fields",
    "UNQUOTED VALUE": "a quote that is not closed, or is inside a field",
    "INVALID ENCODING": "bytes that are not text",
    "LINE SIZE OVER MAXIMUM": "longer than 2 MB",
}


@dataclass(frozen=True)
class Source:
    """A relation of text columns, in SQL: its rows, and the same for a scan that also records rejected rows."""

    rows: str
    scan: str
    columns: list[str]


def delimited_source(path: Path, layout: Layout) -> Source:
    """Return the relation of a UTF-8 file with a known layout.

    Parameters
    ----------
    path : Path
        Text file; it may begin with a byte order mark.
    layout : Layout
        Dialect and column names.

    Returns
    -------
    Source
        Relation with columns c0, c1, ...; its scan records rejected rows (see `rejected_rows`).
    """
    dialect = layout.dialect
    columns = [f"c{i}" for i in range(len(layout.names))]
    listed = ", ".join(f"'{column}': 'VARCHAR'" for column in columns)
    # A file of one column must not be split: text does not have this control character.
    delimiter = dialect.delimiter or "\x1f"
    options = (
        f"auto_detect = false, header = false, skip = {dialect.lead_lines + dialect.header}, "
        f"delim = {literal(delimiter)}, quote = {literal(dialect.quote)}, escape = {literal(layout.escape)}, "
        f"nullstr = '', allow_quoted_nulls = true, strict_mode = true, columns = {{{listed}}}"
    )
    # A blank line is not a row; DuckDB skips it except in a file of one column.
    where = "" if len(columns) > 1 else " WHERE c0 IS NOT NULL"
    plain = f"(SELECT * FROM read_csv({literal(path)}, {options}, ignore_errors = true){where})"
    stored = f"(SELECT * FROM read_csv({literal(path)}, {options}, store_rejects = true, rejects_limit = 0){where})"
    return Source(rows=plain, scan=stored, columns=columns)


def rejected_rows(connection: duckdb.DuckDBPyConnection, width: int) -> tuple[int, tuple[SkippedRow, ...]]:
    """Count the rows that the scan rejected and return the first of them.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Connection that the scan used.
    width : int
        Number of columns of the table.

    Returns
    -------
    count : int
        Number of rejected rows.
    first : tuple of SkippedRow
        The first `SHOWN_ROWS` of them.
    """
    errors = connection.execute(
        "SELECT line, any_value(error_type)::VARCHAR, any_value(csv_line), any_value(error_message), "
        "count(*) OVER () FROM reject_errors GROUP BY line, line_byte_position "
        f"ORDER BY line LIMIT {SHOWN_ROWS}"
    ).fetchall()
    count = int(errors[0][4]) if errors else 0
    return count, tuple(
        SkippedRow(line, _reason(kind, text, width), _excerpt(text)) for line, kind, text, _, _ in errors
    )


def _reason(kind: str, text: str, width: int) -> str:
    reason = _REASONS.get(kind, kind.lower())
    if "COLUMNS" in kind:
        return f"{reason}: the table has {width}"
    lines = text.strip("\n").count("\n") + 1
    return f"{reason} ({lines} lines)" if lines > 1 else reason


def _excerpt(text: str) -> str:
    return " ⏎ ".join(text.strip("\r\n").splitlines())[:200]
