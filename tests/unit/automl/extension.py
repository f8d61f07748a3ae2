"""An extension as an installation would write one: two learners and a metric, added through the public registries."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import matthews_corrcoef
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from core.automl import LEARNERS, METRICS, Hyperparameter, Learner, Metric


def nearest_neighbors(config: dict[str, Any], task: str, *, jobs: int, seed: int) -> Any:
    model = KNeighborsRegressor if task == "regression" else KNeighborsClassifier
    return make_pipeline(StandardScaler(), model(n_jobs=jobs, **config))


def neighbors(rows: int, columns: int, task: str) -> dict[str, Hyperparameter]:
    return {
        "n_neighbors": Hyperparameter.integer(1, min(50, rows // 4), log=True, initial=5, low_cost=5),
        "weights": Hyperparameter.choice(["uniform", "distance"], initial="uniform"),
    }


class Broken(KNeighborsClassifier):
    """Raises what a defect raises."""

    def fit(self, X: Any, y: Any) -> Any:
        raise KeyError("no_such_column")


def broken(config: dict[str, Any], task: str, *, jobs: int, seed: int) -> Any:
    return Broken(**config)


def broken_space(rows: int, columns: int, task: str) -> dict[str, Hyperparameter]:
    raise KeyError("no_such_space")


def mcc(y: np.ndarray, output: np.ndarray, weight: np.ndarray) -> float:
    return float(matthews_corrcoef(y, output.argmax(axis=1), sample_weight=weight))


LEARNERS.add(Learner("knn", "Nearest neighbors", build=nearest_neighbors, space=neighbors))
LEARNERS.add(Learner("broken", "Broken neighbors", build=broken, space=neighbors))
LEARNERS.add(Learner("spaceless", "Without a space", build=nearest_neighbors, space=broken_space))
METRICS.add(Metric("mcc", "MCC", True, ("binary", "multiclass"), function=mcc))
