"""The inputs of an exported model's graph from a raw table, with pandas and NumPy.

`core.features` defines what a cell becomes. Its functions take some hundred microseconds per column, however few the
rows; columns whose type already says what they hold are converted directly here, to the same values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.columns import require_columns
from core.edge.export.metadata import Column
from core.edge.portable.words import count_words
from core.errors import InputError
from core.features import LARGEST, MISSING, NO_DATE, as_categories, as_dates, as_doubles, as_seconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["table_feeds"]


def table_feeds(frame: pd.DataFrame, columns: Sequence[Column]) -> dict[str, NDArray[Any]]:
    """Return the inputs of a graph, each of shape (n, 1); for a text column (n, words).

    Values are treated as in training: numbers that float32 cannot hold are missing, and so are invalid dates.

    Parameters
    ----------
    frame : DataFrame
        A table with the columns in any order; it may have others.
    columns : sequence of Column
        Columns as the model's metadata list them.

    Returns
    -------
    dict of array
        Numbers and booleans float32 (float64 for columns with a center) with NaN where missing; categories text with
        "(missing)"; dates int64 seconds since 1970 (UTC), with the smallest int64 where missing; texts the count of
        each word, int32.

    Raises
    ------
    InputError
        When it is not a table, a column is missing or occurs twice, a number column holds something else, or no cell of
        a date column is a date.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"job": ["a", None], "age": [20, None]})
    >>> feeds = table_feeds(frame, [Column("age", "number", "age"), Column("job", "category", "job")])
    >>> feeds["age"].tolist(), feeds["job"].tolist()
    ([[20.0], [nan]], [['a'], ['(missing)']])
    """
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"Rows are given as {type(frame).__name__}.", "Give a DataFrame with one column per feature.")
    require_columns(frame, [column.name for column in columns])
    feeds: dict[str, NDArray[Any]] = {}
    for column in columns:
        cells = frame[column.name]
        if cells.ndim > 1:
            raise InputError(f"The table has the column '{column.name}' {cells.shape[1]} times.", "Keep one of them.")
        if column.kind == "text":
            feeds[column.input] = count_words(_texts(cells), column.vocabulary)
            continue
        if column.kind == "category":
            values: NDArray[Any] = _categories(cells)
        else:
            cells = pd.to_numeric(cells, errors="coerce") if column.mixed else cells
            values = _dates(column.name, cells) if column.kind == "date" else _numbers(column, cells)
        feeds[column.input] = values.reshape(-1, 1)
    return feeds


def _numbers(column: Column, cells: pd.Series) -> NDArray[np.floating]:
    if _is_plain(cells, "iufb"):
        values = cells.to_numpy(dtype=float)
        values = np.where(np.abs(values) <= LARGEST, values, np.nan)
    else:
        values = as_doubles(column.name, cells)
    result: NDArray[np.floating] = values.astype(np.float32) if column.center is None else values
    return result


def _categories(cells: pd.Series) -> NDArray[np.object_]:
    values = _strings(cells, MISSING)
    return as_categories(cells).to_numpy(dtype=object) if values is None else np.array(values, dtype=object)


def _texts(cells: pd.Series) -> list[str]:
    """Return texts as `core.features` reads them."""
    values = _strings(cells, "")
    return cells.astype(object).where(cells.notna(), "").astype(str).tolist() if values is None else values


def _strings(cells: pd.Series, missing: str) -> list[str] | None:
    """Return cells that are texts, with a word where one is missing; None when some are not texts."""
    values: list[str] = cells.tolist()
    for index, value in enumerate(values):
        if type(value) is str:
            continue
        if value is not None and value is not pd.NA and not (type(value) is float and value != value):
            return None
        values[index] = missing
    return values


def _dates(name: str, cells: pd.Series) -> NDArray[np.int64]:
    if _is_plain(cells, "M"):
        values: NDArray[np.int64] = cells.to_numpy().astype("datetime64[s]").astype(np.int64)
        return values  # NumPy rounds down, as `as_dates` does
    seconds = None if cells.dtype.kind in "iufbc" else as_seconds(as_dates(cells))
    present = cells.notna().to_numpy()
    if present.any() and (seconds is None or (seconds[present] == NO_DATE).all()):
        raise InputError(
            f"The column '{name}' was a date in training and now holds {cells[present].tolist()[0]!r}.",
            "Give dates such as 2024-12-31, and leave the cell empty where there is none.",
        )
    return np.full(len(cells), NO_DATE) if seconds is None else seconds


def _is_plain(cells: pd.Series, type_codes: str) -> bool:
    """Return whether cells are a NumPy array of one of these types (``dtype.kind``)."""
    return isinstance(cells.dtype, np.dtype) and cells.dtype.kind in type_codes
