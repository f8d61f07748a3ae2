"""Readers: one function per file format, each returns a relation that is ready to be stored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets._columnar import ColumnarTable, feather_table, parquet_table
from core.datasets._delimited import delimited_source
from core.datasets._dialect import Layout, detect_layout
from core.datasets._excel import excel_to_csv
from core.datasets._json import json_table
from core.datasets._names import repair_names
from core.datasets._options import AUTO, Confidence, Decision
from core.datasets._records import Records, scan_records
from core.datasets._relation import Relation
from core.datasets._source_file import SourceFile
from core.datasets._type_choice import choose_types
from core.errors import InputError

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

__all__ = ["frame_relation", "read_delimited", "read_excel", "read_feather", "read_json", "read_parquet"]

_HEAD_LINES = 20
_HEAD_CHARACTERS = 300


def read_delimited(file: SourceFile, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Read CSV and other delimited text."""
    layout = detect_layout(file.sample, complete=file.is_whole_sample, options=file.options)
    return _with_encoding(_delimited(connection, file.text.path, layout, file), file)


def read_json(file: SourceFile, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Read JSON lines, or one array of JSON objects."""
    is_array = file.sample.lstrip("\ufeff \t\r\n").startswith("[")
    table = json_table(connection, file.text.path, file.limits, array=is_array)
    labels, _ = repair_names(table.names)
    typed = choose_types(connection, table.source, labels, options=file.options, strings=table.strings)
    relation = Relation(
        table.source.rows,
        table.names,
        typed.columns,
        typed.rows,
        skipped=table.skipped,
        skipped_rows=table.skipped_rows,
        decisions=typed.decisions,
        notices=tuple(table.notices),
    )
    return _with_encoding(relation, file)


def read_excel(file: SourceFile, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Read one sheet of an Excel file."""
    staged = file.scratch / "sheet.csv"
    sheet = excel_to_csv(file.path, staged, file.limits, file.options)
    return replace(
        _delimited(connection, staged, sheet.layout, file),
        dialect=None,
        lines=None,
        sheets=sheet.sheets,
        skipped=len(sheet.footer),
        skipped_rows=sheet.footer,
    )


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
    text = file.text
    given = file.options.encoding != AUTO
    evidence = "It was given." if given else " ".join(text.notices) or "All of its bytes are text in it."
    confidence: Confidence = "given" if given else "likely" if text.notices else "certain"
    encoding = Decision("encoding", text.encoding, evidence, confidence)
    return replace(
        relation,
        encoding=text.encoding,
        decisions=[encoding, *relation.decisions],
        head=tuple(line[:_HEAD_CHARACTERS] for line in file.sample.splitlines()[:_HEAD_LINES]),
        notices=(*text.notices, *relation.notices),
    )


def _delimited(connection: duckdb.DuckDBPyConnection, path: Path, layout: Layout, file: SourceFile) -> Relation:
    import duckdb

    file.limits.check_columns(len(layout.names))
    records = scan_records(path, layout, file.scratch / "rows.csv")
    if records.skipped > records.rows:
        raise InputError(
            f"{records.skipped:,} of {records.skipped + records.rows:,} rows do not have {len(layout.names)} fields, "
            "as the first ones have.",
            "Check the delimiter and the quotes, or save the table as CSV again.",
        )
    source = delimited_source(records, layout)
    try:
        labels, _ = repair_names(layout.names)
        delimiter = layout.dialect.delimiter
        typed = choose_types(connection, source, labels, options=file.options, delimiter=delimiter)
    except duckdb.InvalidInputException as error:
        raise InputError("The rows cannot be separated.", "Save the table as CSV in UTF-8 again.") from error
    if typed.rows != records.rows:
        raise InputError(
            f"{typed.rows:,} of {records.rows:,} rows could be read.",
            "This is a defect of Plumbline. Please report it with the file.",
        )
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


def _notices(records: Records, delimiter: str) -> list[str]:
    notices = []
    if records.literal_quotes:
        notices.append(f"{_rows(records.literal_quotes)} quotes that are not closed or not doubled; they are kept.")
    if records.continuation_lines:
        notices.append(f"Fields with line breaks continue on {records.continuation_lines:,} line(s).")
    if records.blank_lines and not delimiter:  # where they may be missing values
        notices.append(f"{records.blank_lines:,} blank line(s) were skipped.")
    return notices


def _rows(count: int) -> str:
    return "1 row has" if count == 1 else f"{count:,} rows have"
