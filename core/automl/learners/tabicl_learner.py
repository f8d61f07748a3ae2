"""TabICL as a learner of the search, where the installation has a checkpoint: its space, and its tables."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from core.automl._types import Config, Estimator
from core.automl.learners.space import Hyperparameter
from core.settings import get_settings

if TYPE_CHECKING:
    from core.automl.data.training_data import TrainingData

__all__ = ["DEPLOYMENT", "ESTIMATORS", "build", "is_offered", "search_space", "why_left_out"]

_MODULE = "core.automl.learners.tabicl_model"
ESTIMATORS = (f"{_MODULE}.TabICLClassifier", f"{_MODULE}.TabICLRegressor")
DEPLOYMENT = (
    "The model has a TabICL in it: it holds the training rows, which whoever has the model can read, needs the "
    "checkpoint file and the package tabicl wherever it predicts, reads all training rows for each prediction, and "
    "cannot be exported to ONNX."
)
_MAX_ROWS, _MAX_FEATURES, _MAX_CLASSES = 5_000, 200, 10


def is_offered() -> bool:
    """Return whether the installation names a checkpoint file and has the package."""
    return get_settings().tabicl_checkpoint is not None and find_spec("tabicl") is not None


def build(config: Config, task: str, *, jobs: int, seed: int) -> Estimator:
    """Return the unfitted estimator of a configuration."""
    from core.automl.learners.tabicl_model import TabICLClassifier, TabICLRegressor

    kind = TabICLRegressor if task == "regression" else TabICLClassifier
    estimator: Estimator = kind(**config, n_jobs=jobs, random_state=seed)
    return estimator


def search_space(rows: int, columns: int, task: str) -> dict[str, Hyperparameter]:
    """Return the search space: the number of views that are averaged."""
    return {"n_estimators": Hyperparameter.integer(1, 8, log=True, initial=4, low_cost=1)}


def why_left_out(data: TrainingData) -> str:
    """Return why TabICL is not for these rows, empty where it is."""
    from core.automl.learners.tabicl_model import checkpoint_problem, predicts_classes

    rows, features = data.X.shape
    if data.weights is not None or data.weighted:
        return "it takes no weights of rows or classes"
    if rows > _MAX_ROWS:
        return f"it is slow on {rows:,} training rows, more than {_MAX_ROWS:,}"
    if features > _MAX_FEATURES:
        return f"it is slow on {features:,} features, more than {_MAX_FEATURES:,}"
    if data.classes > _MAX_CLASSES:
        return f"it predicts up to {_MAX_CLASSES} classes, not {data.classes:,}"
    if problem := checkpoint_problem():
        return problem
    if bool(data.classes) != predicts_classes():
        return f"its checkpoint predicts {'numbers' if data.classes else 'classes'}"
    return ""
