"""Conversion between stored Parquet files and pandas frames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["load_frame", "load_random_rows", "store_frame", "to_arrow", "to_frame"]

_EXACT = 2**53  # largest range of integers that float64 holds without loss
_BATCH_CELLS = 2_000_000


def load_frame(path: str | Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Load a stored table into pandas.

    Integers with missing cells become float64 (as everywhere in scikit-learn), unless that would
    change a value; then they become pandas' Int64. Booleans with missing cells become pandas' boolean.

    Parameters
    ----------
    path : path
        Path of the Parquet file.
    columns : list of str, optional
        Columns to load; by default all.

    Returns
    -------
    pandas.DataFrame
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, pre_buffer=False) as file:
        return to_frame(file.read(columns=columns))


def load_random_rows(path: str | Path, rows: int, *, seed: int = 0) -> pd.DataFrame:
    """Load a random sample of the rows of a stored table, in their order, without holding the others in memory.

    Parameters
    ----------
    path : path
        Path of the Parquet file.
    rows : int
        Number of rows; a table of fewer rows is loaded whole.
    seed : int, default=0
        Seed of the random number generator that draws the rows.

    Returns
    -------
    pandas.DataFrame
        Rows with the types that `load_frame` gives them.

    See Also
    --------
    load_frame : Load all rows.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, pre_buffer=False) as file:
        total = file.metadata.num_rows
        if total <= rows:
            return to_frame(file.read())
        chosen = np.sort(np.random.default_rng(seed).choice(total, rows, replace=False))
        taken, start = [], 0
        for batch in file.iter_batches(batch_size=max(1_024, min(65_536, _BATCH_CELLS // file.metadata.num_columns))):
            first, last = np.searchsorted(chosen, [start, start + len(batch)])
            taken.append(batch.take(pa.array(chosen[first:last] - start)))
            start += len(batch)
        return to_frame(pa.Table.from_batches(taken))


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Convert an Arrow table to pandas with the types that `load_frame` gives it."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    series: dict[str, pd.Series] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if column.null_count and pa.types.is_boolean(column.type):
            series[name] = column.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)
        elif column.null_count and pa.types.is_integer(column.type):
            span = pc.min_max(column).as_py()
            exact = span["min"] is None or (span["min"] >= -_EXACT and span["max"] <= _EXACT)
            mapper = None if exact else {column.type: pd.Int64Dtype()}.get
            series[name] = column.to_pandas(types_mapper=mapper)
        elif pa.types.is_date(column.type):
            series[name] = column.cast(pa.timestamp("us")).to_pandas()
        else:
            series[name] = column.to_pandas()
    return pd.DataFrame(series, copy=False)


def store_frame(frame: pd.DataFrame, path: Path) -> Path:
    """Write a frame to Parquet as `read_table` stores it; mixed objects become text.

    Parameters
    ----------
    frame : pandas.DataFrame
        Table to store, without its index.
    path : Path
        File to write.

    Returns
    -------
    Path
        `path`.

    See Also
    --------
    load_frame : Load the table again.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = [to_arrow(frame.iloc[:, position]) for position in range(frame.shape[1])]
    pq.write_table(pa.table(arrays, names=[str(name) for name in frame.columns]), path)
    return path


def to_arrow(series: pd.Series) -> pa.Array:
    """Convert a column to Arrow: NaN becomes missing, categories their values, mixed objects text."""
    import pyarrow as pa

    try:
        array = pa.array(series, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):  # several types, or huge integers: stored as text
        array = pa.array(series.map(str, na_action="ignore"), from_pandas=True)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array
