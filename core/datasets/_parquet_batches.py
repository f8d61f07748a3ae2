"""A stored table read batch by batch, in memory that does not grow with the rows or with their texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import LimitError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["ParquetBatches", "decoding_mb", "is_text", "text_columns"]

_BATCH_BYTES = 8 * 2**20
_BATCH_ROWS = 65_536
_BUFFER_BYTES = 2**20
_PAGE_BYTES = 100 * 2**20  # of the largest page that DuckDB writes
_DICTIONARY_BYTES = 32 * 2**20
_PROBED_ROWS = 256
_CELL_BYTES = 8  # of a number, and of the offset of a text


class ParquetBatches:
    """A Parquet file that is read batch by batch.

    Texts that are stored once and used often are read as codes of a dictionary: a text of a megabyte in a million rows
    has a million codes here, and is written out for those rows alone that are taken.
    """

    def __init__(self, path: str | Path, columns: Sequence[str] | None) -> None:
        import pyarrow.parquet as pq

        schema = pq.read_schema(path)
        self.columns = list(dict.fromkeys(schema.names if columns is None else columns))
        self.schema = schema if columns is None else _selected(schema, self.columns)
        self._path = path
        self._texts = {field.name for field in self.schema if is_text(field.type)}
        self._metadata: pq.FileMetaData = pq.read_metadata(path)
        self.total: int = self._metadata.num_rows

    def batches(self, positions: np.ndarray | None = None) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Yield the batches with the position of their first row; with `positions`, only those that have one."""
        import numpy as np

        start = 0
        for number in range(self._metadata.num_row_groups):
            rows = self._metadata.row_group(number).num_rows
            if positions is None or np.diff(np.searchsorted(positions, [start, start + rows]))[0]:
                first = start
                for batch in self._row_group(number):
                    yield first, batch
                    first += len(batch)
            start += rows

    def _row_group(self, number: int) -> Iterator[pa.RecordBatch]:
        group = self._metadata.row_group(number)
        chunks = [group.column(index) for index in range(group.num_columns)]
        wanted = set(self.columns)
        chunks = [chunk for chunk in chunks if chunk.path_in_schema in wanted or _top(chunk.path_in_schema) in wanted]
        repeated = [chunk for chunk in chunks if chunk.path_in_schema in self._texts and chunk.has_dictionary_page]
        # The dictionary of a column grows from batch to batch until it has all of its values, so it has to be small.
        coded = [chunk.path_in_schema for chunk in repeated if chunk.total_uncompressed_size <= _DICTIONARY_BYTES]
        large = [chunk.path_in_schema for chunk in repeated if chunk.path_in_schema not in coded]
        # Of repeated values next to nothing is stored: a cell counts as a number at least.
        size = sum(chunk.total_uncompressed_size for chunk in chunks) / max(group.num_rows, 1)
        size += _CELL_BYTES * len(self.columns)
        if large:  # how long its texts are is seen in the first of them alone
            first = next(self._batches(number, _PROBED_ROWS, large, large), None)
            size += 0.0 if first is None else float(self.row_bytes(first).mean())
        yield from self._batches(number, max(1, min(_BATCH_ROWS, int(_BATCH_BYTES / size))), self.columns, coded)

    def _batches(self, number: int, rows: int, columns: list[str], coded: list[str]) -> Iterator[pa.RecordBatch]:
        import pyarrow.parquet as pq

        with pq.ParquetFile(
            self._path, metadata=self._metadata, read_dictionary=coded, buffer_size=_BUFFER_BYTES, pre_buffer=False
        ) as file:
            for batch in file.iter_batches(rows, row_groups=[number], columns=columns, use_threads=False):
                # A name with a dot is taken for a path too, and so are columns whose names begin with another's.
                yield batch.select(columns)

    def row_bytes(self, batch: pa.RecordBatch, max_chars: int | None = None) -> np.ndarray:
        """Return the bytes that each row takes once its texts are written out."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        sizes = np.full(len(batch), float(_CELL_BYTES * batch.num_columns))
        for column in batch.columns:
            if pa.types.is_dictionary(column.type) and is_text(column.type.value_type):
                lengths = pc.binary_length(column.dictionary).to_numpy(zero_copy_only=False).astype(float)
                if max_chars is not None:
                    lengths = np.minimum(lengths, 4.0 * max_chars)
                codes = pc.fill_null(column.indices, -1).to_numpy(zero_copy_only=False)
                sizes += np.append(lengths, 0.0)[codes]
            elif is_text(column.type):
                lengths = pc.fill_null(pc.binary_length(column), 0).to_numpy(zero_copy_only=False).astype(float)
                sizes += lengths if max_chars is None else np.minimum(lengths, 4.0 * max_chars)
            elif not pa.types.is_primitive(column.type) and len(column):
                sizes += column.nbytes / len(column)
        return sizes

    def numbers(self, batch: pa.RecordBatch, name: str) -> np.ndarray:
        """Return a column of whole numbers."""
        import numpy as np

        return np.asarray(batch.column(name).to_numpy(zero_copy_only=False), dtype=np.int64)

    def too_large(self, rows: int, max_bytes: int) -> LimitError:
        """Return the error of rows that have too many bytes."""
        names = ", ".join(repr(name[:60]) for name in self.columns[:3])
        more = " and others" if len(self.columns) > 3 else ""
        return LimitError(
            f"The cells of {rows:,} rows in {names}{more} have more than {max_bytes / 2**20:,.0f} MB.",
            "Choose columns of shorter texts.",
        )


def _top(path: str) -> str:
    return path.split(".")[0]


def decoding_mb(path: str | Path) -> float:
    """Return the memory that reading any part of a Parquet file needs for a moment (MB); 0 where it is little.

    A column is decoded page by page, and a page may have a tenth of a gigabyte: it is not known before, and two are in
    memory at a time.
    """
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(path)
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    largest = max(
        (group.column(index).total_uncompressed_size for group in groups for index in range(group.num_columns)),
        default=0,
    )
    return 0.0 if largest < _BATCH_BYTES else 2 * min(largest, _PAGE_BYTES) / 2**20


def text_columns(path: str | Path) -> list[str]:
    """Return the names of the columns of a Parquet file that hold texts."""
    import pyarrow.parquet as pq

    return [field.name for field in pq.read_schema(path) if is_text(field.type)]


def _selected(schema: pa.Schema, names: Sequence[str]) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([schema.field(name) for name in names], metadata=schema.metadata)


def is_text(kind: pa.DataType) -> bool:
    """Return whether a type of Arrow is that of texts."""
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
