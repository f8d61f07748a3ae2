"""From shared statistics to an encoder: a small table that has them, on which the encoder is fitted as on any other.

So features in a federation are the ones that training, scoring and export know already, and no row of a site is
behind them: numbers of the table are quantiles over all sites, and its categories are those with at least ten rows at
some site.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.features import MISSING
from core.jsonable import JsonObject

if TYPE_CHECKING:
    from core.features import TableEncoder

__all__ = ["SUMMARY_ROWS", "encoded_summary", "shared_encoder", "summary_table"]

SUMMARY_ROWS = 256
"""Rows of a summary, at least: quantiles of each number."""


def summary_table(columns: Sequence[JsonObject]) -> pd.DataFrame:
    """Return a table with the shared statistics of all columns.

    Parameters
    ----------
    columns : sequence of dict
        One per column: name, type (numeric, categorical or date), missing (whether cells are missing at some site), and
        either values (quantiles; of dates, seconds since 1970) or categories, the most frequent first.

    Returns
    -------
    DataFrame
        As many rows as the column with the most categories has, 256 at least.
    """
    rows = max([SUMMARY_ROWS, *(len(column.get("categories", ())) + 1 for column in columns)])
    table: dict[str, Any] = {}
    for column in columns:
        if column["type"] == "categorical":
            table[column["name"]] = _categories(column["categories"], rows)
            continue
        numbers = np.resize(np.asarray(column["values"], dtype=np.float64), rows)
        if column["missing"]:
            numbers[-1] = np.nan
        if column["type"] == "date":
            table[column["name"]] = pd.Series(pd.to_datetime(numbers, unit="s", utc=True)).dt.floor("s")
        else:
            table[column["name"]] = numbers
    return pd.DataFrame(table)


def _categories(names: Sequence[str], rows: int) -> NDArray[np.object_]:
    """Return a column with each category once, and the first one in all other rows."""
    cells = np.full(rows, names[0], dtype=object)
    cells[: len(names)] = list(names)
    cells[cells == MISSING] = None
    return cells


def shared_encoder(columns: Sequence[JsonObject]) -> TableEncoder:
    """Return the encoder of shared statistics; the same statistics make the same encoder at each site.

    Parameters
    ----------
    columns : sequence of dict
        Columns as of `summary_table`.

    Examples
    --------
    >>> age = {"name": "age", "type": "numeric", "missing": False, "values": [20.0, 30.0, 40.0]}
    >>> job = {"name": "job", "type": "categorical", "missing": False, "categories": ["b", "a"]}
    >>> encoder = shared_encoder([age, job])
    >>> encoder.transform(pd.DataFrame({"job": ["a", "c"], "age": [25, 35]})).tolist()
    [[25.0, 1.0, 0.0], [35.0, 0.0, 0.0]]
    """
    return _encoder_and_rows(json.dumps(columns))[0]


def encoded_summary(columns: Sequence[JsonObject]) -> NDArray[np.float32]:
    """Return the encoded rows of the summary, shape (rows, features); they are not to be changed."""
    return _encoder_and_rows(json.dumps(columns))[1]


@lru_cache(maxsize=4)  # all sites of a simulation make the same
def _encoder_and_rows(record: str) -> tuple[TableEncoder, NDArray[np.float32]]:
    from core.features import TableEncoder

    columns = json.loads(record)
    table = summary_table(columns)
    encoder = TableEncoder(column_types={column["name"]: column["type"] for column in columns}).fit(table)
    encoded = encoder.transform(table)
    encoded.setflags(write=False)
    return encoder, encoded
