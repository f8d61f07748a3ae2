"""Small models, and what `explain` reads of a search's result, for the tests of explanations."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from core.automl import AutoMLSettings
from core.explain.explained_model import class_names, explained_model
from tests.unit.edge.edge_models import answers, fitted, odd_table

LEARNERS = ("lgbm", "gam", "mlp", "catboost", "xgboost", "xgb_limitdepth", "rf", "extra_tree", "linear")
LABELS = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": None}


def result_of(
    model: Any, frame: pd.DataFrame, target: str, *, task: str, metric: str, labels: Any = None, **settings: Any
) -> Any:
    """Return a result whose test rows are all of the table."""
    test = pd.DataFrame({"row_id": np.arange(len(frame)), target: frame[target].to_numpy()})
    for name in settings.get("sensitive_columns", ()):
        test[name] = frame[name].to_numpy()
    return SimpleNamespace(
        model=model,
        settings=AutoMLSettings(target=target, **settings),
        task=task,
        metric=metric,
        labels=None if labels is None else list(labels),
        features=[name for name in frame.columns if name != target],
        test=test,
        oof=test.iloc[:0],
    )


def odd_result(learner: str, task: str, rows: int = 200) -> tuple[Any, pd.DataFrame]:
    """Return a result on other rows of a table with every kind of column and missing cells, and these rows."""
    labels = LABELS[task]
    model = fitted(learner, task, odd_table(), labels)
    frame = odd_table(rows, seed=1)
    y, _ = answers(frame, task, labels, seed=1)
    frame["target"] = y if labels is None else np.array(labels, dtype=object)[y]
    metric = "r2" if labels is None else "roc_auc"
    return result_of(model, frame, "target", task=task, metric=metric, labels=labels), frame


def function_model(function: Any, classes: int = 0) -> Any:
    """Return a model of which nothing is known but its answers: probabilities with `classes`, a number without."""
    return SimpleNamespace(**{"predict_proba" if classes else "predict": lambda frame: np.asarray(function(frame))})


def model_of(result: Any) -> Any:
    """Return the model of a result."""
    _, output_indices = class_names(result.labels)
    return explained_model(result.model, result.features, output_indices)
