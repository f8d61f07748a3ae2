"""What a report would look like: a table with changes made on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.columns import require_columns
from core.errors import InputError
from core.monitoring.cell_values import as_levels, as_numbers, cells_in_words
from core.monitoring.change_settings import (
    Change,
    DropLevel,
    MultiplyColumn,
    RemoveColumn,
    RenameColumn,
    SetMissing,
    ShiftColumn,
    ShuffleLevels,
)
from core.registry import unknown_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["simulate"]


def simulate(frame: pd.DataFrame, changes: Sequence[Change], *, seed: int = 0) -> pd.DataFrame:
    """Return a table with changes, to see what monitoring would say of it.

    Parameters
    ----------
    frame : DataFrame
        The table; it stays as it is.
    changes : sequence of settings
        Changes, one after the other: `ShiftColumn`, `MultiplyColumn`, `DropLevel`, `SetMissing`, `RenameColumn`,
        `RemoveColumn`, `ShuffleLevels`.
    seed : int, default=0
        Seed of the random number generator that draws cells.

    Raises
    ------
    InputError
        When a column or level is unknown, a column does not hold numbers, or a new name is taken.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"income": [1.0, 2.0], "plan": ["a", "b"]})
    >>> simulate(frame, [MultiplyColumn(column="income"), RenameColumn(column="plan", name="tariff")]).to_dict("list")
    {'income': [1000.0, 2000.0], 'tariff': ['a', 'b']}
    """
    random = np.random.default_rng(seed)
    result = frame.copy()
    for change in changes:
        require_columns(result.columns, [change.column], what="The table")
        result = _changed(result, change, random)
    return result


def _changed(frame: pd.DataFrame, change: Change, random: np.random.Generator) -> pd.DataFrame:
    name = change.column
    match change:
        case ShiftColumn():
            numbers = _numbers(frame, name)
            return frame.assign(**{name: numbers + change.deviations * float(np.nanstd(numbers))})
        case MultiplyColumn():
            return frame.assign(**{name: _numbers(frame, name) * change.factor})
        case DropLevel():
            codes, levels = as_levels(frame[name])
            if change.level not in levels:
                raise InputError(
                    f"The column '{name}' has no level '{change.level}'.", unknown_name(change.level, levels)
                )
            return frame[codes != levels.index(change.level)].reset_index(drop=True)
        case SetMissing():
            rows = random.permutation(len(frame))[: round(change.share * len(frame))]
            lost = np.zeros(len(frame), dtype=bool)
            lost[rows] = True
            series = frame[name]
            series = series.astype(object) if series.dtype.kind in "b" else series
            series = series.astype(float) if series.dtype.kind in "iu" else series
            return frame.assign(**{name: series.mask(lost)})
        case RenameColumn():
            if change.name in frame.columns:
                raise InputError(f"The table has a column '{change.name}' already.", "Choose another name.")
            return frame.rename(columns={name: change.name})
        case RemoveColumn():
            if len(frame.columns) == 1:
                raise InputError(f"'{name}' is the only column.", "Remove a column of a table with several.")
            return frame.drop(columns=name)
        case ShuffleLevels():
            return frame.assign(**{name: _shuffled(frame[name])})
    raise TypeError(f"Unknown change {change!r}.")


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    if cells_in_words(frame[name]) != "numbers":
        raise InputError(f"The column '{name}' does not hold numbers.", "Choose a column of numbers.")
    return as_numbers(frame[name])


def _shuffled(series: pd.Series) -> pd.Series:
    counts = series.value_counts()
    if len(counts) < 2:
        raise InputError(f"The column '{series.name}' has fewer than two levels.", "Choose a column with several.")
    levels = sorted(counts.index, key=lambda level: (-counts[level], str(level)))
    return series.map(dict(zip(levels, [*levels[1:], levels[0]], strict=True)))
