"""Partial dependence and individual curves: the output when one column is set to a value in every row."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.explain.cells import Cell, as_python
from core.explain.explained_model import Array, ExplainedModel, IndexArray, Matrix
from core.explain.grids import ColumnKind, Grid, make_grid

__all__ = ["Dependence", "dependence"]

_LINES = 30
_Z = 1.959964  # of a 95% interval


@dataclass(frozen=True)
class Dependence:
    """The mean output as a function of one column (Friedman 2001; Goldstein et al. 2015).

    The interval is that of a mean over the rows; it does not say how certain the model is.

    Parameters
    ----------
    feature : str
        The column.
    kind : {"number", "boolean", "category", "date"}
        Type of the column.
    values : list
        The points: numbers, booleans, text, or dates as ISO text of their own zone.
    average, low, high : list of shape (points, k)
        Mean probability (or predicted number) of each class with its 95 % interval.
    lines : list of shape (rows, points, k)
        The same outputs of single rows.
    line_rows : list of int
        Positions of these rows in the table.
    missing_average : list of shape (k,) or None
        The mean when the cell is emptied; None where no row lacks a value.
    edges, counts, others, missing
        Distribution of the column, as in `Grid`.
    n : int
        Number of rows behind the averages.
    """

    feature: str
    kind: ColumnKind
    values: list[bool | int | float | str]
    average: list[list[float]]
    low: list[list[float]]
    high: list[list[float]]
    lines: list[list[list[float]]]
    line_rows: list[int]
    missing_average: list[float] | None
    edges: list[float] | list[str]
    counts: list[int]
    others: int
    missing: int
    n: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serializable values."""
        return asdict(self)


def _stored(value: Cell) -> bool | int | float | str:
    """Return a point as JSON has it; dates as the time on the clock of their own zone, as the histogram's edges."""
    if isinstance(value, pd.Timestamp):
        return str(value.tz_localize(None).isoformat(timespec="seconds"))
    cell = as_python(value)
    return cell if isinstance(cell, bool | int | float) else str(cell)


def _digits(values: Array) -> int:
    """Return the decimals that keep six digits after the largest value's first."""
    largest = float(np.abs(values).max(initial=0.0))
    return 6 - int(np.floor(np.log10(largest))) if largest > 0 else 0


def dependence(
    model: ExplainedModel,
    X: Matrix,
    frame: pd.DataFrame,
    column: str,
    row_id: IndexArray,
    *,
    spread: pd.Series | None = None,
) -> Dependence | str:
    """Measure the dependence on one column.

    Parameters
    ----------
    model : ExplainedModel
        The model.
    X : matrix of shape (n, matrix columns)
        Rows to average over.
    frame : DataFrame of shape (n, columns)
        Cells of the same rows.
    column : str
        The column.
    row_id : array of shape (n,)
        Positions of the rows in the table.
    spread : Series, optional
        Cells for grid and distribution; by default those of the rows.

    Returns
    -------
    Dependence or str
        A text says why there is none.
    """
    cells = frame[column] if spread is None else spread
    grid = make_grid(cells)
    if grid is None:
        return "nearly every value is different"
    encoded = _encoded_points(model, frame, cells, column, grid)
    moved = np.tile(X, (len(encoded), 1))
    moved[:, model.indices_of(column)] = np.repeat(encoded, len(X), axis=0)
    outputs = model.outputs(moved).reshape(len(encoded), len(X), -1)  # points, rows, classes
    count = len(grid.values)
    average = outputs.mean(axis=1)
    half = _Z * outputs.std(axis=1, ddof=1 if len(X) > 1 else 0) / np.sqrt(len(X))
    low, high = average - half, average + half
    lines = outputs[:count, :_LINES].transpose(1, 0, 2)
    return Dependence(
        feature=column,
        kind=grid.kind,
        values=[_stored(value) for value in grid.values],
        average=np.round(average[:count], _digits(average[:count])).tolist(),
        low=np.round(low[:count], _digits(low[:count])).tolist(),
        high=np.round(high[:count], _digits(high[:count])).tolist(),
        lines=np.round(lines, _digits(lines)).tolist(),
        line_rows=[int(row) for row in row_id[:_LINES]],
        missing_average=np.round(average[count], _digits(average[count])).tolist() if grid.missing else None,
        edges=grid.edges,
        counts=grid.counts,
        others=grid.others,
        missing=grid.missing,
        n=len(X),
    )


def _encoded_points(model: ExplainedModel, frame: pd.DataFrame, cells: pd.Series, column: str, grid: Grid) -> Matrix:
    """Return the encoded cells of the grid's points, and of a missing cell where there are some."""
    first = frame.iloc[[0] * len(grid.values)].reset_index(drop=True)
    points = first.assign(**{column: grid.values.to_numpy() if grid.kind == "number" else grid.values.array})
    if grid.missing:
        empty = cells[cells.isna()].iloc[[0]]
        points = pd.concat([points, first.iloc[[0]].assign(**{column: empty.array})], ignore_index=True)
    return model.encode(points)[:, model.indices_of(column)]
