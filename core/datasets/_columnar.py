"""Reading of Parquet and Feather files, with the types of stored tables."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets._arrow_size import unpacked_size
from core.datasets._limits import Limits
from core.datasets._text_column import TextColumn
from core.errors import InputError
from core.query import literal

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["ColumnarTable", "feather_table", "parquet_footer", "parquet_table"]

_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_WIDE_INTEGERS = ("UBIGINT", "HUGEINT", "UHUGEINT")


@dataclass(frozen=True)
class ColumnarTable:
    """A relation with types: its SQL, names, number of rows, and how its columns are stored."""

    relation: str
    names: list[str]
    rows: int
    columns: list[TextColumn] = field(default_factory=list)


def parquet_table(connection: duckdb.DuckDBPyConnection, path: Path, limits: Limits) -> ColumnarTable:
    """Return the relation of a Parquet file.

    Raises
    ------
    InputError
        When the file is damaged.
    LimitError
        When it has, or unpacks to, more than the limits allow. The footer does not tell how far repeated values
        expand, so rows, columns and the width of text are checked before a value is copied.
    """
    import pyarrow.parquet as pq

    rows, names = parquet_footer(path, limits)
    relation = f"read_parquet({literal(path)})"
    table = _normalize(connection, relation, names, rows, limits, path.stat().st_size, "Parquet")
    return _with_durations(table, pq.read_schema(path))


def parquet_footer(path: Path, limits: Limits) -> tuple[int, list[str]]:
    """Return the rows and names of a Parquet file by its footer, once they are known to be within the limits.

    Raises
    ------
    InputError
        When the footer is damaged.
    LimitError
        When it has, or unpacks to, more than the limits allow. Lists and structures are stored as JSON, which repeats
        the names of their fields in each row.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            metadata, schema = file.metadata, file.schema
            rows, names = metadata.num_rows, list(file.schema_arrow.names)
            limits.check_shape(rows, len(names))
            nested = [i for i in range(metadata.num_columns) if "." in schema.column(i).path]
            expanded = 0
            for group in map(metadata.row_group, range(metadata.num_row_groups)):
                expanded += group.total_byte_size
                expanded += sum(group.column(i).num_values * (len(schema.column(i).path) + 4) for i in nested)
    except pa.ArrowMemoryError as error:
        raise MemoryError(str(error)) from error
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged("Parquet") from error
    limits.check_names(names)
    limits.check_expansion(expanded, path.stat().st_size)
    return rows, names


def feather_table(connection: duckdb.DuckDBPyConnection, path: Path, staged: Path, limits: Limits) -> ColumnarTable:
    """Return the relation of a Feather (Arrow IPC) file, after converting it to Parquet in `staged` batch by batch.

    Raises
    ------
    InputError
        When the file is damaged.
    LimitError
        When it has, or unpacks to, more than the limits allow.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pa.OSFile(str(path)) as source:  # a mapped file whose offsets lie ends the process
            expanded, rows = unpacked_size(source)
            limits.check_expansion(expanded, path.stat().st_size)
            source.seek(0)
            reader = pa.ipc.open_file(source)
            schema = reader.schema
            limits.check_shape(rows, len(schema))
            plain = pa.schema([pa.field(f"c{i}", _plain_type(f.type)) for i, f in enumerate(schema)])
            with pq.ParquetWriter(staged, plain) as writer:
                for i in range(reader.num_record_batches):
                    batch = reader.get_batch(i)
                    batch.validate(full=True)
                    arrays = [
                        array.cast(f.type) if array.type != f.type else array
                        for array, f in zip(batch.columns, plain, strict=True)
                    ]
                    writer.write_batch(pa.record_batch(arrays, schema=plain))
            names = list(schema.names)
    except pa.ArrowMemoryError as error:
        raise MemoryError(str(error)) from error
    except (pa.ArrowException, OSError, ValueError, struct.error) as error:
        raise _damaged("Feather") from error
    relation = f"read_parquet({literal(staged)})"
    table = _normalize(connection, relation, names, rows, limits, path.stat().st_size, "Feather")
    return _with_durations(table, schema)


def _with_durations(table: ColumnarTable, schema: pa.Schema) -> ColumnarTable:
    """Return the table with durations as seconds: Parquet stores them as integers, of whatever unit."""
    import pyarrow as pa

    columns = [
        TextColumn(
            "number", f"{column.sql} / {_PER_SECOND[field.type.unit]}", notice="holds durations; it has their seconds"
        )
        if pa.types.is_duration(field.type)
        else column
        for column, field in zip(table.columns, schema, strict=True)
    ]
    return replace(table, columns=columns)


def _plain_type(arrow_type: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    return arrow_type.value_type if pa.types.is_dictionary(arrow_type) else arrow_type


def _normalize(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    names: list[str],
    rows: int,
    limits: Limits,
    packed: int,
    what: str,
) -> ColumnarTable:
    """Choose the stored type of each column; every loss of numbers or dates is noted."""
    import duckdb

    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
        aliases = [f"c{i}" for i in range(len(described))]
        listed = ", ".join(aliases)
        relation = f"(SELECT * FROM {relation} AS t({listed}))"
        types = [str(dtype) for _, dtype, *_ in described]
        _check_text(connection, relation, names, aliases, types, rows, limits, packed)
        columns = [_column(connection, relation, a, t) for a, t in zip(aliases, types, strict=True)]
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise _damaged(what) from error
    return ColumnarTable(relation, names, rows, columns)


def _check_text(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    names: Sequence[str],
    aliases: Sequence[str],
    types: Sequence[str],
    rows: int,
    limits: Limits,
    packed: int,
) -> None:
    lengths = {"VARCHAR": "strlen", "BLOB": "octet_length"}
    text = [(n, f"{lengths[t]}({a})") for n, a, t in zip(names, aliases, types, strict=True) if t in lengths]
    expanded = 8 * rows * (len(aliases) - len(text))
    if text:
        # Repeated values are stored once; their lengths are added up without expanding them.
        sums = ", ".join(f"coalesce(sum({length}), 0), coalesce(max({length}), 0)" for _, length in text)
        sizes = connection.execute(f"SELECT {sums} FROM {relation}").fetchone() or ()
        expanded += int(sum(sizes[::2]))
        for (name, _), longest in zip(text, sizes[1::2], strict=True):
            limits.check_cell(longest, name)
    limits.check_expansion(expanded, packed)


def _column(connection: duckdb.DuckDBPyConnection, relation: str, name: str, dtype: str) -> TextColumn:
    if dtype == "BOOLEAN":
        return TextColumn("boolean", name)
    if dtype in _INTEGERS:
        return TextColumn("integer", f"{name}::BIGINT")
    if dtype in _WIDE_INTEGERS:
        beyond = connection.execute(
            f"SELECT count(*) FROM {relation} WHERE {name} IS NOT NULL AND try_cast({name} AS BIGINT) IS NULL"
        ).fetchone()
        if beyond and beyond[0]:
            return TextColumn("text", f"{name}::VARCHAR", notice="has integers beyond 64 bits; it is kept as text")
        return TextColumn("integer", f"{name}::BIGINT")
    if dtype in ("FLOAT", "DOUBLE"):
        # Not in WHERE: statistics in the footer ignore NaN, and DuckDB skips row groups by them.
        nan = connection.execute(f"SELECT count(*) FILTER (WHERE isnan({name})) FROM {relation}").fetchone()
        markers = {"NaN": int(nan[0])} if nan and nan[0] else {}
        return TextColumn("number", f"CASE WHEN NOT isnan({name}) THEN {name}::DOUBLE END", markers)
    if dtype.startswith("DECIMAL"):
        digits = int(dtype[8:].split(",")[0])
        notice = "has decimals of more than 15 digits, which are rounded" if digits > 15 else ""
        return TextColumn("number", f"{name}::DOUBLE", notice=notice)
    dated = dtype == "DATE" or (dtype.startswith("TIMESTAMP") and dtype != "TIMESTAMP_NS")
    if dated and (strange := _beyond_calendar(connection, relation, name)):
        notice = f"has {strange:,} dates before the year 1 or after 9999; it is kept as text"
        return TextColumn("text", f"{name}::VARCHAR", notice=notice)
    if dtype == "DATE":
        return TextColumn("date", name)
    if dtype == "TIMESTAMP WITH TIME ZONE":
        return TextColumn("timestamp", name)
    if dtype.startswith("TIMESTAMP"):
        notice = ""
        if dtype == "TIMESTAMP_NS":
            odd = connection.execute(f"SELECT count(*) FROM {relation} WHERE epoch_ns({name}) % 1000 <> 0").fetchone()
            notice = "has nanoseconds, which are truncated" if odd and odd[0] else ""
        return TextColumn("timestamp", f"{name}::TIMESTAMP", notice=notice)
    if dtype == "VARCHAR" or dtype.startswith("ENUM"):
        return TextColumn("text", f"{name}::VARCHAR")
    if dtype == "BLOB":
        return TextColumn("text", f"hex({name})", notice="holds bytes; they are kept as hexadecimal text")
    if dtype in ("TIME", "UUID", "INTERVAL"):
        notices = {"TIME": "holds times of day; it is kept as text", "INTERVAL": "holds durations; it is kept as text"}
        return TextColumn("text", f"{name}::VARCHAR", notice=notices.get(dtype, ""))
    return TextColumn(
        "text", f"to_json({name})::VARCHAR", notice="holds lists or structures; they are kept as JSON text"
    )


def _beyond_calendar(connection: duckdb.DuckDBPyConnection, relation: str, name: str) -> int:
    """Count the dates that neither Python nor pandas can hold."""
    row = connection.execute(
        f"SELECT count(*) FILTER (WHERE {name}::TIMESTAMP < TIMESTAMP '0001-01-01' "
        f"OR {name}::TIMESTAMP >= TIMESTAMP '9999-12-31 23:59:59') FROM {relation}"
    ).fetchone()
    return int(row[0]) if row else 0


def _damaged(what: str) -> InputError:
    return InputError(f"The {what} file is damaged or cut off.", "Write it again and upload it.")
