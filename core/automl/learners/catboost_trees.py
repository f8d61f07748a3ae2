"""CatBoost's symmetric trees as estimators that hold their model as bytes, and load CatBoost when they are used.

CatBoost's own estimators keep the rows that were watched, refuse other parameters once they are fitted, and are of a
type that needs the library to be read. These hold plain values: the parameters, the classes and the model's file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from core.automl._types import Features, Output, Target
from core.automl.learners.early_stopping import Rows, StopRule

if TYPE_CHECKING:
    from catboost import CatBoost

__all__ = ["CatBoostTrees", "CatBoostTreesClassifier", "CatBoostTreesRegressor"]

_EVAL_METRICS = {"squared": "RMSE", "absolute": "MAE"}
_WATCHED_ONLY = "hints=skip_train~true"  # losses of the rows that are learned from are not computed
_MAX_TREES = 2_000  # after each tree CatBoost hands over the losses after all trees


class _AfterTree:
    """Asks the rule after each tree; the method's name is CatBoost's."""

    def __init__(self, metric: str, rule: StopRule) -> None:
        self._metric = metric
        self._rule = rule

    def after_iteration(self, info: Any) -> bool:
        """Return whether to grow another tree."""
        measured = next(
            values for name, values in info.metrics["validation"].items() if name.partition(":")[0] == self._metric
        )
        return not self._rule.enough(float(measured[-1]))


class CatBoostTrees(BaseEstimator):
    """What the classifier and the regressor share.

    Parameters
    ----------
    n_estimators : int, default=300
        Number of trees.
    learning_rate : float, default=0.06
        Share of each tree's values that is added.
    depth : int, default=6
        Number of splits from the root to a leaf; all nodes of a level split in the same way.
    l2_leaf_reg : float, default=3
        L2 penalty of the leaves' values.
    random_strength : float, default=1
        Spread of the noise that is added to the scores of splits.
    bagging_temperature : float, default=1
        Spread of the random weights of rows; 0 for no such weights.
    rsm : float, default=1
        Share of the columns that each level of a tree may split on.
    loss : {"squared", "absolute"}, default="squared"
        Errors of numbers that are minimized.
    monotone_constraints : list of int, optional
        Direction in which the answer may change with each feature: 1, -1, or 0 for both.
    n_jobs : int, default=1
        Number of threads.
    random_state : int, default=0
        Seed.

    Attributes
    ----------
    model_ : bytes
        The fitted model as CatBoost's own file (.cbm).
    """

    loss = "squared"  # of those that were stored before it could be another
    monotone_constraints: list[int] | None = None

    def __init__(
        self,
        n_estimators: int = 300,
        learning_rate: float = 0.06,
        depth: int = 6,
        l2_leaf_reg: float = 3.0,
        random_strength: float = 1.0,
        bagging_temperature: float = 1.0,
        rsm: float = 1.0,
        loss: str = "squared",
        monotone_constraints: list[int] | None = None,
        n_jobs: int = 1,
        random_state: int = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.depth = depth
        self.l2_leaf_reg = l2_leaf_reg
        self.random_strength = random_strength
        self.bagging_temperature = bagging_temperature
        self.rsm = rsm
        self.loss = loss
        self.monotone_constraints = monotone_constraints
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Features, y: Target, sample_weight: NDArray[np.float64] | None = None) -> CatBoostTrees:
        """Fit on rows, with their weights if any."""
        return self.keep(self.train(Rows(X, y, sample_weight)))

    def train(self, rows: Rows, watched_rows: Rows | None = None, rule: StopRule | None = None) -> CatBoost:
        """Return CatBoost's model of rows; with a rule it grows until the loss on other rows ends it."""
        from catboost import CatBoost

        loss = self._loss_of(rows.y)
        own = {name: value for name, value in self.get_params().items() if value is not None}
        parameters = {name: value for name, value in own.items() if name not in ("n_jobs", "loss")} | {
            "loss_function": loss,
            "bootstrap_type": "Bayesian",
            "allow_const_label": True,
            "thread_count": self.n_jobs,
            "allow_writing_files": False,
            "logging_level": "Silent",
        }
        learned = self._pool(rows)
        if rule is None or watched_rows is None:
            return CatBoost(parameters).fit(learned)
        metric = _EVAL_METRICS.get(rule.watched, loss)
        parameters |= {"n_estimators": min(rule.max_trees, _MAX_TREES), "loss_function": f"{loss}:{_WATCHED_ONLY}"}
        parameters["eval_metric"] = f"{metric}:{_WATCHED_ONLY}"
        watched = self._pool(watched_rows)
        return CatBoost(parameters).fit(
            learned, eval_set=watched, use_best_model=False, callbacks=[_AfterTree(metric, rule)]
        )

    def keep(self, model: CatBoost) -> CatBoostTrees:
        """Hold a model that was trained."""
        self.n_estimators = model.tree_count_
        self.model_: bytes = model._serialize_model()
        self.n_features_in_ = len(model.feature_names_)
        self.__dict__.pop("_loaded", None)
        return self

    def loaded(self) -> CatBoost:
        """Return the fitted model as CatBoost's own object."""
        if "_loaded" not in self.__dict__:
            from catboost import CatBoost

            self._loaded = CatBoost().load_model(blob=self.model_)
        return self._loaded

    def raw(self, X: Features) -> Output:
        """Return the sums of the trees: numbers, log-odds of two classes, or a margin of each of several."""
        return np.asarray(self.loaded().predict(X, "RawFormulaVal", thread_count=self.n_jobs))

    def contributions(self, X: Features) -> Output:
        """Return exact SHAP values of `raw`, and last what they are added to: shape (n, outputs, features + 1)."""
        from catboost import Pool

        rows = Pool(np.ascontiguousarray(X, dtype=np.float32))
        values = np.asarray(
            self.loaded().get_feature_importance(rows, type="ShapValues", thread_count=self.n_jobs), dtype=np.float64
        )
        return values[:, None] if values.ndim == 2 else values

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_loaded"}

    def _pool(self, rows: Rows) -> Any:
        from catboost import Pool

        return Pool(np.ascontiguousarray(rows.X, dtype=np.float32), self._target(rows.y), weight=rows.weights)

    def _loss_of(self, y: Target) -> str:
        return "MAE" if self.loss == "absolute" else "RMSE"

    def _target(self, y: Target) -> NDArray[Any]:
        return np.asarray(y, dtype=np.float64)

    def answers(self, model: CatBoost, X: Features, trees: int = 0) -> Output:
        """Return what the first trees of a model predict, 0 for all: probabilities of `classes_`, or numbers."""
        return np.asarray(model.predict(X, "RawFormulaVal", ntree_end=trees, thread_count=self.n_jobs))


class CatBoostTreesRegressor(RegressorMixin, CatBoostTrees):
    """Boosted symmetric trees for numbers; parameters as of `CatBoostTrees`."""

    def predict(self, X: Features) -> Output:
        """Return numbers, float64, shape (n,)."""
        return self.answers(self.loaded(), X)


class CatBoostTreesClassifier(ClassifierMixin, CatBoostTrees):
    """Boosted symmetric trees for classes; parameters as of `CatBoostTrees`.

    Attributes
    ----------
    classes_ : array of shape (k,)
        The classes that it has seen.
    """

    def train(self, rows: Rows, watched_rows: Rows | None = None, rule: StopRule | None = None) -> CatBoost:
        self.classes_ = np.unique(rows.y)
        return super().train(rows, watched_rows, rule)

    def predict_proba(self, X: Features) -> Output:
        """Return probabilities of `classes_`, float64, shape (n, k)."""
        return self.answers(self.loaded(), X)

    def predict(self, X: Features) -> NDArray[Any]:
        """Return the most probable class."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def answers(self, model: CatBoost, X: Features, trees: int = 0) -> Output:
        if len(self.classes_) == 1:
            return np.ones((len(X), 1))
        return np.asarray(model.predict(X, "Probability", ntree_end=trees, thread_count=self.n_jobs))

    def _loss_of(self, y: Target) -> str:
        return "MultiClass" if len(self.classes_) > 2 else "Logloss"

    def _target(self, y: Target) -> NDArray[Any]:
        return np.searchsorted(self.classes_, y)
