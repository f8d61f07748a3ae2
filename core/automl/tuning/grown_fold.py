"""One fold of a trial whose number of trees is found out: its model grows until the other rows say enough."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.automl._fitting import of_all_classes, rows_to_fit
from core.automl._types import Codes, Estimator, Features, Output
from core.automl.data.training_data import TrainingData
from core.automl.engineering.engineered_model import EngineeredModel
from core.automl.learners.build import ABSOLUTE_METRICS
from core.automl.learners.early_stopping import Grow, GrownModel, Rows, StopRule, Watched
from core.automl.learners.scaled_target import ScaledTargetRegressor

__all__ = ["GrownFold", "best_trees", "tree_numbers", "watched"]

_RANKS = ("roc_auc", "average_precision")
_LONGER = (1.0, 1.25, 1.5)  # times the number of trees with the least loss


def watched(metric: str, task: str) -> Watched:
    """Return the loss that is watched while a model grows for a metric.

    Of classes it is the log loss whatever the metric: a handful of trees may rank without a fault, and give every row
    nearly the same probability.

    Examples
    --------
    >>> watched("roc_auc", "binary"), watched("mae", "regression"), watched("f1_macro", "multiclass")
    ('log_loss', 'absolute', 'log_loss')
    """
    if task == "regression":
        return "absolute" if metric in ABSOLUTE_METRICS else "squared"
    return "log_loss"


def best_trees(losses: list[NDArray[np.float64]]) -> int:
    """Return the number of trees with the least mean loss over folds, among the numbers that every fold has reached.

    Examples
    --------
    >>> best_trees([np.array([0.7, 0.5, 0.4]), np.array([0.7, 0.6, 0.8, 0.1])])
    2
    """
    common = min(len(loss) for loss in losses)
    return 1 + int(np.argmin(np.mean([loss[:common] for loss in losses], axis=0)))


def tree_numbers(by_loss: int, longest: int, metric: str) -> list[int]:
    """Return the numbers of trees to compare by the metric itself.

    A ranking is still getting better where probabilities begin to be too bold, so a metric of ranks is asked about more
    trees than the log loss wants.

    Parameters
    ----------
    by_loss : int
        Number of trees with the least loss.
    longest : int
        Number of trees that every fold has.
    metric : str
        Key of `METRICS`.

    Examples
    --------
    >>> tree_numbers(100, 140, "roc_auc"), tree_numbers(100, 140, "log_loss")
    ([100, 125, 140], [100])
    """
    if metric not in _RANKS:
        return [by_loss]
    return sorted({min(round(by_loss * factor), longest) for factor in _LONGER})


class GrownFold:
    """A model of a fold that can be asked as it was after any of its trees.

    Parameters
    ----------
    estimator : estimator
        Unfitted; a regressor is within a `ScaledTargetRegressor`, one of made features within an `EngineeredModel`.
    grow : callable
        Function that grows it.
    data : TrainingData
        All rows.
    train, validation : array of int
        Positions of the rows to learn from, and to watch.
    rule : StopRule
        Rule that ends the growth.
    """

    def __init__(
        self, estimator: Estimator, grow: Grow, data: TrainingData, train: Codes, validation: Codes, rule: StopRule
    ) -> None:
        self._classes = data.classes
        self._scaled = estimator if isinstance(estimator, ScaledTargetRegressor) else None
        inner: Any = estimator if self._scaled is None else self._scaled.estimator
        X, y, weight = rows_to_fit(inner, data.X[train], data.y[train], data, data.weights_of(train))
        rows, other = Rows(X, y, weight), validation
        if data.classes:  # a class that it does not learn cannot be watched
            other = validation[np.isin(data.y[validation], y)]
        watched_rows = Rows(data.X[other], data.y[other], data.weights_of(other))
        if self._scaled is not None:
            self._scaled.learn_scale(y, weight)
            rows = Rows(X, self._scaled.scaled(y), weight)
            watched_rows = Rows(watched_rows.X, self._scaled.scaled(watched_rows.y), watched_rows.weights)
        self._engineered = inner if isinstance(inner, EngineeredModel) else None
        if self._engineered is not None:
            rows = replace(rows, X=self._engineered.learn_features(rows.X, rows.y, rows.weights))
            watched_rows = replace(watched_rows, X=self._engineered.features(watched_rows.X))
            inner = self._engineered.estimator
        self._grown: GrownModel = grow(inner, rows, watched_rows, rule)

    @property
    def losses(self) -> NDArray[np.float64]:
        """Loss on the watched rows after each tree, shape (trees,)."""
        return self._grown.losses

    def outputs(self, X: Features, trees: int) -> Output:
        """Return what the first trees predict: probabilities of all classes, or numbers in the target's unit."""
        output = self._grown.outputs(X if self._engineered is None else self._engineered.features(X), trees)
        if self._scaled is not None:
            return self._scaled.unscaled(output)
        return of_all_classes(output, self._grown.classes, self._classes)

    def cut(self, trees: int) -> Estimator:
        """Return the fitted estimator with its first trees alone."""
        fitted: Any = self._grown.cut(trees)
        for wrapper in (self._engineered, self._scaled):
            if wrapper is not None:
                wrapper.estimator_ = fitted
                fitted = wrapper
        estimator: Estimator = fitted
        return estimator
