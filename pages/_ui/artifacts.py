"""Files of runs and tables, read once and cached by content; the one way in which pages read stored rows.

A page never holds more rows than `MAX_READ_ROWS`, nor more text than `MAX_READ_BYTES`: of what is larger it reads a
random sample, or the beginning, and `sample_note` says so beside the figures that rest on it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Hashable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from core.catalog import Run, artifacts
from core.datasets import (
    MAX_READ_BYTES,
    MAX_READ_ROWS,
    StoredRows,
    ValueCounts,
    count_values,
    decoding_mb,
    read_first_rows,
    read_rows_at,
    read_sample,
    row_positions,
)
from core.process_memory import give_back, is_high
from core.storage import get_store
from pages._ui import frame
from pages._ui.byte_cache import ByteCache
from pages._ui.read_notes import CELL_CHARS, cut_note, sample_note, sample_size

__all__ = [
    "CELL_CHARS",
    "column_names",
    "count",
    "cut_note",
    "digests",
    "first_rows",
    "frame_bytes",
    "json_of",
    "keep",
    "path_of",
    "predictions",
    "predictions_of",
    "raw_rows",
    "read_json",
    "rows_at",
    "rows_with_ids",
    "sample",
    "sample_note",
    "sample_size",
    "value_counts",
]

T = TypeVar("T")

_MB = 2**20
_OBJECTS_PER_BYTE = 6  # what a byte of JSON takes as objects of Python
_SHOWN_BYTES = 8 * _MB

_tables = ByteCache(80 * _MB)
_contents = ByteCache(24 * _MB)


def json_of(run: Run, name: str) -> dict[str, Any]:
    """Return a JSON file of a run, which callers must not change."""
    return read_json(artifacts.get(run.id, name, access=frame.access()).digest)


def predictions_of(run: Run, name: str) -> StoredRows:
    """Return the predictions in a file of a run, as `predictions` does."""
    return predictions(artifacts.get(run.id, name, access=frame.access()).digest)


def path_of(run: Run, name: str) -> Path:
    """Return the path of a run's file on this machine."""
    return get_store().local_path(artifacts.get(run.id, name, access=frame.access()).digest)


def digests(run: Run) -> dict[str, str]:
    """Return the digest of each file of a run by its name."""
    return {item.name: item.digest for item in artifacts.find(run.id, access=frame.access())}


def read_json(digest: str, change: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> dict[str, Any]:
    """Read a stored JSON file, which callers must not change.

    Parameters
    ----------
    digest : str
        Digest of the file.
    change : callable, optional
        Function that returns what is kept of its content.
    """

    def read() -> tuple[dict[str, Any], int]:
        content = get_store().read_bytes(digest)
        values: dict[str, Any] = json.loads(content)
        if change is not None:
            values = change(values)
            content = json.dumps(values).encode()
        return values, _OBJECTS_PER_BYTE * len(content)

    return _contents.get((digest, change), read, lambda pair: pair[1])[0]


def count(digest: str) -> int:
    """Return the number of rows of a stored table."""
    rows: int = pq.read_metadata(get_store().local_path(digest)).num_rows
    return rows


def column_names(digest: str) -> list[str]:
    """Return the names of the columns of a stored table."""
    names: list[str] = pq.read_schema(get_store().local_path(digest)).names
    return names


def predictions(digest: str) -> StoredRows:
    """Return stored predictions with their row_id, or a sample of them; files of the same rows give the same sample."""
    return _sampled(digest, None, "row_id", MAX_READ_ROWS, MAX_READ_BYTES)


def sample(
    digest: str, columns: tuple[str, ...] | None = None, *, rows: int | None = None, max_bytes: int = MAX_READ_BYTES
) -> StoredRows:
    """Return columns of a stored table, all of its rows or a random sample; callers must not change them."""
    return _sampled(digest, columns, None, MAX_READ_ROWS if rows is None else rows, max_bytes)


def _sampled(digest: str, columns: tuple[str, ...] | None, by: str | None, rows: int, max_bytes: int) -> StoredRows:
    return _tables.get(
        ("sample", digest, columns, by, rows, max_bytes),
        lambda: read_sample(get_store().local_path(digest), columns=columns, max_rows=rows, max_bytes=max_bytes, by=by),
        lambda rows: frame_bytes(rows.frame) + rows.positions.nbytes,
        _needed_mb(digest),
    )


def rows_at(digest: str, columns: tuple[str, ...], positions: np.ndarray) -> pd.DataFrame:
    """Return columns of the rows at these positions, which are the index; callers must not change them.

    Raises
    ------
    LimitError
        When their cells are larger than a page may read.
    """
    return _tables.get(
        ("rows", digest, columns, hashlib.blake2b(positions.tobytes()).digest()),
        lambda: read_rows_at(get_store().local_path(digest), columns, positions),
        frame_bytes,
        _needed_mb(digest),
    )


def rows_with_ids(digest: str, row_ids: np.ndarray) -> pd.DataFrame:
    """Return the stored predictions of the rows with these ids, in their order; the ids are the index."""
    path = get_store().local_path(digest)

    def read() -> pd.DataFrame:
        rows = read_rows_at(path, None, row_positions(path, "row_id", row_ids))
        return rows.set_index("row_id").loc[row_ids]

    return _tables.get(("ids", digest, hashlib.blake2b(row_ids.tobytes()).digest()), read, frame_bytes)


def value_counts(digest: str, column: str) -> ValueCounts:
    """Return the distinct values of a column with their rows; where they are many, counting ends."""
    return _tables.get(
        ("counts", digest, column),
        lambda: count_values(get_store().local_path(digest), column),
        lambda counted: int(counted.counts.memory_usage(deep=True)),
        _needed_mb(digest),
    )


def raw_rows(digest: str) -> pd.DataFrame:
    """Return the first rows of a stored table as they are, with the index that they were stored with."""
    return _tables.get(
        ("raw", digest),
        lambda: read_first_rows(get_store().local_path(digest), MAX_READ_ROWS).frame,
        frame_bytes,
        _needed_mb(digest),
    )


def keep(key: Hashable, make: Callable[[], T], size_of: Callable[[T], int]) -> T:
    """Return what is made from stored rows, made once and kept while there is room; callers must not change it.

    Parameters
    ----------
    key : hashable
        Key that says all that it is made from.
    make : callable
        Function that makes it.
    size_of : callable
        Function that returns its bytes.
    """
    return _tables.get(("made", key), make, size_of)


def first_rows(path: Path, rows: int) -> StoredRows:
    """Return the first rows of a Parquet file to show them: long texts are cut."""
    needed_mb = decoding_mb(path)
    if is_high(needed_mb):
        _tables.clear()
        give_back()
    try:
        return read_first_rows(path, rows, max_bytes=_SHOWN_BYTES, max_chars=CELL_CHARS)
    finally:
        if needed_mb:
            give_back()


@lru_cache(maxsize=256)
def _needed_mb(digest: str) -> float:
    """Return the memory that reading a stored table needs for a moment."""
    return decoding_mb(get_store().local_path(digest))


def frame_bytes(table: pd.DataFrame) -> int:
    """Return the bytes of a table in memory."""
    return int(table.memory_usage(index=True, deep=True).sum())
