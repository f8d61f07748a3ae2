"""Some rows of a stored table, read without holding the others: bounded in rows and in bytes, whatever the file is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets._parquet_batches import ParquetBatches
from core.datasets._row_parts import RowParts, StoredRows
from core.errors import LimitError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = [
    "MAX_READ_BYTES",
    "MAX_READ_ROWS",
    "first_rows_table",
    "iter_numbers",
    "read_first_rows",
    "read_rows_at",
    "read_sample",
    "row_positions",
    "top_positions",
]

MAX_READ_ROWS = 100_000
"""Number of rows that are read at once, unless fewer or more are asked for; of more, so many are drawn."""

MAX_READ_BYTES = 32 * 2**20
"""Size of the cells that are read at once (bytes)."""


def read_first_rows(
    path: str | Path,
    rows: int,
    *,
    columns: Sequence[str] | None = None,
    max_bytes: int = MAX_READ_BYTES,
    max_chars: int | None = None,
) -> StoredRows:
    """Read the first rows of a stored table, as many as there is room for.

    Parameters
    ----------
    path : path
        Path of the Parquet file.
    rows : int
        Number of rows.
    columns : sequence of str, optional
        Columns to read; by default all.
    max_bytes : int, default=32 MiB
        Size of the cells that are read; the rows end before it is exceeded.
    max_chars : int, optional
        Length to which texts are cut, where an ellipsis then stands; `StoredRows.shortened` counts them. By default
        they are whole.

    See Also
    --------
    read_sample : Read random rows.

    Examples
    --------
    >>> import tempfile, pandas as pd
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pd.DataFrame({"text": ["abc", "de", "f"]}).to_parquet(f"{folder}/table.parquet")
    ...     first = read_first_rows(f"{folder}/table.parquet", 2, max_chars=2)
    >>> first.frame["text"].tolist(), first.total, first.shortened
    (['ab…', 'de'], 3, 1)
    """
    return _first_parts(path, rows, columns, max_bytes, max_chars).result()


def first_rows_table(path: str | Path, rows: int, *, max_bytes: int = MAX_READ_BYTES) -> pa.Table:
    """Return the first rows of a stored table as they are stored, as many as there is room for."""
    return _first_parts(path, rows, None, max_bytes, None).table()


def _first_parts(
    path: str | Path, rows: int, columns: Sequence[str] | None, max_bytes: int, max_chars: int | None
) -> RowParts:
    import numpy as np

    source = ParquetBatches(path, columns)
    parts = RowParts(source, max_chars)
    for start, batch in source.batches():
        taken = np.arange(min(len(batch), rows - parts.rows))
        inside = np.cumsum(source.row_bytes(batch, max_chars)[taken]) <= max_bytes - parts.size
        taken = taken[inside]
        parts.add(batch, start, taken)
        if len(taken) < len(batch):
            break
    return parts


def read_sample(
    path: str | Path,
    *,
    columns: Sequence[str] | None = None,
    max_rows: int = MAX_READ_ROWS,
    max_bytes: int = MAX_READ_BYTES,
    by: str | None = None,
    seed: int = 0,
) -> StoredRows:
    """Read all rows of a stored table, or a random sample of them where they are too many.

    Parameters
    ----------
    path : path
        Path of the Parquet file.
    columns : sequence of str, optional
        Columns to read; by default all.
    max_rows : int, default=100_000
        Number of rows that are read.
    max_bytes : int, default=32 MiB
        Size of the cells that are read; where the rows have more, fewer rows are drawn.
    by : str, optional
        Column of whole numbers that the rows are drawn by, so that files which share its values give the same rows; by
        default they are drawn by their positions.
    seed : int, default=0
        Seed of the drawing.

    Raises
    ------
    LimitError
        When not a single row is small enough.

    See Also
    --------
    read_rows_at : Read the rows at given positions.

    Examples
    --------
    >>> import tempfile, pandas as pd
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pd.DataFrame({"x": range(1000)}).to_parquet(f"{folder}/table.parquet")
    ...     sample = read_sample(f"{folder}/table.parquet", max_rows=100)
    >>> len(sample.frame), sample.total, sample.frame["x"].tolist() == sample.positions.tolist()
    (100, 1000, True)
    """
    import numpy as np

    wanted = columns if columns is None or by is None or by in columns else [*columns, by]
    source = ParquetBatches(path, wanted)
    parts = RowParts(source)
    # A few more than are wanted, so that it is rare that there are fewer; the surplus is left out at the end.
    level = min(1.0, (max_rows + 4 * max_rows**0.5) / max(source.total, 1))
    ranks: list[np.ndarray] = []
    for start, batch in source.batches():
        keys = np.arange(start, start + len(batch)) if by is None else source.numbers(batch, by)
        rank = _ranks(keys, seed)
        taken = np.flatnonzero(rank < level)
        size = source.row_bytes(batch)[taken]
        while parts.size + size.sum() > max_bytes:
            level /= 2
            ranks = parts.thin([part < level for part in ranks], ranks)
            inside = rank[taken] < level
            taken, size = taken[inside], size[inside]
        parts.add(batch, start, taken)
        ranks.append(rank[taken])
    if not parts.rows and source.total:
        raise LimitError(
            f"A row of these columns has more than {max_bytes / 2**20:,.0f} MB.", "Choose columns of shorter texts."
        )
    if parts.rows > max_rows:
        last = np.partition(np.concatenate(ranks), max_rows - 1)[max_rows - 1]
        parts.thin([part <= last for part in ranks], ranks)
    result = parts.result()
    if columns is not None and wanted is not columns:
        return StoredRows(result.frame[list(columns)], result.positions, result.total)
    return result


def read_rows_at(
    path: str | Path,
    columns: Sequence[str] | None,
    positions: np.ndarray,
    *,
    max_bytes: int = MAX_READ_BYTES,
    max_chars: int | None = None,
) -> pd.DataFrame:
    """Read the rows at given positions of a stored table.

    Parameters
    ----------
    path : path
        Path of the Parquet file.
    columns : sequence of str or None
        Columns to read; None for all.
    positions : array of int
        Positions of the rows, in any order.
    max_bytes : int, default=32 MiB
        Size of the cells that may be read.
    max_chars : int, optional
        Length to which texts are cut, where an ellipsis then stands. By default they are whole.

    Returns
    -------
    DataFrame
        The rows in the order of `positions`, which are the index.

    Raises
    ------
    LimitError
        When the cells have more bytes.

    See Also
    --------
    read_sample : Read random rows.
    """
    import numpy as np

    distinct, order = np.unique(np.asarray(positions, dtype=np.int64), return_inverse=True)
    source = ParquetBatches(path, columns)
    parts = RowParts(source, max_chars)
    for start, batch in source.batches(distinct):
        first, last = np.searchsorted(distinct, [start, start + len(batch)])
        taken = distinct[first:last] - start
        if parts.size + source.row_bytes(batch, max_chars)[taken].sum() > max_bytes:
            raise source.too_large(len(distinct), max_bytes)
        parts.add(batch, start, taken)
    frame = parts.result().frame.iloc[order]
    return frame.set_axis(np.asarray(positions), axis=0)


def top_positions(path: str | Path, column: str, count: int) -> np.ndarray:
    """Return the positions of the rows with the highest numbers in a column, the highest first.

    Parameters
    ----------
    path : path
        Path of the Parquet file.
    column : str
        Column of numbers. Rows without a number come last; ties are in the order of the table.
    count : int
        Number of rows.
    """
    import numpy as np

    best = np.zeros(0)
    positions = np.zeros(0, dtype=np.int64)
    start = 0
    for values in iter_numbers(path, column):
        best = np.concatenate([best, np.where(np.isnan(values), -np.inf, values)])
        positions = np.concatenate([positions, start + np.arange(len(values))])
        order = np.argsort(-best, kind="stable")[:count]  # those from before come first, so ties stay in order
        best, positions = best[order], positions[order]
        start += len(values)
    return positions


def iter_numbers(path: str | Path, column: str) -> Iterator[NDArray[np.float64]]:
    """Yield the numbers of a column part by part, NaN where a cell is missing.

    Parameters
    ----------
    path : path
        Path of the Parquet file.
    column : str
        Column of numbers.
    """
    import numpy as np

    source = ParquetBatches(path, [column])
    for _, batch in source.batches():
        yield np.asarray(batch.column(column).to_numpy(zero_copy_only=False), dtype=np.float64)


def row_positions(path: str | Path, column: str, values: np.ndarray) -> np.ndarray:
    """Return the positions of the rows whose whole number in a column is one of these, in the order of the table.

    Parameters
    ----------
    path : path
        Path of the Parquet file.
    column : str
        Column of whole numbers without missing cells.
    values : array of int
        Values to look for.
    """
    import numpy as np

    source = ParquetBatches(path, [column])
    parts = [
        start + np.flatnonzero(np.isin(source.numbers(batch, column), values)) for start, batch in source.batches()
    ]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def _ranks(keys: np.ndarray, seed: int) -> np.ndarray:
    """Return a number from 0 to 1 for each key that looks random, by the finalizer of splitmix64."""
    import numpy as np

    with np.errstate(over="ignore"):
        mixed = keys.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15) * np.uint64(seed + 1)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return (mixed ^ (mixed >> np.uint64(31))).astype(np.float64) / 2.0**64
