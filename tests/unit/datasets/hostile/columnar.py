"""Hostile files of columns: Parquet, Feather, ORC and Avro."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather, orc

from tests.unit.datasets.hostile.record import HostileFile

__all__ = ["COLUMNAR"]


def repeated(value: object, rows: int) -> pa.Array:
    """Return an array with the same value in each row, which takes little memory."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype="i1")), pa.array([value]))


def text_table(size: int, rows: int) -> pa.Table:
    return pa.table({"t": repeated("x" * size, rows), "n": pa.array(np.zeros(rows, dtype="i1"))})


def struct_table(fields: int, rows: int) -> pa.Table:
    column = pa.StructArray.from_arrays(
        [pa.nulls(rows, pa.int8())] * fields, [f"field number {i}" for i in range(fields)]
    )
    return pa.table({"s": column})


def list_table(items: int, rows: int) -> pa.Table:
    values = pa.nulls(items * rows, pa.int8())
    return pa.table({"l": pa.ListArray.from_arrays(pa.array(np.arange(rows + 1, dtype="i4") * items), values)})


def nested_table(depth: int) -> pa.Table:
    column = pa.array([1, 2, 3])
    for _ in range(depth):
        column = pa.ListArray.from_arrays(pa.array(range(len(column) + 1), pa.int32()), column)
    return pa.table({"d": column})


def wide_table(columns: int, name: str = "c{}") -> pa.Table:
    return pa.table([pa.array([1, 2])] * columns, names=[name.format(i) for i in range(columns)])


def zeros(rows: int) -> pa.Table:
    return pa.table({"z": np.zeros(rows, dtype="i1")})


def strange(kind: pa.DataType, values: list[object]) -> pa.Table:
    return pa.table({"v": pa.array(values, kind), "n": range(len(values))})


_STRANGE: dict[str, tuple[pa.DataType, list[object]]] = {
    "extreme dates": (pa.date32(), [2**31 - 1, -(2**31), 0]),
    "extreme seconds": (pa.timestamp("s"), [2**62, -(2**62), 0]),
    "extreme nanoseconds": (pa.timestamp("ns"), [2**63 - 1, -(2**63) + 1, 0]),
    "wide decimals": (pa.decimal128(38, 10), [10**27, -(10**27), 0]),
    "decimals of 256 bits": (pa.decimal256(76, 0), [10**75, -(10**75), 0]),
    "bytes": (pa.binary(), [b"\xff" * 100, b"\0", b""]),
    "fixed bytes": (pa.binary(16), [b"\xff" * 16, b"\0" * 16, None]),
    "durations": (pa.duration("us"), [2**62, -(2**62), 0]),
    "times": (pa.time64("us"), [86_399_999_999, 0, 1]),
    "floats": (pa.float64(), [float("nan"), float("inf"), -1e308]),
    "half floats": (pa.float16(), [np.float16(1), np.float16(6e4), np.float16(0)]),
    "nothing": (pa.null(), [None, None, None]),
    "maps": (pa.map_(pa.string(), pa.int8()), [[("a", 1)], [("a", 1), ("a", 2)], []]),
}


def parquet(path: Path, table: Callable[[], pa.Table], **options: object) -> None:
    pq.write_table(table(), path, **options)


def feathered(path: Path, table: Callable[[], pa.Table], compression: str = "zstd") -> None:
    feather.write_feather(table(), path, compression=compression)


def streamed(path: Path, batches: int) -> None:
    """Write an Arrow file of many small batches."""
    batch = pa.record_batch({"a": [1]})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        for _ in range(batches):
            writer.write_batch(batch)


def lying(path: Path, write: Callable[[Path], object], where: float, value: bytes, count: int = 1) -> None:
    """Write a file, and then other bytes at some part of it; the end of a Parquet file is its footer."""
    write(path)
    content = bytearray(path.read_bytes())
    for i in range(count):
        at = min(int(len(content) * where) + i * (len(value) + 3), len(content) - len(value))
        content[at : at + len(value)] = value
    path.write_bytes(content)


def footer_length(path: Path, length: int) -> None:
    parquet(path, partial(wide_table, 3))
    content = path.read_bytes()
    path.write_bytes(content[:-8] + struct.pack("<I", length) + b"PAR1")


def many_groups(path: Path, groups: int) -> None:
    with pq.ParquetWriter(path, pa.schema({"a": pa.int8()})) as writer:
        for _ in range(groups):
            writer.write_table(pa.table({"a": pa.array([1], pa.int8())}))


def _small(path: Path) -> None:
    parquet(path, lambda: pa.table({"t": ["some text", "more"] * 500, "n": range(1000), "x": np.linspace(0, 1, 1000)}))


def _small_feather(path: Path, compression: str = "uncompressed") -> None:
    feathered(path, lambda: pa.table({"t": ["some text", "more"] * 50, "n": range(100)}), compression)


def _small_orc(path: Path) -> None:
    orc.write_table(pa.table({"t": ["some text", "more"] * 50, "n": range(100)}), path)


def varint(number: int) -> bytes:
    """Return a number as Avro writes it."""
    number = (number << 1) ^ (number >> 63)
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def avro(
    path: Path, schema: str, body: bytes, count: int, codec: str = "null", size: int | None = None, filled: int = 0
) -> None:
    """Write an Avro file with one block, whose count and size may lie."""
    body += b"x" * filled
    sync = b"s" * 16
    if codec == "deflate":
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        body = packer.compress(body) + packer.flush()
    pairs = {b"avro.schema": schema.encode(), b"avro.codec": codec.encode()}
    head = b"Obj\x01" + varint(len(pairs))
    for key, value in pairs.items():
        head += varint(len(key)) + key + varint(len(value)) + value
    path.write_bytes(head + b"\0" + sync + varint(count) + varint(len(body) if size is None else size) + body + sync)


def _record(fields: str) -> str:
    return f'{{"type": "record", "name": "r", "fields": [{fields}]}}'


_TEXT = _record('{"name": "t", "type": "string"}')
_LIST = _record('{"name": "l", "type": {"type": "array", "items": "null"}}')
_NULLS = _record('{"name": "n", "type": "null"}')
_LINKED = _record('{"name": "next", "type": ["null", "r"]}')
_BYTES = (b"\xff\xff\xff\xff\xff\xff\xff\x7f", b"\xff" * 8, b"\0" * 8, b"\x80\x80\x80\x80\x08", b"\x7f\xff\xff\xff")
_LIES = [(where, value) for where in (0.02, 0.3, 0.6, 0.8, 0.9, 0.97) for value in _BYTES]

COLUMNAR: list[HostileFile] = [
    *(
        HostileFile(
            f"{name}/a text of {size:,} bytes in {rows:,} rows",
            partial(write, table=partial(text_table, size, rows)),
            size == 1_000_000 and rows > 1,
        )
        for name, write in (("parquet", parquet), ("feather", feathered))
        for size, rows in (
            (1_000_000, 1),
            (1_000_000, 3_000),
            (1_900_000, 100_000),
            (20_000_000, 2),
            (10_000, 1_000_000),
            (100, 3_000_000),
        )
    ),
    *(
        HostileFile(
            f"{name}/a structure of {fields} fields in {rows:,} rows",
            partial(write, table=partial(struct_table, fields, rows)),
            (name, fields) == ("parquet", 300),
        )
        for name, write in (("parquet", parquet), ("feather", feathered))
        for fields, rows in ((10, 1_000), (300, 100_000), (5, 5_000_000))
    ),
    *(
        HostileFile(
            f"{name}/a list of {items:,} in {rows:,} rows",
            partial(write, table=partial(list_table, items, rows)),
            (name, items) == ("feather", 10_000_000),
        )
        for name, write in (("parquet", parquet), ("feather", feathered))
        for items, rows in ((10, 1_000), (10_000_000, 5), (100, 300_000))
    ),
    *(
        HostileFile(
            f"{name}/lists nested {depth} deep", partial(write, table=partial(nested_table, depth)), depth == 60
        )
        for name, write in (("parquet", parquet), ("feather", feathered))
        for depth in (5, 60)
    ),
    *(
        HostileFile(f"{name}/{columns:,} columns", partial(write, table=partial(wide_table, columns)))
        for name, write in (("parquet", parquet), ("feather", feathered))
        for columns in (2_001, 20_000)
    ),
    *(
        HostileFile(
            f"{name}/a name of {size:,} characters",
            partial(write, table=partial(wide_table, 1, "x" * size)),
            size > 10**6,
        )
        for name, write in (("parquet", parquet), ("feather", feathered))
        for size in (1_000, 1_001, 5_000_000)
    ),
    *(
        HostileFile(f"{name}/{rows:,} rows of zeros", partial(write, table=partial(zeros, rows)))
        for name, write in (("parquet", parquet), ("feather", feathered))
        for rows in (1_000_000, 20_000_000, 100_000_000)
    ),
    *(
        HostileFile(f"{name}/{what}", partial(write, table=partial(strange, kind, values)))
        for name, write in (("parquet", parquet), ("feather", feathered))
        for what, (kind, values) in _STRANGE.items()
        if (name, what) not in (("parquet", "extreme seconds"), ("parquet", "half floats"))
    ),
    *(
        HostileFile(
            f"parquet/bytes {value.hex()} at {where}",
            partial(lying, write=_small, where=where, value=value),
            where > 0.9,
        )
        for where, value in _LIES
    ),
    *(
        HostileFile(
            f"feather/bytes {value.hex()} at {where}",
            partial(lying, write=_small_feather, where=where, value=value),
            (where, value) == (0.6, _BYTES[0]),
        )
        for where, value in _LIES
    ),
    *(
        HostileFile(
            f"packed feather/bytes {value.hex()} at {where}",
            partial(lying, write=partial(_small_feather, compression="lz4"), where=where, value=value),
        )
        for where, value in _LIES
    ),
    *(
        HostileFile(
            f"orc/bytes {value.hex()} at {where}",
            partial(lying, write=_small_orc, where=where, value=value),
            (where, value) == _LIES[0],
        )
        for where, value in _LIES
    ),
    *(
        HostileFile(f"parquet/a footer of {length:,} bytes", partial(footer_length, length=length))
        for length in (0, 1, 2**31 - 1, 2**32 - 1)
    ),
    *(HostileFile(f"parquet/{groups:,} row groups", partial(many_groups, groups=groups)) for groups in (1_000, 20_000)),
    *(HostileFile(f"feather/{batches:,} batches", partial(streamed, batches=batches)) for batches in (0, 20_000)),
    HostileFile(
        "orc/a text of 100,000 bytes in 20,000 rows",
        lambda path: orc.write_table(pa.table({"t": ["x" * 100_000] * 20_000}), path, compression="zstd"),
    ),
    HostileFile("orc/20,000,000 zeros", lambda path: orc.write_table(zeros(20_000_000), path)),
    HostileFile("orc/lists", lambda path: orc.write_table(list_table(1_000_000, 30), path, compression="zstd")),
    *(
        HostileFile(
            f"avro/{count:,} records of nothing",
            partial(avro, schema=_record(""), body=b"", count=count),
            count == 2**40,
        )
        for count in (0, -1, 10, 10_000_000, 2**40)
    ),
    *(
        HostileFile(
            f"avro/{count:,} records of a null", partial(avro, schema=_NULLS, body=b"", count=count), count == 2**40
        )
        for count in (10, 10_000_000, 2**40)
    ),
    *(
        HostileFile(
            f"avro/an array of {items:,} nulls",
            partial(avro, schema=_LIST, body=varint(items) + b"\0", count=1),
            items == -5,
        )
        for items in (10, 100_000_000, 2**40, -5)
    ),
    *(
        HostileFile(
            f"avro/a text of {size:,} bytes",
            partial(avro, schema=_TEXT, body=varint(size) + b"x", count=1),
            size == 2**62,
        )
        for size in (1, -1, 2**31, 2**62)
    ),
    *(
        HostileFile(
            f"avro/a packed text of {size} MB",
            partial(avro, schema=_TEXT, body=varint(size * 2**20), count=1, codec="deflate", filled=size * 2**20),
        )
        for size in (1, 30, 300)
    ),
    *(
        HostileFile(f"avro/a block of {size:,} bytes", partial(avro, schema=_TEXT, body=b"\x02x", count=1, size=size))
        for size in (0, -1, 2**31, 2**62)
    ),
    *(
        HostileFile(
            f"avro/records nested {depth:,} deep",
            partial(avro, schema=_LINKED, body=b"\x02" * depth + b"\0", count=1),
            depth > 10**5,
        )
        for depth in (10, 5_000, 1_000_000)
    ),
    *(
        HostileFile(f"avro/schema {schema[:20]}", partial(avro, schema=schema, body=b"", count=1))
        for schema in ("", "{}", "[" * 5_000, '"int"', "null")
    ),
]
