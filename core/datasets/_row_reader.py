"""Rows of delimited text as a relation: the records are scanned, and at the same time their types are inferred."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets._delimited import delimited_source, scan_records, sound_records
from core.datasets._dialect import Layout
from core.datasets._names import repair_names
from core.datasets._records import Records
from core.datasets._relation import Relation
from core.datasets._source_file import SourceFile
from core.datasets._type_choice import TypedColumns, choose_types
from core.errors import InputError

if TYPE_CHECKING:
    import duckdb

__all__ = ["read_rows"]

_LARGE_BYTES = 16 * 2**20
"""Size of a text from which on it is worth two things at a time."""


def read_rows(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    layout: Layout,
    file: SourceFile,
    strings: Collection[str] = (),
) -> Relation:
    """Read the rows of a text file with a known layout.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Connection that reads the file, now and when it is stored.
    path : Path
        Text in UTF-8.
    layout : Layout
        Dialect and names of the columns.
    file : SourceFile
        File that the text comes from, with its limits and options.
    strings : collection of str, default=()
        Names in the relation of columns that are text by declaration.

    Raises
    ------
    InputError
        When most rows do not have the fields of the first ones.
    LimitError
        When there are too many columns.
    """
    import duckdb

    file.limits.check_columns(len(layout.names))
    labels, _ = repair_names(layout.names)

    def infer(records: Records) -> TypedColumns:
        return choose_types(
            connection,
            delimited_source(records, layout),
            labels,
            options=file.options,
            like=file.like,
            lossy=file.lossy,
            delimiter=layout.dialect.delimiter,
            strings=strings,
        )

    with ThreadPoolExecutor(1) as pool:
        scan = pool.submit(scan_records, path, layout, file.scratch / "rows.csv")
        # Most files are sound as they are, so that their types can be inferred at the same time.
        typed = _attempt(infer, sound_records(path, layout)) if path.stat().st_size > _LARGE_BYTES else None
        records = scan.result()
    if records.skipped > records.rows:
        raise InputError(
            f"{records.skipped:,} of {records.skipped + records.rows:,} rows do not have {len(layout.names)} fields, "
            "as the first ones have.",
            "Check the delimiter and the quotes, or save the table as CSV again.",
        )
    if typed is None or records.path != path or typed.rows != records.rows:
        try:
            typed = infer(records)
        except duckdb.InvalidInputException as error:
            raise InputError("The rows cannot be separated.", "Save the table as CSV in UTF-8 again.") from error
    if typed.rows != records.rows:
        raise InputError(
            f"{typed.rows:,} of {records.rows:,} rows could be read.",
            "This is a defect of Plumbline. Please report it with the file.",
        )
    source = delimited_source(records, layout)
    return Relation(
        source.rows,
        layout.names,
        typed.columns,
        typed.rows,
        dialect=layout.dialect,
        skipped=records.skipped,
        skipped_rows=records.skipped_rows,
        lines=records.line_counts(),
        decisions=[*layout.decisions, *typed.decisions],
        notices=(*layout.notices, *_notices(records, layout.dialect.delimiter)),
    )


def _attempt(infer: Callable[[Records], TypedColumns], records: Records) -> TypedColumns | None:
    """Return the types if the file is as sound as it is taken to be; otherwise what DuckDB says is of no interest."""
    import duckdb

    try:
        return infer(records)
    except duckdb.Error:
        return None


def _notices(records: Records, delimiter: str) -> list[str]:
    notices = []
    if records.literal_quotes:
        notices.append(f"{_rows(records.literal_quotes)} quotes that are not closed or not doubled; they are kept.")
    if records.continuation_lines:
        notices.append(f"Lines on which fields with line breaks continue: {records.continuation_lines:,}.")
    if records.blank_lines and not delimiter:  # where they may be missing values
        notices.append(f"Blank lines left out: {records.blank_lines:,}.")
    return notices


def _rows(count: int) -> str:
    return "1 row has" if count == 1 else f"{count:,} rows have"
