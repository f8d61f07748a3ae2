"""The rows of a search that cohorts are found on: columns of the table beside the out-of-fold predictions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.datasets import read_rows_at, text_columns
from core.errors import LimitError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MAX_COLUMNS", "MAX_ROWS", "condition_columns", "load_out_of_fold"]

MAX_ROWS = 100_000
"""Rows that cohorts are found on and judged on together; of more, so many are drawn."""

MAX_COLUMNS = 100
"""Columns that conditions are looked for in."""

_TABLE_BYTES = 96 * 2**20
_TEXT_BYTES = 8 * 2**20  # of a column


def condition_columns(
    known: Iterable[str], features: Sequence[str], sensitive: Sequence[str], target: str
) -> tuple[str, ...]:
    """Return the columns of a table that conditions may use: features, then sensitive columns.

    Parameters
    ----------
    known : iterable of str
        Columns of the table.
    features, sensitive : sequence of str
        Columns that the model reads, and those that tell groups of people apart.
    target : str
        Column that is predicted.

    Examples
    --------
    >>> condition_columns(["age", "sex", "left"], ["age", "derived"], ["sex"], "left")
    ('age', 'sex')
    """
    table = set(known)
    return tuple(name for name in dict.fromkeys([*features, *sensitive]) if name in table and name != target)


def load_out_of_fold(
    path: str | Path, predictions: pd.DataFrame, columns: Sequence[str], *, max_rows: int = MAX_ROWS
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Load columns of the rows that a search predicted out of fold.

    Columns of long texts are left out: no condition of a cohort can be read from them.

    Parameters
    ----------
    path : path
        Path of the table, as Parquet.
    predictions : DataFrame
        Predictions like ``AutoMLResult.oof``, with the positions of their rows in row_id.
    columns : sequence of str
        Columns of the table.
    max_rows : int, default=100_000
        Number of rows that are drawn where there are more.

    Returns
    -------
    table, predictions : DataFrame
        The columns, less those of long texts, and the predictions of the same rows.

    See Also
    --------
    find_cohorts : Find groups of such rows where a model errs more.
    """
    import pandas as pd

    if len(predictions) > max_rows:
        chosen = np.sort(np.random.default_rng(0).choice(len(predictions), max_rows, replace=False))
        predictions = predictions.iloc[chosen]
    positions = predictions["row_id"].to_numpy()
    texts = [name for name in text_columns(path) if name in set(columns)]
    others = [name for name in columns if name not in texts]
    parts = [read_rows_at(path, others, positions, max_bytes=_TABLE_BYTES)]
    for name in texts:
        try:
            parts.append(read_rows_at(path, [name], positions, max_bytes=_TEXT_BYTES))
        except LimitError:
            continue  # the table that is returned does not have it
    table = pd.concat(parts, axis=1)
    table = table[[name for name in columns if name in table]]
    return table.reset_index(drop=True), predictions.reset_index(drop=True)
