"""The four counts of a group, and every rate that comes from them.

Cells are arrays of shape (..., 4) with the last axis true negatives, false positives, false negatives, true positives;
everything here works on any number of leading axes (groups, resamples, thresholds).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PROPORTIONS", "RATES", "count_cells", "denominator", "rate", "share"]

Cells = NDArray[np.float64]

# Each proportion: which cells are hits, and of which.
PROPORTIONS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "base_rate": ((0, 0, 1, 1), (1, 1, 1, 1)),
    "selection_rate": ((0, 1, 0, 1), (1, 1, 1, 1)),
    "accuracy": ((1, 0, 0, 1), (1, 1, 1, 1)),
    "precision": ((0, 0, 0, 1), (0, 1, 0, 1)),
    "true_positive_rate": ((0, 0, 0, 1), (0, 0, 1, 1)),
    "false_positive_rate": ((0, 1, 0, 0), (1, 1, 0, 0)),
    "true_negative_rate": ((1, 0, 0, 0), (1, 1, 0, 0)),
    "false_negative_rate": ((0, 0, 1, 0), (0, 0, 1, 1)),
}
RATES: tuple[str, ...] = (
    "base_rate",
    "selection_rate",
    "accuracy",
    "balanced_accuracy",
    "precision",
    "true_positive_rate",
    "false_positive_rate",
    "true_negative_rate",
    "false_negative_rate",
    "f1",
)
"""Every rate, in the order of the tables."""


def count_cells(
    codes: NDArray[np.intp],
    groups: int,
    positive: NDArray[np.bool_],
    selected: NDArray[np.bool_],
    weights: NDArray[np.float64] | None = None,
) -> Cells:
    """Count group x label x prediction in one pass.

    Returns
    -------
    array of shape (groups, 4)

    Examples
    --------
    >>> count_cells(np.array([0, 0, 1]), 2, np.array([True, False, True]), np.array([True, True, False])).tolist()
    [[0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0]]
    """
    # Sums of small integers in one byte are cheap; the group is added once.
    key = codes * 4
    key += positive.view(np.int8) * np.int8(2) + selected.view(np.int8)
    return np.bincount(key, weights=weights, minlength=groups * 4).reshape(groups, 4).astype(np.float64)


def share(hits: Any, of: Any) -> Any:
    """Divide, with NaN where there is nothing to divide by."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.asarray(of) > 0, np.asarray(hits) / np.asarray(of), np.nan)


def rate(name: str, cells: Cells) -> NDArray[np.float64]:
    """Compute a rate from the counts; NaN where its denominator is 0.

    Examples
    --------
    >>> rate("precision", np.array([5.0, 1.0, 2.0, 3.0])).item()
    0.75
    """
    if name == "balanced_accuracy":
        return (rate("true_positive_rate", cells) + rate("true_negative_rate", cells)) / 2
    if name == "f1":
        double = 2 * cells[..., 3]
        return share(double, double + cells[..., 1] + cells[..., 2])
    hits, of = PROPORTIONS[name]
    return share(cells @ np.array(hits, dtype=float), cells @ np.array(of, dtype=float))


def denominator(name: str, cells: Cells) -> NDArray[np.float64]:
    """Return the rows that a rate is about: the smaller side where there are two."""
    if name == "balanced_accuracy":
        return np.minimum(cells[..., 0] + cells[..., 1], cells[..., 2] + cells[..., 3])
    if name == "f1":
        return cells[..., 1] + cells[..., 2] + cells[..., 3]
    return cells @ np.array(PROPORTIONS[name][1], dtype=float)
