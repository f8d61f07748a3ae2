"""CatBoost as a learner of the search: how it grows, its search space, and the tables that it is tried on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.automl._types import Config, Estimator, Features, Output
from core.automl.learners.early_stopping import GrownModel, Rows, StopRule
from core.automl.learners.space import Hyperparameter

if TYPE_CHECKING:
    from catboost import CatBoost

    from core.automl.data.training_data import TrainingData
    from core.automl.learners.catboost_trees import CatBoostTrees

__all__ = ["ESTIMATORS", "PORTFOLIO", "build", "grow", "search_space", "why_left_out"]

ESTIMATORS = (
    "core.automl.learners.catboost_trees.CatBoostTreesClassifier",
    "core.automl.learners.catboost_trees.CatBoostTreesRegressor",
)
PORTFOLIO: tuple[Config, ...] = ({"depth": 4, "rsm": 0.5}, {"depth": 6})
_MIN_ROWS, _MAX_ROWS, _MAX_CLASSES = 1_000, 100_000, 20


@dataclass(frozen=True)
class _Grown:
    estimator: CatBoostTrees
    model: CatBoost
    losses: NDArray[np.float64]

    @property
    def classes(self) -> NDArray[np.generic]:
        return np.asarray(getattr(self.estimator, "classes_", ()))

    def outputs(self, X: Features, trees: int) -> Output:
        return self.estimator.answers(self.model, X, trees)

    def cut(self, trees: int) -> Estimator:
        self.model.shrink(trees)
        cut: Estimator = self.estimator.keep(self.model)
        return cut


def grow(estimator: Any, rows: Rows, watched_rows: Rows, rule: StopRule) -> GrownModel:
    """Fit an estimator tree by tree until the rule ends it; parameters as in `grow_lightgbm`."""
    model = estimator.train(rows, watched_rows, rule)
    return _Grown(estimator, model, np.array(rule.losses))


def build(config: Config, task: str, *, jobs: int, seed: int) -> Estimator:
    """Return the unfitted estimator of a configuration."""
    from core.automl.learners.catboost_trees import CatBoostTreesClassifier, CatBoostTreesRegressor

    kind = CatBoostTreesRegressor if task == "regression" else CatBoostTreesClassifier
    estimator: Estimator = kind(**config, n_jobs=jobs, random_state=seed)
    return estimator


def search_space(rows: int, columns: int, task: str) -> dict[str, Hyperparameter]:
    """Return the search space; the number of trees is found out by growing."""
    return {
        "learning_rate": Hyperparameter.real(0.02, 0.3, log=True, initial=0.06),
        "depth": Hyperparameter.integer(4, 8, initial=6, low_cost=4),
        "l2_leaf_reg": Hyperparameter.real(0.5, 30, log=True, initial=3.0),
        "random_strength": Hyperparameter.real(0.1, 10, log=True, initial=1.0),
        "bagging_temperature": Hyperparameter.real(0, 1, initial=1.0),
        "rsm": Hyperparameter.real(0.2, 1, initial=1.0),
    }


def why_left_out(data: TrainingData) -> str:
    """Return why CatBoost does not pay on these rows, empty where it does."""
    rows = len(data.y)
    if rows < _MIN_ROWS:
        return f"it gains little on {rows:,} training rows, fewer than {_MIN_ROWS:,}"
    if rows > _MAX_ROWS:
        return f"it is slow on {rows:,} training rows, more than {_MAX_ROWS:,}"
    if data.classes > _MAX_CLASSES:
        return f"it is slow with {data.classes:,} classes, more than {_MAX_CLASSES:,}"
    return ""
