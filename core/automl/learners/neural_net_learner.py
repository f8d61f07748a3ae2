"""A small neural net as a learner of the search: how long it is trained, its search space, its tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.automl._types import Config, Estimator, Features, Output
from core.automl.learners.early_stopping import GrownModel, Rows, StopRule
from core.automl.learners.skewed_target import is_skewed
from core.automl.learners.space import Hyperparameter

if TYPE_CHECKING:
    from core.automl.data.training_data import TrainingData
    from core.automl.learners.neural_net import Layer

__all__ = ["ESTIMATORS", "LENGTH", "PORTFOLIO", "build", "grow", "search_space", "suggest", "why_left_out"]

LENGTH = "stop_after"
"""Hyperparameter that growing finds out."""
_MODULE = "core.automl.learners.neural_net"
ESTIMATORS = (f"{_MODULE}.NeuralNetClassifier", f"{_MODULE}.NeuralNetRegressor")
PORTFOLIO: tuple[Config, ...] = (
    {},
    {"hidden": 128, "layers": 3, "learning_rate": 0.01, "dropout": 0.3},
    {"hidden": 32, "learning_rate": 0.05, "dropout": 0.4},
)
_MIN_ROWS, _MAX_ROWS, _MAX_FEATURES = 200, 300_000, 1_000
_LEAST = float(np.finfo(np.float64).eps)  # as scikit-learn clips probabilities


@dataclass
class _Grown:
    """A net with its layers after each part of its schedule."""

    estimator: Any
    by_part: list[list[Layer]] = field(default_factory=list)
    losses: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    @property
    def classes(self) -> NDArray[np.generic]:
        return np.asarray(getattr(self.estimator, "classes_", ()))

    def outputs(self, X: Features, trees: int) -> Output:
        return np.asarray(self.estimator.answers(X, self.by_part[trees - 1]))

    def cut(self, trees: int) -> Estimator:
        self.estimator.set_params(**{LENGTH: trees})
        cut: Estimator = self.estimator.keep(self.by_part[trees - 1])
        return cut


def grow(estimator: Any, rows: Rows, watched_rows: Rows, rule: StopRule) -> GrownModel:
    """Train an estimator part by part of its schedule until the rule ends it; parameters as in `grow_lightgbm`."""
    grown = _Grown(estimator)

    def watch(layers: list[Layer]) -> bool:
        grown.by_part.append(layers)
        return rule.enough(_loss(estimator, layers, watched_rows, rule))

    estimator.train(rows.X, rows.y, rows.weights, watch=watch, until=rule.until)
    grown.losses = np.array(rule.losses)
    return grown


def _loss(estimator: Any, layers: list[Layer], rows: Rows, rule: StopRule) -> float:
    answers = estimator.answers(rows.X, layers)
    if rule.watched == "log_loss":
        own = answers[np.arange(len(answers)), estimator.target(rows.y)]
        losses = -np.log(np.clip(own, _LEAST, None))
    else:
        distances = np.abs(answers - np.asarray(rows.y, dtype=np.float64))
        losses = distances if rule.watched == "absolute" else distances**2
    return float(np.average(losses, weights=rows.weights))


def build(config: Config, task: str, *, jobs: int, seed: int) -> Estimator:
    """Return the unfitted estimator of a configuration."""
    from core.automl.learners.neural_net import NeuralNetClassifier, NeuralNetRegressor

    kind = NeuralNetRegressor if task == "regression" else NeuralNetClassifier
    estimator: Estimator = kind(**config, n_jobs=jobs, random_state=seed)
    return estimator


def search_space(rows: int, columns: int, task: str) -> dict[str, Hyperparameter]:
    """Return the search space; the part of the schedule that is trained is found out by growing."""
    return {
        "hidden": Hyperparameter.integer(16, 256, log=True, initial=64, low_cost=32),
        "layers": Hyperparameter.integer(1, 4, initial=2),
        "learning_rate": Hyperparameter.real(2e-3, 0.1, log=True, initial=0.02),
        "dropout": Hyperparameter.real(0.0, 0.6, initial=0.15),
        "weight_decay": Hyperparameter.real(1e-3, 1.0, log=True, initial=0.02),
    } | ({"log_target": Hyperparameter.choice([False, True], initial=False)} if task == "regression" else {})


def suggest(data: TrainingData, seconds: float | None) -> list[Config]:
    """Return the logarithm of a target that is skewed to the right."""
    return [{"log_target": True}] if not data.classes and is_skewed(data.y) else []


def why_left_out(data: TrainingData) -> str:
    """Return why a net does not pay on these rows, empty where it does."""
    rows, features = data.X.shape
    if rows < _MIN_ROWS:
        return f"it needs more than {rows:,} training rows, {_MIN_ROWS:,} at least"
    if rows > _MAX_ROWS:
        return f"it is slow on {rows:,} training rows, more than {_MAX_ROWS:,}"
    if features > _MAX_FEATURES:
        return f"it is slow on {features:,} features, more than {_MAX_FEATURES:,}"
    return ""
