"""The mean loss by the bins of two columns."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.cohorts.cells import as_numbers, as_texts, is_date, is_number
from core.cohorts.column_codes import thresholds
from core.cohorts.conditions import bound_text
from core.columns import require_columns
from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ErrorGrid", "GridCell", "grid_errors"]


@dataclass(frozen=True)
class GridCell:
    """A cell of the grid.

    Parameters
    ----------
    first, second : str
        Bin or value of each column.
    rows : int
        Number of rows.
    error : float
        Mean loss.
    small : bool
        Whether the rows are too few to read anything from the mean.
    """

    first: str
    second: str
    rows: int
    error: float
    small: bool


@dataclass(frozen=True)
class ErrorGrid:
    """The mean loss by the bins of two columns.

    Parameters
    ----------
    first, second : tuple of str
        Bins or values of each column, in their order.
    cells : tuple of GridCell
        Cells that have rows.
    min_rows : int
        Rows that a cell needs not to be small.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    cells: tuple[GridCell, ...]
    min_rows: int


def grid_errors(
    frame: pd.DataFrame,
    loss: ArrayLike,
    first: str,
    second: str,
    *,
    bins: int = 5,
    min_rows: int = 20,
    sample_weight: ArrayLike | None = None,
) -> ErrorGrid:
    """Return the mean loss by the bins of two columns.

    Parameters
    ----------
    frame : DataFrame
        Raw columns.
    loss : array-like of shape (n,)
        Loss of each row.
    first, second : str
        Columns, which differ.
    bins : int, default=5
        Bins of a number, or values of another column; all other values make one more, missing cells another.
    min_rows : int, default=20
        Cells with fewer rows are marked as small.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows.

    Raises
    ------
    InputError
        When a column is not there, or both are the same.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"sex": ["f", "m", "m"], "city": ["Bern", "Bern", None]})
    >>> grid = grid_errors(table, [1, 0, 1], "sex", "city")
    >>> [(cell.first, cell.second, cell.rows, cell.error) for cell in grid.cells]
    [('m', 'Bern', 1, 0.0), ('m', '(missing)', 1, 1.0), ('f', 'Bern', 1, 1.0)]
    """
    require_columns(frame.columns, [first, second])
    if first == second:
        raise InputError(f"Both columns are '{first}'.", "Choose two different columns.")
    weights = np.ones(len(frame)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    codes, labels = _bins(frame[first], bins)
    other_codes, other_labels = _bins(frame[second], bins)
    flat = codes * len(other_labels) + other_codes
    size = len(labels) * len(other_labels)
    rows = np.bincount(flat, minlength=size)
    totals = np.bincount(flat, weights, minlength=size)
    sums = np.bincount(flat, weights * np.asarray(loss, dtype=np.float64), minlength=size)
    cells = tuple(
        GridCell(
            labels[index // len(other_labels)],
            other_labels[index % len(other_labels)],
            int(rows[index]),
            float(sums[index] / totals[index]),
            bool(rows[index] < min_rows),
        )
        for index in np.flatnonzero((rows > 0) & (totals > 0))
    )
    return ErrorGrid(
        tuple(label for code, label in enumerate(labels) if (codes == code).any()),
        tuple(label for code, label in enumerate(other_labels) if (other_codes == code).any()),
        cells,
        min_rows,
    )


def _bins(series: pd.Series, bins: int) -> tuple[NDArray[np.intp], list[str]]:
    """Return a code per row, and the label of each code."""
    if is_number(series):
        numbers = as_numbers(series)
        missing = np.isnan(numbers)
        date = is_date(series)
        cuts = thresholds(numbers[~missing], bins, date=date)
        codes = np.searchsorted(np.array(cuts), numbers, side="right").astype(np.intp)
        codes[missing] = len(cuts) + 1
        ends = [bound_text(cut, date) for cut in cuts]
        middle = [f"{low} to {high}" for low, high in pairwise(ends)]
        below, more = ("before", "or later") if date else ("below", "or more")
        labels = [f"{below} {ends[0]}", *middle, f"{ends[-1]} {more}"] if ends else ["any"]
        return codes, [*labels, "(missing)"]
    raw, texts = as_texts(series)
    counts = np.bincount(raw[raw >= 0], minlength=len(texts))
    present = int((counts > 0).sum())
    most = present if present == bins + 1 else bins  # a single other value is named
    named = [int(code) for code in np.argsort(-counts, kind="stable")[:most] if counts[code]]
    recoded = np.full(len(texts) + 1, len(named), dtype=np.intp)
    recoded[named] = np.arange(len(named))
    recoded[-1] = len(named) + 1
    taken = {texts[code] for code in named}
    other, missing_label = (label if label not in taken else f"{label} " for label in ("(other)", "(missing)"))
    return recoded[raw], [*(texts[code] for code in named), other, missing_label]
