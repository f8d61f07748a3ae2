"""Additive models as a learner of the search: their search space, and the tables that they are tried on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.automl._types import Config, Estimator
from core.automl.learners.skewed_target import is_skewed
from core.automl.learners.space import Hyperparameter

if TYPE_CHECKING:
    from core.automl.data.training_data import TrainingData

__all__ = ["ESTIMATORS", "PORTFOLIO", "TRUSTED", "build", "search_space", "suggest", "why_left_out"]

_MODULE = "core.automl.learners"
ESTIMATORS = (f"{_MODULE}.additive_model.AdditiveClassifier", f"{_MODULE}.additive_model.AdditiveRegressor")
TRUSTED = (f"{_MODULE}.spline_features.SplineFeatures", f"{_MODULE}.spline_features.Spline")
PORTFOLIO: tuple[Config, ...] = ({"C": 0.02},)
_OTHERS: tuple[Config, ...] = ({"C": 0.3}, {"C": 0.003}, {"C": 0.03, "knots": 9})
_MAX_CELLS = 30_000_000
_SPLINES = 7  # per column


def build(config: Config, task: str, *, jobs: int, seed: int) -> Estimator:
    """Return the unfitted estimator of a configuration."""
    from core.automl.learners.additive_model import AdditiveClassifier, AdditiveRegressor

    kind = AdditiveRegressor if task == "regression" else AdditiveClassifier
    estimator: Estimator = kind(**config, random_state=seed)
    return estimator


def search_space(rows: int, columns: int, task: str) -> dict[str, Hyperparameter]:
    """Return the search space; of numbers with the question whether their logarithm is learned."""
    space = {
        "C": Hyperparameter.real(1e-4, 10, log=True, initial=0.02),
        "knots": Hyperparameter.integer(3, 15, log=True, initial=5),
    }
    return space | ({"log_target": Hyperparameter.choice([False, True], initial=False)} if task == "regression" else {})


def suggest(data: TrainingData, seconds: float | None) -> list[Config]:
    """Return other penalties, and before them the logarithm of a target that is skewed to the right."""
    skewed = not data.classes and is_skewed(data.y)
    return [*([{"C": 0.03, "log_target": True}] if skewed else []), *_OTHERS]


def why_left_out(data: TrainingData) -> str:
    """Return why additive models do not pay on these rows, empty where they do."""
    rows, columns = data.X.shape
    cells = rows * columns * (1 + _SPLINES)
    if cells <= _MAX_CELLS:
        return ""
    return f"its curves of {columns:,} features of {rows:,} training rows would fill {cells * 8 / 1e9:,.1f} GB"
