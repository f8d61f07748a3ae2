"""Rows of a batch in chunks, such as days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.columns import require_columns
from core.errors import InputError, SettingsError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Chunks", "chunk_rows"]

Chunks: TypeAlias = "int | str | Sequence[object] | None"
"""A number of equal chunks in the order of the rows, a column whose values name them, or a name per row."""


def chunk_rows(frame: pd.DataFrame, chunks: Chunks) -> list[tuple[str, NDArray[np.intp]]]:
    """Return the name and the positions of the rows of each chunk; nothing where there are no chunks.

    Parameters
    ----------
    frame : DataFrame
        The batch.
    chunks : int, str, sequence or None
        Number of chunks, column of their names (or days of dates), or name of each row's chunk.

    Raises
    ------
    SettingsError
        When the number is below 1 or above the rows.
    InputError
        When the column is missing, or the names do not fit the rows.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"month": ["may", "may", "june"]})
    >>> [(name, rows.tolist()) for name, rows in chunk_rows(frame, "month")]
    [('may', [0, 1]), ('june', [2])]
    >>> [rows.tolist() for _, rows in chunk_rows(frame, 2)]
    [[0, 1], [2]]
    """
    if chunks is None:
        return []
    if isinstance(chunks, int):
        if not 1 <= chunks <= len(frame):
            raise SettingsError(
                f"The batch has {len(frame):,} rows and cannot be cut into {chunks:,} chunks.",
                "Choose a number from 1 to the number of rows.",
            )
        parts = np.array_split(np.arange(len(frame)), chunks)
        return [(str(index + 1), part) for index, part in enumerate(parts)]
    names = _names(frame, chunks)
    codes = {name: code for code, name in enumerate(dict.fromkeys(names))}
    rows = np.array([codes[name] for name in names], dtype=np.intp)
    order = np.argsort(rows, kind="stable")
    parts = np.split(order, np.bincount(rows, minlength=len(codes)).cumsum()[:-1])
    return list(zip(codes, parts, strict=True))


def _names(frame: pd.DataFrame, chunks: str | Sequence[object]) -> list[str]:
    import pandas as pd

    if isinstance(chunks, str):
        require_columns(frame.columns, [chunks], what="The batch")
        series = frame[chunks]
        if pd.api.types.is_datetime64_any_dtype(series.dtype):
            series = series.dt.strftime("%Y-%m-%d")
        return ["(missing)" if missing else str(name) for name, missing in zip(series, series.isna(), strict=True)]
    if len(chunks) != len(frame):
        raise InputError(
            f"There are names of chunks for {len(chunks):,} rows, and the batch has {len(frame):,}.",
            "Give the name of a chunk for each row.",
        )
    return [str(name) for name in chunks]
