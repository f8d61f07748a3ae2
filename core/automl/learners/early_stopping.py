"""Boosted trees that stop in time: where other rows say that more trees do not help, or where the time is up."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.automl._types import Estimator, Features, Output, Target, Weights

if TYPE_CHECKING:
    from xgboost.callback import TrainingCallback

__all__ = [
    "MAX_TREES",
    "Grow",
    "GrownModel",
    "Rows",
    "StopRule",
    "Watched",
    "grow_lightgbm",
    "grow_xgboost",
    "min_trees",
]

MAX_TREES = 5_000
"""Number of trees at which growing ends in any case."""
_PATIENCE = 50  # trees without a gain, and half as many as there were at the best, that end it
_ROWS_A_SECOND = 3_000_000  # rows times trees
Watched = Literal["log_loss", "squared", "absolute"]
"""Loss on other rows by which the number of trees is chosen."""


@dataclass(frozen=True)
class Rows:
    """Rows to learn from, or to watch.

    Parameters
    ----------
    X : array of shape (n, features)
        Encoded rows.
    y : array of shape (n,)
        Class codes, or numbers.
    weights : array of shape (n,), optional
        Their weights.
    """

    X: Features
    y: Target
    weights: Weights | None = None


@dataclass
class StopRule:
    """Decides after each tree whether to grow another, and keeps the losses.

    Parameters
    ----------
    watched : str
        Loss on the watched rows.
    until : float, default=inf
        Moment of `time.monotonic` at which the time is up.
    min_trees : int, default=1
        Number of trees that grow although the time is up: a model of a handful is hardly better than none.
    max_trees : int, default=5000
        Maximum number of trees.

    Attributes
    ----------
    losses : list of float
        Loss on the watched rows after each tree.

    Examples
    --------
    >>> rule = StopRule("log_loss", max_trees=3)
    >>> [rule.enough(loss) for loss in (0.7, 0.6, 0.5)], rule.losses
    ([False, False, True], [0.7, 0.6, 0.5])
    """

    watched: Watched
    until: float = math.inf
    min_trees: int = 1
    max_trees: int = MAX_TREES
    losses: list[float] = field(default_factory=list)
    _best: int = 0

    def enough(self, value: float) -> bool:
        """Take in what was measured after a tree, and return whether it was the last one."""
        self.losses.append(value)
        trees = len(self.losses)
        if not self._best or self.losses[-1] < self.losses[self._best - 1]:
            self._best = trees
        stale = trees - self._best >= _PATIENCE + self._best / 2
        late = trees >= self.min_trees and time.monotonic() >= self.until
        return stale or trees >= self.max_trees or late


def min_trees(rows: int) -> int:
    """Return how many trees grow on so many rows whatever the time: those that take about a second of one core.

    Examples
    --------
    >>> min_trees(1_000), min_trees(100_000), min_trees(5_000_000)
    (50, 30, 3)
    """
    return int(np.clip(_ROWS_A_SECOND // max(rows, 1), 3, 50))


class GrownModel(Protocol):
    """A model that can be asked as it was after any of its trees."""

    @property
    def losses(self) -> NDArray[np.float64]:
        """Loss on the watched rows after each tree, shape (trees,)."""
        ...

    @property
    def classes(self) -> NDArray[np.generic]:
        """Codes of the classes that it has seen; empty for numbers."""
        ...

    def outputs(self, X: Features, trees: int) -> Output:
        """Return what the first trees predict: probabilities of the classes that it has seen, or numbers."""
        ...

    def cut(self, trees: int) -> Estimator:
        """Return the estimator with its first trees alone; the others are lost."""
        ...


class Grow(Protocol):
    """Fits an estimator tree by tree, as `grow_lightgbm` does."""

    def __call__(self, estimator: Estimator, rows: Rows, watched_rows: Rows, rule: StopRule) -> GrownModel:
        """Return the model that has grown until the rule ended it."""
        ...


@dataclass(frozen=True)
class _Grown:
    """A fitted estimator of a library, with its own way to be asked and cut."""

    estimator: Any
    losses: NDArray[np.float64]
    _predict: Callable[[Any, Features, int], Output]
    _cut: Callable[[Any, int], Any]

    @property
    def classes(self) -> NDArray[np.generic]:
        return np.asarray(getattr(self.estimator, "classes_", ()))

    def outputs(self, X: Features, trees: int) -> Output:
        return np.asarray(self._predict(self.estimator, X, trees), dtype=np.float64)

    def cut(self, trees: int) -> Estimator:
        cut: Estimator = self._cut(self.estimator, trees)
        return cut


_LIGHTGBM = {"squared": "l2", "absolute": "l1"}
_XGBOOST = {"squared": "rmse", "absolute": "mae"}


def grow_lightgbm(estimator: Any, rows: Rows, watched_rows: Rows, rule: StopRule) -> GrownModel:
    """Fit an estimator of LightGBM tree by tree until the rule ends it.

    Parameters
    ----------
    estimator : LGBMClassifier or LGBMRegressor
        Unfitted; its number of trees is set by the rule.
    rows : Rows
        Rows to learn from.
    watched_rows : Rows
        Rows by whose loss the rule decides.
    rule : StopRule
        Rule that ends the growth.
    """
    from lightgbm.callback import CallbackEnv, EarlyStopException

    several = len(np.unique(rows.y)) > 2
    metric = _LIGHTGBM.get(rule.watched, "multi_logloss" if several else "binary_logloss")

    def after_tree(env: CallbackEnv) -> None:
        results = env.evaluation_result_list or []
        if rule.enough(float(results[0][2])):
            raise EarlyStopException(env.iteration, results)

    estimator.set_params(n_estimators=rule.max_trees, metric=metric)
    estimator.fit(
        rows.X,
        rows.y,
        sample_weight=rows.weights,
        eval_X=watched_rows.X,
        eval_y=watched_rows.y,
        eval_sample_weight=None if watched_rows.weights is None else [watched_rows.weights],
        callbacks=[after_tree],
    )
    return _Grown(estimator, np.array(rule.losses), _ask_lightgbm, _cut_lightgbm)


def _ask_lightgbm(estimator: Any, X: Features, trees: int) -> Output:
    ask = estimator.predict_proba if hasattr(estimator, "predict_proba") else estimator.predict
    return np.asarray(ask(X, num_iteration=trees))


def _cut_lightgbm(estimator: Any, trees: int) -> Any:
    from lightgbm import Booster

    text = estimator.booster_.model_to_string(num_iteration=trees)
    estimator._Booster = Booster(model_str=text)
    estimator._best_iteration = trees
    estimator._evals_result = None
    estimator.set_params(n_estimators=trees)
    return estimator


def grow_xgboost(estimator: Any, rows: Rows, watched_rows: Rows, rule: StopRule) -> GrownModel:
    """Fit an estimator of XGBoost tree by tree until the rule ends it; parameters as in `grow_lightgbm`."""
    several = len(np.unique(rows.y)) > 2
    metric = _XGBOOST.get(rule.watched, "mlogloss" if several else "logloss")
    estimator.set_params(n_estimators=rule.max_trees, eval_metric=metric, callbacks=[_after_tree(rule)])
    estimator.fit(
        rows.X,
        rows.y,
        sample_weight=rows.weights,
        eval_set=[(watched_rows.X, watched_rows.y)],
        sample_weight_eval_set=None if watched_rows.weights is None else [watched_rows.weights],
        verbose=False,
    )
    estimator.set_params(callbacks=None, eval_metric=None)
    return _Grown(estimator, np.array(rule.losses), _ask_xgboost, _cut_xgboost)


def _after_tree(rule: StopRule) -> TrainingCallback:
    from xgboost.callback import TrainingCallback

    class AfterTree(TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            (measured,) = evals_log["validation_0"].values()
            return rule.enough(float(measured[-1]))

    return AfterTree()


def _ask_xgboost(estimator: Any, X: Features, trees: int) -> Output:
    ask = estimator.predict_proba if hasattr(estimator, "predict_proba") else estimator.predict
    return np.asarray(ask(X, iteration_range=(0, trees)))


def _cut_xgboost(estimator: Any, trees: int) -> Any:
    estimator._Booster = estimator.get_booster()[:trees]
    estimator.set_params(n_estimators=trees)
    return estimator
