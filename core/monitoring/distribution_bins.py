"""The distribution of a column in two batches, in the bins or levels of a chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError, SettingsError
from core.monitoring.batch_sketch import BatchSketch
from core.monitoring.category_tests import level_table
from core.monitoring.column_pairs import same_type
from core.monitoring.column_sketches import COLUMN_TYPES, CategorySketch, DateSketch, NumberSketch, TextSketch
from core.monitoring.quantile_points import QuantilePoints

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["distribution_table"]

_TAIL = 0.005
_REST = "(other levels)"
_MISSING = "(missing)"


def distribution_table(reference: BatchSketch, current: BatchSketch, column: str, *, bins: int = 20) -> pd.DataFrame:
    """Return the shares of a column's values in two batches, for a chart.

    Parameters
    ----------
    reference, current : BatchSketch
        Batches that both have the column.
    column : str
        Column of numbers, dates, categories, or texts (by their number of words).
    bins : int, default=20
        Number of bins, or of levels.

    Returns
    -------
    DataFrame
        Columns label, low, high, reference and current. Bins of numbers have equal widths between the 0.5% and 99.5%
        quantiles of both sides, and the first and last one hold what is beyond; dates are seconds since 1970. Levels
        are the most frequent ones of both sides, then the rest. Shares are of all rows, and the last row is that of
        missing cells, where there are any.

    Raises
    ------
    InputError
        When a batch lacks the column, or it cannot be compared.
    SettingsError
        When the number of bins is below 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from core.monitoring import sketch
    >>> before, now = sketch(pd.DataFrame({"plan": list("aab")})), sketch(pd.DataFrame({"plan": ["b", None]}))
    >>> distribution_table(before, now, "plan")[["label", "reference", "current"]].round(2).values.tolist()
    [['b', 0.33, 0.5], ['a', 0.67, 0.0], ['(missing)', 0.0, 0.5]]
    """
    import pandas as pd

    if bins < 1:
        raise SettingsError(f"A chart of {bins} bins shows nothing.", "Choose at least 1.")
    pair = same_type(reference[column], current[column])
    if pair is None or pair[0].type in ("id", "empty"):
        raise InputError(
            f"The column '{column}' cannot be compared: {COLUMN_TYPES[reference[column].type]} in the reference, "
            f"{COLUMN_TYPES[current[column].type]} in the batch.",
            "Choose a column of numbers, dates, categories or texts.",
        )
    before, now = pair
    if isinstance(before, CategorySketch) and isinstance(now, CategorySketch):
        rows = _levels(before, now, bins)
    else:
        rows = _bins(_points(before), _points(now), before.rows, now.rows, bins)
    if before.missing or now.missing:
        rows.append((_MISSING, np.nan, np.nan, before.missing_share, now.missing_share))
    return pd.DataFrame(rows, columns=["label", "low", "high", "reference", "current"])


def _points(column: object) -> QuantilePoints:
    if isinstance(column, NumberSketch | DateSketch):
        return column.values
    if isinstance(column, TextSketch):
        return column.lengths
    raise TypeError(f"There are no points of {type(column).__name__}.")


def _levels(before: CategorySketch, now: CategorySketch, most: int) -> list[tuple[str, float, float, float, float]]:
    table = level_table(before, now)
    first, other = table.reference / before.rows, table.current / now.rows
    order = sorted(range(len(table.levels)), key=lambda index: (-first[index] - other[index], table.levels[index]))
    chosen = order[:most]
    rows = [(table.levels[index], np.nan, np.nan, float(first[index]), float(other[index])) for index in chosen]
    left = sorted(set(range(len(first))) - set(chosen))
    if left:
        rows.append((_REST, np.nan, np.nan, float(first[left].sum()), float(other[left].sum())))
    return rows


def _bins(
    before: QuantilePoints, now: QuantilePoints, n: int, m: int, bins: int
) -> list[tuple[str, float, float, float, float]]:
    sides = [side for side in (before, now) if side.rows]
    ends = np.array([side.quantiles(np.array([_TAIL, 1 - _TAIL])) for side in sides])
    finite = ends[np.isfinite(ends)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    edges = np.linspace(low, high, bins + 1) if high > low else np.array([low, low])
    shares = [_shares(side, edges) * side.rows / rows for side, rows in ((before, n), (now, m))]
    return [
        ("", float(edges[index]), float(edges[index + 1]), float(shares[0][index]), float(shares[1][index]))
        for index in range(len(edges) - 1)
    ]


def _shares(side: QuantilePoints, edges: np.ndarray) -> np.ndarray:
    """Return the share of rows in each bin, with its lower edge and without its upper one, but for the last bin."""
    if not side.rows:
        return np.zeros(len(edges) - 1)
    below = np.array([0.0, *(side.share_below(float(edge)) for edge in edges[1:-1]), 1.0])
    return np.diff(below)
