"""Readers: one function per file format, each returns a relation that is ready to be stored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets._columnar import ColumnarTable, feather_table, parquet_table
from core.datasets._delimited import delimited_source, rejected_rows
from core.datasets._dialect import Layout, detect_layout
from core.datasets._excel import excel_to_csv
from core.datasets._json import json_table
from core.datasets._limits import Limits
from core.datasets._relation import Relation
from core.datasets._source_file import SourceFile
from core.datasets._types import choose_types
from core.errors import InputError

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

__all__ = ["frame_relation", "read_delimited", "read_excel", "read_feather", "read_json", "read_parquet"]


def read_delimited(file: SourceFile, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Read CSV and other delimited text."""
    layout = detect_layout(file.sample, complete=file.is_whole_sample)
    return _with_encoding(_delimited(connection, file.text.path, layout, file.limits), file)


def read_json(file: SourceFile, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Read JSON lines, or one array of JSON objects."""
    is_array = file.sample.lstrip("\ufeff \t\r\n").startswith("[")
    table = json_table(connection, file.text.path, file.limits, array=is_array)
    rows, columns = choose_types(connection, table.source, table.strings)
    relation = Relation(
        table.source.rows,
        table.names,
        columns,
        rows,
        skipped=table.skipped,
        skipped_rows=table.skipped_rows,
        notices=tuple(table.notices),
    )
    return _with_encoding(relation, file)


def read_excel(file: SourceFile, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Read the first sheet with cells of an Excel file."""
    staged = file.scratch / "sheet.csv"
    layout = excel_to_csv(file.path, staged, file.limits)
    return replace(_delimited(connection, staged, layout, file.limits), dialect=None)


def read_parquet(file: SourceFile, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Read Parquet."""
    return _typed(parquet_table(connection, file.path, file.limits))


def read_feather(file: SourceFile, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Read Feather (Arrow IPC)."""
    return _typed(feather_table(connection, file.path, file.scratch / "feather.parquet", file.limits))


def frame_relation(frame: pd.DataFrame, file: SourceFile, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Return the relation of a frame that a reader from outside made of a file."""
    staged = file.scratch / "frame.parquet"
    file.limits.check_shape(*frame.shape)
    frame.set_axis([f"c{i}" for i in range(frame.shape[1])], axis=1).to_parquet(staged, index=False)
    table = parquet_table(connection, staged, file.limits)
    return replace(_typed(table), names=[str(name) for name in frame.columns])


def _typed(table: ColumnarTable) -> Relation:
    return Relation(table.relation, table.names, table.columns, table.rows)


def _with_encoding(relation: Relation, file: SourceFile) -> Relation:
    return replace(relation, encoding=file.text.encoding, notices=(*file.text.notices, *relation.notices))


def _delimited(connection: duckdb.DuckDBPyConnection, path: Path, layout: Layout, limits: Limits) -> Relation:
    import duckdb

    limits.check_columns(len(layout.names))
    source = delimited_source(path, layout)
    try:
        rows, columns = choose_types(connection, source)
    except duckdb.InvalidInputException as error:
        raise InputError("The rows cannot be separated.", "Save the table as CSV in UTF-8 again.") from error
    skipped, first = rejected_rows(connection, len(layout.names))
    if skipped > rows:
        raise InputError(
            f"{skipped:,} of {skipped + rows:,} rows do not have {len(layout.names)} fields, as the first ones have.",
            "Check the delimiter and the quotes, or save the table as CSV again.",
        )
    return Relation(
        source.rows,
        layout.names,
        columns,
        rows,
        dialect=layout.dialect,
        skipped=skipped,
        skipped_rows=first,
        notices=layout.notices,
    )
