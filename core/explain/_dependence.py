"""Partial dependence and individual curves: what the model says when one column is set to a value in every row."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.explain._grids import make_grid
from core.explain._subject import Array, Subject

__all__ = ["Dependence", "dependence"]

LINES = 30


@dataclass(frozen=True)
class Dependence:
    """How the mean output goes with one column (Friedman 2001; Goldstein et al. 2015).

    The interval is that of a mean over the rows; it does not say how sure the model is.

    Parameters
    ----------
    feature, kind : str
        The column; number, boolean, category or date.
    values : list
        The points: numbers, booleans, text, or dates as ISO text of their own zone.
    average, low, high : list of shape (points, k)
        Mean probability (or predicted number) of each class with its 95 % interval.
    lines : list of shape (rows, points, k)
        The same of single rows, `line_rows` (positions in the table).
    missing_average : list of shape (k,) or None
        The mean when the cell is emptied; None where no row lacks a value.
    edges, counts, others, missing
        The column's distribution, as `Grid` has it.
    n : int
        Rows behind the averages.
    """

    feature: str
    kind: str
    values: list[Any]
    average: list[list[float]]
    low: list[list[float]]
    high: list[list[float]]
    lines: list[list[list[float]]]
    line_rows: list[int]
    missing_average: list[float] | None
    edges: list[Any]
    counts: list[int]
    others: int
    missing: int
    n: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values."""
        return asdict(self)


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):  # as the histogram's edges: the time on the clock of its own zone
        return value.tz_localize(None).isoformat(timespec="seconds")
    value = getattr(value, "item", lambda: value)()
    return value if isinstance(value, bool | int | float) else str(value)


def _rounded(values: Array) -> Any:
    """Return lists of six digits behind the largest one's first."""
    largest = float(np.abs(values).max(initial=0.0))
    return np.round(values, 6 - int(np.floor(np.log10(largest))) if largest > 0 else 0).tolist()


def dependence(
    subject: Subject,
    X: NDArray[Any],
    frame: pd.DataFrame,
    column: str,
    row_id: NDArray[np.intp],
    *,
    spread: pd.Series | None = None,
) -> Dependence | str:
    """Measure the dependence on one column.

    Parameters
    ----------
    subject : Subject
        The model.
    X : matrix of shape (n, places)
        Rows to average over, and `frame` their cells.
    column : str
        Which one.
    row_id : array of shape (n,)
        Of the rows.
    spread : Series, optional
        Cells for grid and distribution; by default the rows' own.

    Returns
    -------
    Dependence or str
        A text says why there is none.
    """
    cells = frame[column] if spread is None else spread
    grid = make_grid(cells)
    if grid is None:
        return "nearly every value is different"
    first = frame.iloc[[0] * len(grid.values)].reset_index(drop=True)
    points = first.assign(**{column: grid.values.to_numpy() if grid.kind == "number" else grid.values.array})
    if grid.missing:
        empty = cells[cells.isna()].iloc[[0]]
        points = pd.concat([points, first.iloc[[0]].assign(**{column: empty.array})], ignore_index=True)
    places = subject.places[subject.columns.index(column)]
    encoded = subject.encode(points)[:, places]
    moved = np.tile(X, (len(encoded), 1))
    moved[:, places] = np.repeat(encoded, len(X), axis=0)
    found = subject.outputs(moved).reshape(len(encoded), len(X), -1)  # points, rows, classes
    count = len(grid.values)
    average = found.mean(axis=1)
    half = 1.959964 * found.std(axis=1, ddof=1 if len(X) > 1 else 0) / np.sqrt(len(X))
    return Dependence(
        feature=column,
        kind=grid.kind,
        values=[_plain(value) for value in grid.values],
        average=_rounded(average[:count]),
        low=_rounded((average - half)[:count]),
        high=_rounded((average + half)[:count]),
        lines=_rounded(found[:count, :LINES].transpose(1, 0, 2)),
        line_rows=[int(each) for each in row_id[:LINES]],
        missing_average=_rounded(average[count]) if grid.missing else None,
        edges=grid.edges,
        counts=grid.counts,
        others=grid.others,
        missing=grid.missing,
        n=len(X),
    )
