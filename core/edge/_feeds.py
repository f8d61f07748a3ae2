"""From a raw table to the inputs of an exported model's graph: pandas and NumPy, no scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from core.automl._cells import as_categories, as_dates, as_numbers, as_seconds, require_columns
from core.edge._metadata import Column

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["table_feeds"]


def table_feeds(frame: pd.DataFrame, columns: Sequence[Column]) -> dict[str, NDArray[Any]]:
    """Return the inputs of a graph, shape (n, 1) each.

    Values are treated as in training: numbers that float32 cannot hold are missing, and so are dates that are none.

    Parameters
    ----------
    frame : DataFrame
        Has the columns in any order, and may have others.
    columns : sequence of Column
        As the model's metadata lists them.

    Returns
    -------
    dict of array
        Numbers and booleans float32 with NaN where missing; categories text with "(missing)"; dates int64 seconds
        since 1970 (UTC), with the smallest int64 where missing.

    Raises
    ------
    InputError
        When a column is absent, or a number column holds something else.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"job": ["a", None], "age": [20, None]})
    >>> feeds = table_feeds(frame, [Column("age", "number", "age"), Column("job", "category", "job")])
    >>> feeds["age"].tolist(), feeds["job"].tolist()
    ([[20.0], [nan]], [['a'], ['(missing)']])
    """
    require_columns(frame, [column.name for column in columns])
    feeds: dict[str, NDArray[Any]] = {}
    for column in columns:
        cells = frame[column.name]
        if column.kind == "category":
            values: NDArray[Any] = as_categories(cells).to_numpy(dtype=object)
        elif column.kind == "date":
            values = as_seconds(as_dates(cells))
        else:
            values = as_numbers(column.name, cells)
        feeds[column.input] = np.reshape(values, (-1, 1))
    return feeds
