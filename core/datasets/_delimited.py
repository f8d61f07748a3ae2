"""Reading of delimited text with DuckDB: a relation of text columns over records that are known to be sound."""

from __future__ import annotations

from dataclasses import dataclass

from core.datasets._dialect import Layout
from core.datasets._records import MAX_RECORD_BYTES, Records
from core.query import literal

__all__ = ["Source", "delimited_source"]


@dataclass(frozen=True)
class Source:
    """A relation of text columns: its SQL, for ``FROM``, and the names of its columns, which need no quotes."""

    rows: str
    columns: list[str]


def delimited_source(records: Records, layout: Layout) -> Source:
    """Return the relation of a UTF-8 file with a known layout.

    Parameters
    ----------
    records : Records
        The file with its readable rows. Nothing may be skipped now: a row that cannot be read is an error.
    layout : Layout
        Dialect and column names.

    Returns
    -------
    Source
        Relation with columns c0, c1, ...
    """
    dialect = layout.dialect
    columns = [f"c{i}" for i in range(len(layout.names))]
    listed = ", ".join(f"'{column}': 'VARCHAR'" for column in columns)
    # A file of one column must not be split: text does not have this control character.
    delimiter = dialect.delimiter or "\x1f"
    options = (
        f"auto_detect = false, header = false, skip = {records.skip}, "
        f"delim = {literal(delimiter)}, quote = {literal(dialect.quote)}, escape = {literal(layout.escape)}, "
        "nullstr = '', allow_quoted_nulls = true, strict_mode = true, "
        f"max_line_size = {2 * MAX_RECORD_BYTES}, columns = {{{listed}}}"
    )
    return Source(rows=f"(SELECT * FROM read_csv({literal(records.path)}, {options}))", columns=columns)
