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

__all__ = ["SUMMARY_ROWS", "center_and_width", "encoded_summary", "shared_encoder", "summary_table"]

SUMMARY_ROWS = 256
"""Rows of a summary, at least: quantiles of each number."""
_ROWS_PER_LEVEL = 4
_LEAST_WIDTH = 1e-4  # of the whole range
_NORMAL_WIDTH = 1.349  # between the quartiles of a normal distribution, in standard deviations
_DATES = (-62_135_596_800, 253_402_300_799)  # the years 1 to 9999, as seconds since 1970


def summary_table(columns: Sequence[JsonObject]) -> pd.DataFrame:
    """Return a table with the shared statistics of all columns.

    Parameters
    ----------
    columns : sequence of dict
        One per column: name, type (numeric, categorical or date), missing (whether cells are missing at some site),
        and either values (quantiles; of dates, seconds since 1970) or categories with their counts, the most frequent
        first.

    Returns
    -------
    DataFrame
        A multiple of 256 rows, and at least four for each category of a column.
    """
    most = max((len(column.get("categories", ())) for column in columns), default=0)
    rows = SUMMARY_ROWS * max(1, -(-_ROWS_PER_LEVEL * most // SUMMARY_ROWS))
    table: dict[str, Any] = {}
    for column in columns:
        if column["type"] == "categorical":
            table[column["name"]] = _categories(column["categories"], column["counts"], rows)
            continue
        numbers = np.repeat(np.asarray(column["values"], dtype=np.float64), -(-rows // len(column["values"])))[:rows]
        if column["missing"]:
            numbers[len(numbers) // 2] = np.nan
        if column["type"] == "date":
            table[column["name"]] = _dates(numbers)
        else:
            table[column["name"]] = numbers
    return pd.DataFrame(table)


def _categories(names: Sequence[str], counts: Sequence[int], rows: int) -> NDArray[np.object_]:
    """Return a column with each category at least once, and otherwise by its share."""
    spare = rows - len(names)
    wanted = np.floor(np.asarray(counts, dtype=np.float64) / max(sum(counts), 1) * spare).astype(int) + 1
    wanted[0] += rows - int(wanted.sum())
    cells = np.repeat(np.asarray(names, dtype=object), wanted)
    cells[cells == MISSING] = None
    return cells


def _dates(seconds: NDArray[np.float64]) -> pd.Series:
    """Return dates of seconds since 1970, in years that a date can have."""
    missing = np.isnan(seconds)
    whole = np.clip(np.where(missing, 0.0, seconds), *_DATES).astype(np.int64).astype("datetime64[s]")
    dates = pd.Series(whole).dt.tz_localize("UTC")
    return dates.mask(missing)


def center_and_width(values: Sequence[float] | NDArray[np.floating]) -> tuple[float, float]:
    """Return the median of numbers and a width: that of the middle half, as of a normal distribution, or else of all.

    Examples
    --------
    >>> center_and_width([1.0, 2.0, 3.0, 4.0, 5.0])[0], center_and_width([]), center_and_width([2.0, 2.0])
    (3.0, (0.0, 1.0), (2.0, 1.0))
    """
    if not len(values):
        return 0.0, 1.0
    lowest, low, center, high, highest = np.quantile(values, [0.0, 0.25, 0.5, 0.75, 1.0])
    # Where most values are one, such as zero, the middle half is next to nothing beside the rest.
    width = max((high - low) / _NORMAL_WIDTH, _LEAST_WIDTH * (highest - lowest)) if high > low else highest - lowest
    return float(center), float(width) if width > 0 and np.isfinite(width) else 1.0


def shared_encoder(columns: Sequence[JsonObject]) -> TableEncoder:
    """Return the encoder of shared statistics; the same statistics make the same encoder at each site.

    Parameters
    ----------
    columns : sequence of dict
        Columns as of `summary_table`.

    Examples
    --------
    >>> age = {"name": "age", "type": "numeric", "missing": False, "values": [20.0, 30.0, 40.0]}
    >>> job = {"name": "job", "type": "categorical", "missing": False, "categories": ["b", "a"], "counts": [20, 10]}
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
    encoder.mixed_ = [column["name"] for column in columns if column.get("coerced")]  # of which some cells may be texts
    encoded = encoder.transform(table)
    encoded.setflags(write=False)
    return encoder, encoded
