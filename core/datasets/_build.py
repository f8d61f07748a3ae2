"""From a recognized file to a stored table: its relation is written as Parquet, with a report and a fingerprint."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.columns import require_columns
from core.datasets._failures import failures_reported
from core.datasets._file_format import Container, FileFormat
from core.datasets._fingerprint import fingerprint
from core.datasets._identify import extension_notice
from core.datasets._limits import Limits
from core.datasets._names import repair_names
from core.datasets._options import ReadOptions, Undecided
from core.datasets._readers import frame_relation
from core.datasets._records import MAX_RECORD_BYTES
from core.datasets._relation import Relation
from core.datasets._source_file import SourceFile
from core.datasets._table import ReadReport
from core.datasets._text_column import TextColumn
from core.errors import InputError
from core.progress import Event, Report
from core.query import connect, identifier, literal

if TYPE_CHECKING:
    import duckdb

__all__ = ["BuiltTable", "build_table"]


@dataclass(frozen=True)
class BuiltTable:
    """A table in scratch: its Parquet file, the report on how it was read, and its fingerprint."""

    path: Path
    report: ReadReport
    fingerprint: str


def build_table(
    file: SourceFile, user_name: str, containers: Sequence[Container], file_format: FileFormat, report: Report
) -> BuiltTable:
    """Read a file whose format is known, and store its table in its scratch folder.

    Parameters
    ----------
    file : SourceFile
        The file, out of its containers.
    user_name : str
        Name that the user gave it.
    containers : sequence of Container
        Formats that it was packed in, the outermost first.
    file_format : FileFormat
        Format of its content.
    report : callable
        Function that receives progress events.

    Raises
    ------
    InputError
        When it is damaged, or holds no rows.
    LimitError
        When it is larger than its limits.
    StorageError
        When the disk fails.
    """
    out = file.scratch / "table.parquet"
    with failures_reported(file_format.title, file.limits), connect(file.scratch) as connection:
        report(Event("read", 0.1, "Recognizing the types of the columns"))
        content = file_format.read(file, connection)
        relation = content if isinstance(content, Relation) else frame_relation(content, file, connection)
        if not relation.rows:
            raise InputError("The file has no rows below its header.", "Upload a file with at least one row.")
        file.limits.check_shape(relation.rows, len(relation.names))
        file.limits.check_names(relation.names)
        names, renamed = repair_names(relation.names)
        relation, names, left_out = _without_spacers(relation, names, {*file.options.column_types, *file.like})
        renamed = {name: original for name, original in renamed.items() if name in names}
        report(Event("read", 0.4, f"Storing {relation.rows:,} rows"))
        _store(connection, relation, names, out)
        _check_cells(connection, out, names, relation, file.limits)
        report(Event("read", 0.8, "Computing the fingerprint"))
        notice = extension_notice(user_name, [*containers, file_format])
        columns = dict(zip(names, relation.columns, strict=True))
        options = _resolved(file.options, relation, columns)
        result = ReadReport(
            rows=relation.rows,
            columns=len(names),
            format=file_format.name,
            compression=containers[0].name if containers else None,
            encoding=relation.encoding,
            dialect=relation.dialect,
            skipped=relation.skipped,
            skipped_rows=relation.skipped_rows,
            lines=relation.lines,
            renamed=renamed,
            missing_markers={name: column.markers for name, column in columns.items() if column.markers},
            types={name: column.kind for name, column in columns.items()},
            notices=(
                *([notice] if notice else []),
                *relation.notices,
                *left_out,
                *(f"Column {name!r} {column.notice}." for name, column in columns.items() if column.notice),
            ),
            given=_given(file, options),
            options=options,
            decisions=tuple(relation.decisions),
            undecided=tuple(
                Undecided(name, column.candidates, f"{name!r} {column.evidence}.")
                for name, column in columns.items()
                if column.candidates
            ),
            head=relation.head,
            sheets=relation.sheets,
            labels={
                name: relation.labels[label]
                for name, label in zip(names, relation.names, strict=True)
                if label in relation.labels
            },
            lost={name: column.lost for name, column in columns.items() if column.lost},
            complete=file.complete and relation.complete,
        )
        return BuiltTable(out, result, fingerprint(out))


def _without_spacers(
    relation: Relation, names: list[str], wanted: Collection[str]
) -> tuple[Relation, list[str], tuple[str, ...]]:
    """Leave out columns that have neither a name nor a value, in a table whose other columns have names.

    Returns
    -------
    relation : Relation
    names : list of str
        Names of its columns.
    notices : tuple of str
        Sentences about what was left out.
    """
    kept = [
        i
        for i, (label, column) in enumerate(zip(relation.names, relation.columns, strict=True))
        if label.strip() or not column.empty or names[i] in wanted
    ]
    count = len(names) - len(kept)
    if not count or not any(relation.names[i].strip() for i in kept):
        return relation, names, ()
    were = "column was" if count == 1 else "columns were"
    notice = f"{count:,} {were} left out, with neither a name nor values."
    columns, labels = [relation.columns[i] for i in kept], [relation.names[i] for i in kept]
    return replace(relation, columns=columns, names=labels), [names[i] for i in kept], (notice,)


def _given(file: SourceFile, resolved: ReadOptions) -> ReadOptions:
    """Return the options that were given, with the types that were taken over from another table."""
    taken = {name: resolved.column_types[name] for name in file.like if name in resolved.column_types}
    return file.options.model_copy(update={"column_types": {**taken, **file.options.column_types}})


def _resolved(given: ReadOptions, relation: Relation, columns: Mapping[str, TextColumn]) -> ReadOptions:
    """Return the options that repeat a reading."""
    unknown = [name for name in given.column_types if name not in columns]
    if unknown:
        require_columns(columns, unknown, hint="Name the columns as they are in the table.")
    values = {decision.name: decision.value for decision in relation.decisions}
    types = {name: column.format.spec for name, column in columns.items() if column.format is not None}
    return ReadOptions(**{**given.model_dump(), **values, "column_types": types})


def _store(connection: duckdb.DuckDBPyConnection, relation: Relation, names: Sequence[str], out: Path) -> None:
    """Write the relation as Parquet."""
    import duckdb

    selected = ", ".join(f"{column.sql} AS {identifier(n)}" for column, n in zip(relation.columns, names, strict=True))
    try:
        (stored,) = connection.execute(
            f"COPY (SELECT {selected} FROM {relation.sql}) TO {literal(out)} (FORMAT parquet)"
        ).fetchone() or (0,)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise InputError("The file is damaged: not all of it can be read.", "Write it again and upload it.") from error
    if stored != relation.rows:  # the reader drops a row whose cast fails; types are chosen so that none does
        raise InputError(
            f"Only {stored:,} of {relation.rows:,} rows could be stored.",
            "This is a defect of Plumbline. Please report it with the file.",
        )


def _check_cells(
    connection: duckdb.DuckDBPyConnection, out: Path, names: Sequence[str], relation: Relation, limits: Limits
) -> None:
    """Raise LimitError when a stored text is too long; of delimited text, only rows within a limit were read."""
    texts = [name for name, column in zip(names, relation.columns, strict=True) if column.kind == "text"]
    if not texts or (relation.lines is not None and limits.max_cell_bytes >= MAX_RECORD_BYTES):
        return
    longest = ", ".join(f"max(strlen({identifier(name)}))" for name in texts)
    sizes = connection.execute(f"SELECT {longest} FROM read_parquet({literal(out)})").fetchone() or ()
    for name, size in zip(texts, sizes, strict=True):
        limits.check_cell(size or 0, name)
