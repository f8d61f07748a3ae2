"""Rows that are taken from a stored table batch by batch, and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.datasets._frame import to_frame
from core.datasets._parquet_batches import ParquetBatches, is_text

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

__all__ = ["RowParts", "StoredRows"]


@dataclass(frozen=True)
class StoredRows:
    """Some rows of a stored table.

    Parameters
    ----------
    frame : DataFrame
        Rows in the order of the table.
    positions : array of int
        Positions of the rows in the table.
    total : int
        Number of rows of the table.
    shortened : int, default=0
        Number of texts that were cut to the length that was asked for.
    """

    frame: pd.DataFrame
    positions: np.ndarray
    total: int
    shortened: int = 0

    @property
    def complete(self) -> bool:
        """Whether these are all rows of the table."""
        return len(self.positions) == self.total


class RowParts:
    """The rows that were taken so far."""

    def __init__(self, source: ParquetBatches, max_chars: int | None = None) -> None:
        self.rows, self.size, self.shortened = 0, 0.0, 0
        self._source, self._max_chars = source, max_chars
        self._batches: list[pa.RecordBatch] = []
        self._sizes: list[np.ndarray] = []
        self._positions: list[np.ndarray] = []

    def add(self, batch: pa.RecordBatch, start: int, taken: np.ndarray) -> None:
        """Take rows of a batch, and write their texts out."""
        import pyarrow as pa

        sizes = self._source.row_bytes(batch, self._max_chars)[taken]
        chosen = batch.take(pa.array(taken))
        columns = [
            self._written(column, field.type) for column, field in zip(chosen.columns, self._source.schema, strict=True)
        ]
        self._batches.append(pa.RecordBatch.from_arrays(columns, names=self._source.columns))
        self._sizes.append(sizes)
        self._positions.append(start + taken)
        self.rows += len(taken)
        self.size += float(sizes.sum())

    def _written(self, column: pa.Array, kind: pa.DataType) -> pa.Array:
        import pyarrow as pa
        import pyarrow.compute as pc

        coded = pa.types.is_dictionary(column.type)
        if not is_text(column.type.value_type if coded else column.type):
            return column
        if self._max_chars is None and pa.types.is_dictionary(kind):  # categories, which are a dictionary in pandas too
            return column
        if self._max_chars is None:
            return column.dictionary_decode() if coded else column
        texts = column.dictionary if coded else column
        long = pc.greater(pc.utf8_length(texts), self._max_chars)
        begun = pc.utf8_slice_codeunits(texts, 0, self._max_chars)
        marked = pc.binary_join_element_wise(begun, pa.scalar("…", texts.type), pa.scalar("", texts.type))
        cut = pc.if_else(long, marked, texts)
        self.shortened += pc.sum(long.take(column.indices) if coded else long).as_py() or 0
        return cut.take(column.indices) if coded else cut

    def thin(self, masks: list[np.ndarray], ranks: list[np.ndarray]) -> list[np.ndarray]:
        """Keep the rows of these masks only, and return the ranks that are left."""
        import pyarrow as pa

        for number, mask in enumerate(masks):
            self._batches[number] = self._batches[number].filter(pa.array(mask))
            self._sizes[number] = self._sizes[number][mask]
            self._positions[number] = self._positions[number][mask]
        self.size = float(sum(sizes.sum() for sizes in self._sizes))
        self.rows = sum(len(sizes) for sizes in self._sizes)
        return [part[mask] for part, mask in zip(ranks, masks, strict=True)]

    def table(self) -> pa.Table:
        """Return the rows as they are stored."""
        import pyarrow as pa

        schema = self._source.schema
        table = pa.Table.from_batches(self._batches) if self._batches else schema.empty_table()
        return table.cast(schema.remove_metadata()).replace_schema_metadata(schema.metadata)

    def result(self) -> StoredRows:
        """Return the rows as a frame, with the types of whoever stored them."""
        import numpy as np

        schema, table = self._source.schema, self.table()
        frame = table.to_pandas() if b"pandas" in (schema.metadata or {}) else to_frame(table)
        positions = np.concatenate(self._positions) if self._positions else np.zeros(0, dtype=np.int64)
        return StoredRows(frame, positions, self._source.total, self.shortened)
