"""How often a model finds a class, and how often it is wrong where it names it: counted on stored predictions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.evaluation import MIN_UNITS, Estimate, effective_rows, groups_in, kish, weights_in, wilson

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ClassFrequencies", "Predictions", "class_frequencies", "share_of"]

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Predictions:
    """Actual and predicted values of rows that the model was not fitted on.

    Parameters
    ----------
    actual, predicted : array of shape (n,)
        Labels as text, or numbers.
    weights : array of shape (n,) or None
        Weights of the rows.
    groups : array of shape (n,) or None
        Group of each row; rows of a group depend on each other.
    """

    actual: NDArray[np.generic]
    predicted: NDArray[np.generic]
    weights: NDArray[np.float64] | None = None
    groups: NDArray[np.intp] | None = None

    def __len__(self) -> int:
        return len(self.actual)

    @classmethod
    def of_table(cls, table: pd.DataFrame, target: str, *, labels: bool) -> Predictions:
        """Return the predictions of a stored table, such as ``test.parquet``."""
        weights = weights_in(table, target)
        groups = groups_in(table, target)
        actual, predicted = table[target], table["prediction"]
        if labels:
            actual, predicted = actual.map(str), predicted.map(str)
            return cls(actual.to_numpy(object), predicted.to_numpy(object), weights, groups)
        return cls(actual.to_numpy(np.float64), predicted.to_numpy(np.float64), weights, groups)


@dataclass(frozen=True)
class ClassFrequencies:
    """How a model does on one class.

    Parameters
    ----------
    label : str
        The class.
    present : Estimate
        Share of all rows that are of the class.
    caught : Estimate
        Share of the rows of the class that the model names so (recall).
    false_alarms : Estimate
        Share of the rows that the model names so that are not of the class (1 minus precision).
    false_positives : Estimate
        Share of the rows of other classes that the model names so.
    """

    label: str
    present: Estimate
    caught: Estimate
    false_alarms: Estimate
    false_positives: Estimate


def share_of(hits: BoolArray, among: BoolArray, rows: Predictions, noun: str) -> Estimate:
    """Return the share of some rows that are hits, with Wilson's interval for as many independent rows.

    Parameters
    ----------
    hits, among : array of bool of shape (n,)
        Whether a row is a hit, and whether it counts.
    rows : Predictions
        All rows, with their weights and groups.
    noun : str
        Words for the rows that count, in the reason for a missing interval.

    Examples
    --------
    >>> rows = Predictions(np.array(["a"] * 20), np.array(["a"] * 15 + ["b"] * 5))
    >>> share = share_of(rows.predicted == "a", rows.actual == "a", rows, "rows with 'a'")
    >>> share.value, round(share.low, 2), round(share.high, 2), share.n
    (0.75, 0.53, 0.89, 20)
    """
    n = int(among.sum())
    weights = np.ones(n) if rows.weights is None else rows.weights[among]
    if not n or weights.sum() <= 0:
        return Estimate(math.nan, math.nan, math.nan, n, None, f"there are no {noun}")
    own = hits[among]
    value = float(np.average(own, weights=weights))
    units = n if rows.groups is None else len(np.unique(rows.groups[among]))
    if units < MIN_UNITS:
        kind = noun if rows.groups is None else f"groups that have {noun}"
        return Estimate(value, math.nan, math.nan, n, None, f"no interval: only {units} {kind}")
    effective = float(n) if rows.groups is None else effective_rows(own, rows.groups[among])
    effective *= kish(weights) / n
    low, high = wilson(value * effective, effective)
    return Estimate(value, min(float(low), value), max(float(high), value), n)


def class_frequencies(label: str, rows: Predictions) -> ClassFrequencies:
    """Return how a model does on one class."""
    is_class, is_named = rows.actual == label, rows.predicted == label
    everything = np.ones(len(rows), dtype=bool)
    return ClassFrequencies(
        label,
        present=share_of(is_class, everything, rows, "test rows"),
        caught=share_of(is_named, is_class, rows, f"rows with '{label}'"),
        false_alarms=share_of(~is_class, is_named, rows, f"rows that it names '{label}'"),
        false_positives=share_of(is_named, ~is_class, rows, f"rows without '{label}'"),
    )
