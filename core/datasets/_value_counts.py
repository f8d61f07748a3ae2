"""Distinct values of a column with their counts, in memory that does not grow with the rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets._frame import to_frame
from core.datasets._parquet_batches import ParquetBatches
from core.datasets._task import whole_numbers

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["ValueCounts", "count_values"]

_MAX_BYTES = 16 * 2**20


@dataclass(frozen=True)
class ValueCounts:
    """Distinct values of a column.

    Parameters
    ----------
    counts : Series of int
        Number of rows by value, the most frequent first. Where not all are known, those of the rows that were read.
    rows, missing : int
        Number of rows that were read, and of those without a value.
    complete : bool
        Whether all rows were read.
    """

    counts: pd.Series
    rows: int
    missing: int
    complete: bool


def count_values(
    path: str | Path, column: str, *, max_values: int = 10_000, max_bytes: int = _MAX_BYTES
) -> ValueCounts:
    """Count the rows of each value of a column.

    Parameters
    ----------
    path : path
        Path of the Parquet file.
    column : str
        Name of the column.
    max_values : int, default=10_000
        Number of distinct values after which counting ends; `ValueCounts.complete` is then false.
    max_bytes : int, default=16 MiB
        Size of the distinct values after which it ends.

    Examples
    --------
    >>> import tempfile, pandas as pd
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pd.DataFrame({"x": ["a", "b", None, "a"]}).to_parquet(f"{folder}/table.parquet")
    ...     counted = count_values(f"{folder}/table.parquet", "x")
    >>> counted.counts.to_dict(), counted.missing, counted.complete
    ({'a': 2, 'b': 1}, 1, True)
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    counts: dict[object, int] = {}
    rows, missing, size = 0, 0, 0
    source = ParquetBatches(path, [column])
    field = source.schema.field(column)
    for _, batch in source.batches():
        cells = batch.column(0)
        if pa.types.is_floating(cells.type):  # as in pandas, what is not a number is missing
            cells = pc.if_else(pc.is_nan(cells), None, cells)
        rows, missing = rows + len(cells), missing + cells.null_count
        for item in pc.value_counts(cells.drop_null()):
            value = item["values"].as_py()
            if value not in counts:
                size += len(value) if isinstance(value, str | bytes) else 8
            counts[value] = counts.get(value, 0) + item["counts"].as_py()
            if len(counts) > max_values or size > max_bytes:
                break
        if len(counts) > max_values or size > max_bytes:
            break
    complete = rows == source.total and len(counts) <= max_values and size <= max_bytes
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    index = _as_read([value for value, _ in ordered], field, missing=missing > 0)
    return ValueCounts(pd.Series([count for _, count in ordered], index=index, dtype="int64"), rows, missing, complete)


def _as_read(values: list[object], field: pa.Field, *, missing: bool) -> pd.Index:
    """Return values with the type that they have in the whole column: missing cells make integers of pandas floats."""
    import pandas as pd
    import pyarrow as pa

    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    cells = pa.array([*values, None] if missing else values, type=kind)
    series = whole_numbers(to_frame(pa.table({field.name: cells}))[field.name])
    return pd.Index(series.iloc[: len(values)])
