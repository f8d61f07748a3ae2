"""A table with dates as the batches in which it might have come."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from core.columns import require_columns
from core.errors import InputError, SettingsError
from core.monitoring.cell_values import as_moments, cells_in_words

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Period", "ReplayedBatch", "split_by_date"]

Period: TypeAlias = Literal["day", "week", "month", "quarter", "year"]

_FREQUENCIES: dict[Period, str] = {"day": "D", "week": "W", "month": "M", "quarter": "Q", "year": "Y"}


@dataclass(frozen=True, eq=False)
class ReplayedBatch:
    """Rows of a period.

    Parameters
    ----------
    name : str
        Name of the period, or first and last date.
    frame : DataFrame
        Rows, in their order.
    as_of : Timestamp
        End of the period: the moment when the batch was complete.
    """

    name: str
    frame: pd.DataFrame
    as_of: pd.Timestamp


def split_by_date(
    frame: pd.DataFrame, column: str, batches: int | Period = "month"
) -> tuple[list[ReplayedBatch], pd.DataFrame]:
    """Return the batches of a table by a column of dates, and the rows without a date.

    Parameters
    ----------
    frame : DataFrame
        The table.
    column : str
        Column of dates.
    batches : int or {"day", "week", "month", "quarter", "year"}, default="month"
        Period of a batch, or a number of batches with as many rows each as dates allow: rows of one date stay together.

    Returns
    -------
    batches : list of ReplayedBatch
        Batches in the order of time; periods without rows are left out.
    undated : DataFrame
        Rows without a date.

    Raises
    ------
    InputError
        When the column is missing or does not hold dates.
    SettingsError
        When the number or the period is invalid.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"day": pd.to_datetime(["2024-01-05", "2024-01-20", "2024-02-03", None]), "x": range(4)})
    >>> batches, undated = split_by_date(frame, "day")
    >>> [(batch.name, batch.frame["x"].tolist()) for batch in batches], undated["x"].tolist()
    ([('2024-01', [0, 1]), ('2024-02', [2])], [3])
    """
    import pandas as pd

    require_columns(frame.columns, [column], what="The table")
    if cells_in_words(frame[column]) != "dates":
        raise InputError(f"The column '{column}' does not hold dates.", "Choose a column of dates.")
    seconds = as_moments(frame[column])
    dated = ~np.isnan(seconds)
    stamps = seconds[dated].astype("datetime64[s]")  # to the second, and also after the year 2262
    moments = pd.Series(stamps, index=np.flatnonzero(dated))
    if isinstance(batches, int):
        return _equal(frame, moments, batches), frame[~dated]
    if batches not in _FREQUENCIES:
        raise SettingsError(f"Unknown period '{batches}'.", f"Choose one of: {', '.join(_FREQUENCIES)}, or a number.")
    periods = moments.dt.to_period(_FREQUENCIES[batches])
    result = []
    for period, rows in sorted(periods.groupby(periods).groups.items()):
        result.append(ReplayedBatch(str(period), frame.iloc[rows.to_numpy()], _end(period)))
    return result, frame[~dated]


def _end(period: pd.Period) -> pd.Timestamp:
    """Return the moment when a period ends; the end of its first day where that is beyond what pandas counts."""
    import pandas as pd

    try:
        return period.end_time
    except pd.errors.OutOfBoundsDatetime:
        return pd.Timestamp(f"{period.year:04d}-{period.month:02d}-{period.day:02d}").as_unit("s")


def _equal(frame: pd.DataFrame, moments: pd.Series, batches: int) -> list[ReplayedBatch]:
    """Return batches of about equal size; rows of one date stay together."""
    import pandas as pd

    days = moments.dt.normalize()
    distinct = int(days.nunique())
    if not 1 <= batches <= distinct:
        raise SettingsError(
            f"The rows have {distinct:,} dates and cannot be cut into {batches:,} batches.",
            "Choose a number from 1 to the number of dates.",
        )
    counts = days.value_counts().sort_index()
    result = []
    for days_of_batch in _cut(counts.to_numpy().tolist(), batches):
        wanted = counts.index[days_of_batch]
        rows = days.index[days.isin(wanted)].to_numpy()
        name = f"{wanted[0]:%Y-%m-%d}" if len(wanted) == 1 else f"{wanted[0]:%Y-%m-%d} to {wanted[-1]:%Y-%m-%d}"
        result.append(ReplayedBatch(name, frame.iloc[rows], wanted[-1] + pd.Timedelta(days=1)))
    return result


def _cut(counts: Sequence[int], parts: int) -> list[list[int]]:
    """Return the positions of neighbors in each of several parts of about the same sum, none of them empty."""
    ends = np.cumsum(counts)
    cuts = [0]
    for part in range(1, parts):
        wanted = int(np.searchsorted(ends, ends[-1] * part / parts)) + 1
        cuts.append(min(max(wanted, cuts[-1] + 1), len(counts) - (parts - part)))
    cuts.append(len(counts))
    return [list(range(first, last)) for first, last in itertools.pairwise(cuts)]
