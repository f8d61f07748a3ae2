"""How often a model finds a class, and how often it is wrong where it names it: counted on stored predictions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.automl import DecisionFigures, decision_figures
from core.evaluation import Estimate, groups_in, weights_in
from core.label_cells import has_label

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ClassFrequencies", "Predictions", "class_frequencies", "share_right"]

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
    several : bool, default=False
        Whether a row has any number of labels.
    """

    actual: NDArray[np.generic]
    predicted: NDArray[np.generic]
    weights: NDArray[np.float64] | None = None
    groups: NDArray[np.intp] | None = None
    several: bool = False

    def __len__(self) -> int:
        return len(self.actual)

    @classmethod
    def of_table(cls, table: pd.DataFrame, target: str, *, labels: bool, several: bool = False) -> Predictions:
        """Return the predictions of a stored table, such as ``test.parquet``."""
        weights = weights_in(table, target)
        groups = groups_in(table, target)
        actual, predicted = table[target], table["prediction"]
        if labels:
            actual, predicted = actual.map(str), predicted.map(str)
            return cls(actual.to_numpy(object), predicted.to_numpy(object), weights, groups, several)
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


def class_frequencies(label: str, rows: Predictions) -> ClassFrequencies:
    """Return how a model does on one class.

    Examples
    --------
    >>> rows = Predictions(np.array(["a"] * 20 + ["b"] * 20), np.array(["a"] * 15 + ["b"] * 25))
    >>> counted = class_frequencies("a", rows)
    >>> counted.caught.value, round(counted.caught.low, 2), counted.false_alarms.value, counted.present.value
    (0.75, 0.53, 0.0, 0.5)
    """
    is_class, is_named = (has_label(cells, label, several=rows.several) for cells in (rows.actual, rows.predicted))

    def figures(positive: BoolArray, selected: BoolArray) -> DecisionFigures:
        return decision_figures(positive, selected, label, groups=rows.groups, sample_weight=rows.weights)

    own = figures(is_class, is_named)
    others = decision_figures(~is_class, is_named, "other classes", groups=rows.groups, sample_weight=rows.weights)
    return ClassFrequencies(
        label,
        present=figures(is_class, is_class).selected,
        caught=own.recall,
        false_alarms=_complement(own.precision),
        false_positives=others.recall,
    )


def share_right(rows: Predictions) -> Estimate:
    """Return the share of rows whose class is predicted."""
    right = np.asarray(rows.actual == rows.predicted, dtype=bool)
    return decision_figures(right, right, "", groups=rows.groups, sample_weight=rows.weights).selected


def _complement(share: Estimate) -> Estimate:
    low, high = (None if bound is None else 1 - bound for bound in (share.high, share.low))
    return replace(share, value=1 - share.value, low=low, high=high)
