"""Readers: one function per file format, each returns a relation that is ready to be stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from core.datasets._attribute_relation import relation_to_csv
from core.datasets._columnar import ColumnarTable, feather_table, parquet_table
from core.datasets._databases import database_to_csv
from core.datasets._dialect import detect_layout
from core.datasets._excel import excel_to_csv
from core.datasets._excerpt import START_ROWS
from core.datasets._frame import store_frame
from core.datasets._json import json_table
from core.datasets._json_shapes import is_document, rows_to_lines
from core.datasets._names import repair_names
from core.datasets._open_document import open_document_to_csv
from core.datasets._options import AUTO, Confidence, Decision
from core.datasets._other_text import refuse_other_text
from core.datasets._relation import Relation
from core.datasets._row_reader import read_rows
from core.datasets._sheets import Sheet
from core.datasets._source_file import SourceFile
from core.datasets._spaced_text import BLANKS, COLONS, FIXED, SEPARATOR, convert, find_spacing
from core.datasets._statistics_files import LabeledFrame, read_avro, read_orc, read_statistics
from core.datasets._type_choice import choose_types
from core.errors import InputError

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

__all__ = [
    "frame_relation",
    "head_of",
    "read_attribute_relation",
    "read_avro_file",
    "read_database",
    "read_delimited",
    "read_excel",
    "read_feather",
    "read_json",
    "read_open_document",
    "read_orc_file",
    "read_parquet",
    "statistics_reader",
]

Reader: TypeAlias = "Callable[[SourceFile, duckdb.DuckDBPyConnection], Relation]"

_HEAD_LINES = 20
_HEAD_CHARACTERS = 300


def read_delimited(file: SourceFile, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Read CSV and other delimited text, also such whose columns stand apart by blanks."""
    given = file.options.delimiter
    if given == AUTO:
        refuse_other_text(file.sample)
    if given not in (BLANKS, COLONS, FIXED):
        layout = detect_layout(file.sample, complete=file.is_whole_sample, options=file.options)
        spacing = None if layout.dialect.delimiter or given != AUTO else find_spacing(_whole_lines(file))
        if spacing is None:
            return _with_encoding(read_rows(connection, file.text.path, layout, file), file)
    else:
        spacing = given
    staged = file.scratch / "spaced.csv"
    convert(file.text.path, staged, spacing, _whole_lines(file))
    with staged.open(encoding="utf-8") as text:
        sample = text.read(len(file.sample))
    options = file.options.model_copy(update={"delimiter": SEPARATOR, "quote": ""})
    layout = detect_layout(sample, complete=file.is_whole_sample, options=options)
    evidence = {
        BLANKS: "Columns stand apart by blanks.",
        COLONS: "Columns stand apart by two colons.",
        FIXED: "Columns begin at the same position in every line.",
    }[spacing]
    decision = Decision("delimiter", spacing, evidence, "likely" if given == AUTO else "given")
    decisions = (decision, *(item for item in layout.decisions if item.name not in ("delimiter", "quote")))
    notices = (*layout.notices, evidence)
    return _with_encoding(
        read_rows(connection, staged, replace(layout, decisions=decisions, notices=notices), file), file
    )


def _whole_lines(file: SourceFile) -> str:
    sample = file.sample.removeprefix("\ufeff")
    return sample if file.is_whole_sample else sample.rpartition("\n")[0]


def read_json(file: SourceFile, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Read JSON lines, one array of JSON objects, or a document of another usual shape."""
    path = file.text.path
    said: list[str] = []
    is_array = file.sample.lstrip("\ufeff \t\r\n").startswith("[")
    if is_document(file.sample, complete=file.is_whole_sample):
        staged = file.scratch / "lines.json"
        if sentence := rows_to_lines(path, staged, file.limits):
            path, is_array, said = staged, False, [sentence]
    table = json_table(connection, path, file.limits, array=is_array)
    labels, _ = repair_names(table.names)
    typed = choose_types(
        connection,
        table.source,
        labels,
        options=file.options,
        like=file.like,
        lossy=file.lossy,
        strings=table.strings,
    )
    relation = Relation(
        table.source.rows,
        table.names,
        typed.columns,
        typed.rows,
        skipped=table.skipped,
        skipped_rows=table.skipped_rows,
        decisions=typed.decisions,
        notices=(*said, *table.notices),
    )
    return _with_encoding(relation, file)


def read_excel(file: SourceFile, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Read one sheet of an Excel file."""
    staged = file.scratch / "sheet.csv"
    return _of_sheet(excel_to_csv(file.path, staged, file.limits, file.options, _most(file)), staged, file, connection)


def read_open_document(file: SourceFile, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Read one sheet of an OpenDocument file."""
    staged = file.scratch / "sheet.csv"
    sheet = open_document_to_csv(file.path, staged, file.limits, file.options, _most(file))
    return _of_sheet(sheet, staged, file, connection)


def _of_sheet(sheet: Sheet, staged: Path, file: SourceFile, connection: duckdb.DuckDBPyConnection) -> Relation:
    return replace(
        read_rows(connection, staged, sheet.layout, file),
        dialect=None,
        lines=None,
        sheets=sheet.sheets,
        skipped=len(sheet.footer),
        skipped_rows=sheet.footer,
        head=sheet.head,
        complete=sheet.complete,
    )


def _most(file: SourceFile) -> int | None:
    return START_ROWS if file.start_only else None


def read_database(file: SourceFile, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Read one table of an SQLite database."""
    staged = file.scratch / "table.csv"
    table = database_to_csv(file.path, staged, file.limits, file.options, _most(file))
    relation = read_rows(connection, staged, table.layout, file, strings=[f"c{i}" for i in table.texts])
    return replace(relation, dialect=None, lines=None, sheets=table.tables, complete=table.complete)


def read_attribute_relation(file: SourceFile, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Read an ARFF file."""
    staged = file.scratch / "relation.csv"
    layout = relation_to_csv(file.text.path, staged, file.limits)
    return _with_encoding(replace(read_rows(connection, staged, layout, file), lines=None), file)


def statistics_reader(name: str, title: str) -> Reader:
    """Return the function that reads files of a statistics package."""

    def read(file: SourceFile, connection: duckdb.DuckDBPyConnection) -> Relation:
        return _labeled(read_statistics(file.path, name, title, file.limits), file, connection)

    return read


def read_orc_file(file: SourceFile, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Read ORC."""
    return _labeled(read_orc(file.path, file.limits), file, connection)


def read_avro_file(file: SourceFile, connection: duckdb.DuckDBPyConnection) -> Relation:
    """Read Avro."""
    return _labeled(read_avro(file.path, file.limits), file, connection)


def _labeled(table: LabeledFrame, file: SourceFile, connection: duckdb.DuckDBPyConnection) -> Relation:
    if not len(table.frame.columns):
        raise InputError("The file has no columns.", "Upload a table with at least one.")
    staged = store_frame(table.frame, file.scratch / "frame.parquet")
    names = [str(name) for name in table.frame.columns]
    relation = replace(_typed(parquet_table(connection, staged, file.limits)), names=names)
    return replace(relation, labels=table.labels, notices=table.notices)


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
        head=head_of(file.sample),
        notices=(*text.notices, *relation.notices),
    )


def head_of(text: str) -> tuple[str, ...]:
    """Return the first lines of a text, shortened."""
    return tuple(line[:_HEAD_CHARACTERS] for line in text.splitlines()[:_HEAD_LINES])
