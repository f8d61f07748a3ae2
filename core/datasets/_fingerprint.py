"""Fingerprint of a table: SHA-256 over its names, types and values, whatever its file format.

Each column is hashed separately, batch by batch, as a stream of canonical bytes that does not depend on the batches.
The digests of the columns are then hashed in order, with their names and types.

* Numbers are little-endian, -0.0 counts as 0.0 and NaN as missing. A float column of whole numbers with missing
  cells counts as integer, because pandas stores integers with missing cells like that.
* Dates and times are microseconds (a date is its midnight), and remaining nanoseconds are hashed separately.
* Text is its UTF-8 bytes, and separately the length of each cell; -1 stands for a missing cell.
* Missing cells of other types are zeros in the values, and their positions are hashed separately.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.datasets._frame import to_arrow
from core.resources import usable_cores

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["fingerprint"]

_BATCH_ROWS = 122_880  # DuckDB's row group
_EXACT = 2.0**53


def fingerprint(table: str | Path | pd.DataFrame) -> str:
    """Return the SHA-256 of a table's content.

    Parameters
    ----------
    table : path or pandas.DataFrame
        Table, or the path of its Parquet file; the index of a frame does not count.

    Returns
    -------
    str
        Digest of 64 hexadecimal digits. The order of rows and columns counts.

    Examples
    --------
    >>> import pandas as pd
    >>> a = fingerprint(pd.DataFrame({"x": [1.0, -0.0], "y": ["a", None]}))
    >>> b = fingerprint(pd.DataFrame({"x": [1.0, 0.0], "y": ["a", None]}))
    >>> c = fingerprint(pd.DataFrame({"x": [1.0, 0.0], "y": ["a", ""]}))
    >>> a == b, a == c
    (True, False)
    """
    if isinstance(table, str | Path):
        names, columns = _columns_of_file(Path(table))
    else:
        names, columns = [str(name) for name in table.columns], []
        for position in range(table.shape[1]):
            array = to_arrow(table.iloc[:, position])
            column = _Column(array.type)
            for start in range(0, len(array), _BATCH_ROWS):
                column.add(array.slice(start, _BATCH_ROWS))
            columns.append(column)
    whole = hashlib.sha256(b"plumbline table 1\n")
    for name, column in zip(names, columns, strict=True):
        kind, digest = column.digest()
        encoded = name.encode("utf-8", "surrogatepass")
        whole.update(f"{len(encoded)}:".encode() + encoded + f":{kind}:".encode() + digest)
    return whole.hexdigest()


def _columns_of_file(path: Path) -> tuple[list[str], list[_Column]]:
    """Return names and hashed columns of a Parquet file. Threads share the columns by their size, as hashing and
    decoding release the interpreter's lock."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, pre_buffer=False) as file:
        names = file.schema_arrow.names
        columns = [_Column(field.type) for field in file.schema_arrow]
        shares = _shares(_sizes(file.metadata, len(names)), usable_cores())

    def add(share: list[int]) -> None:
        with pq.ParquetFile(path, pre_buffer=False) as file:  # otherwise all row groups are read ahead
            for batch in file.iter_batches(_BATCH_ROWS, columns=[names[i] for i in share], use_threads=False):
                for i in share:
                    columns[i].add(batch.column(names[i]))

    with ThreadPoolExecutor(len(shares)) as pool:
        list(pool.map(add, shares))
    return names, columns


def _sizes(metadata: pq.FileMetaData, columns: int) -> list[int]:
    """Return the uncompressed bytes of each column."""
    sizes = [0] * columns
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for i in range(columns):
            sizes[i] += group.column(i).total_uncompressed_size
    return sizes


def _shares(sizes: list[int], count: int) -> list[list[int]]:
    """Divide positions among so many lists whose sums of sizes are about equal; the largest are dealt first."""
    shares: list[list[int]] = [[] for _ in range(min(count, len(sizes)))]
    for i in sorted(range(len(sizes)), key=lambda i: -sizes[i]):
        min(shares, key=lambda share: sum(sizes[j] for j in share)).append(i)
    return [sorted(share) for share in shares]


class _Column:
    """The running hashes of one column."""

    def __init__(self, arrow_type: pa.DataType) -> None:
        import pyarrow as pa

        types = pa.types
        if types.is_dictionary(arrow_type):
            arrow_type = arrow_type.value_type
        if types.is_null(arrow_type):
            arrow_type = pa.string()
        self.type = arrow_type
        self.rows = 0
        self.missing = False
        self.values = hashlib.sha256()
        self.aside = hashlib.sha256()  # positions of missing cells, lengths of text, nanoseconds
        self.whole: hashlib._Hash | None = None  # values of a float column as integers, while all are
        if types.is_boolean(arrow_type):
            self.kind, self._add = "boolean", self._add_boolean
        elif types.is_integer(arrow_type):
            self.kind, self._add = "integer", self._add_integer
        elif types.is_floating(arrow_type):
            self.kind, self._add, self.whole = "number", self._add_float, hashlib.sha256()
        elif types.is_date(arrow_type) or types.is_timestamp(arrow_type):
            zoned = types.is_timestamp(arrow_type) and arrow_type.tz is not None
            self.kind, self._add = "zoned" if zoned else "timestamp", self._add_time
        elif types.is_binary(arrow_type) or types.is_large_binary(arrow_type):
            self.kind, self._add = "binary", self._add_text
        else:
            self.kind, self._add = "text", self._add_text

    def add(self, array: pa.Array) -> None:
        """Hash the next values."""
        import pyarrow as pa

        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        self._add(array)
        self.rows += len(array)

    def digest(self) -> tuple[str, bytes]:
        """Return the logical type and the digest of all values."""
        kind, values = self.kind, self.values
        if self.whole is not None and self.missing:
            kind, values = "integer", self.whole
        return kind, hashlib.sha256(b"%d:" % self.rows + values.digest() + self.aside.digest()).digest()

    def _mark_missing(self, missing: np.ndarray) -> None:
        positions = np.flatnonzero(missing)
        if len(positions):
            self.missing = True
            self.aside.update((positions + self.rows).astype("<i8").data)

    def _filled(self, array: pa.Array, zero: object) -> np.ndarray:
        if array.null_count:
            self._mark_missing(array.is_null().to_numpy(zero_copy_only=False))
            array = array.fill_null(zero)
        return np.asarray(array.to_numpy(zero_copy_only=False))

    def _add_boolean(self, array: pa.Array) -> None:
        self.values.update(self._filled(array, False).astype("u1").data)

    def _add_integer(self, array: pa.Array) -> None:
        values = self._filled(array, 0)
        if values.dtype == np.uint64 and len(values) and values.max() > np.iinfo(np.int64).max:
            self.kind = "unsigned"
        self.values.update(np.ascontiguousarray(values.astype("<i8", copy=False)).data)

    def _add_float(self, array: pa.Array) -> None:
        values = array.to_numpy(zero_copy_only=False).astype("<f8")  # a copy: nulls are NaN here
        missing = np.isnan(values)
        self._mark_missing(missing)
        values[missing] = 0.0
        values += 0.0  # -0.0 becomes 0.0
        self.values.update(values.data)
        if self.whole is not None:
            if np.all(np.rint(values) == values) and np.all(np.abs(values) <= _EXACT):
                self.whole.update(values.astype("<i8").data)
            else:
                self.whole = None

    def _add_time(self, array: pa.Array) -> None:
        import pyarrow as pa

        unit = "D" if pa.types.is_date32(array.type) else "ms" if pa.types.is_date64(array.type) else array.type.unit
        ticks = array.cast(pa.int32()).cast(pa.int64()) if unit == "D" else array.cast(pa.int64())
        values = self._filled(ticks, 0)
        if unit == "ns":
            values, rest = np.divmod(values, 1000)
            odd = np.flatnonzero(rest)
            if len(odd):
                self.aside.update((odd + self.rows).astype("<i8").data)
                self.aside.update(rest[odd].astype("<i8").data)
        else:
            values = values * {"D": 86_400_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}[unit]
        self.values.update(np.ascontiguousarray(values, dtype="<i8").data)

    def _add_text(self, array: pa.Array) -> None:
        import pyarrow as pa

        types = pa.types
        if not (types.is_string(array.type) or types.is_binary(array.type)):
            if types.is_large_string(array.type) or types.is_large_binary(array.type):
                pass
            elif types.is_nested(array.type) or types.is_time(array.type) or types.is_duration(array.type):
                array = pa.array([None if v is None else str(v) for v in array.to_pylist()], pa.large_string())
            else:
                array = array.cast(pa.large_string())
        missing = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
        if missing is not None:
            array = array.fill_null(b"" if self.kind == "binary" else "")
        wide = types.is_large_string(array.type) or types.is_large_binary(array.type)
        _, offsets, data = array.buffers()
        if offsets is None or not len(array):
            return
        bounds = np.frombuffer(offsets, "<i8" if wide else "<i4")[array.offset : array.offset + len(array) + 1]
        lengths = np.diff(bounds).astype("<i4")
        if missing is not None:
            lengths[missing] = -1
        self.aside.update(lengths.data)
        if data is not None:
            self.values.update(memoryview(data)[bounds[0] : bounds[-1]])
