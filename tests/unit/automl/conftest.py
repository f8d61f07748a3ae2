"""Searches that several tests look at, each done once, and what it takes to watch one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.datasets import load_sample
from tests.unit.conftest import Searched


@pytest.fixture(scope="session")
def credit(run_search: Any, shared: Any) -> Searched:
    """Two classes of text: five trials, sensitive columns, one column dropped, some targets missing."""
    frame = load_sample("german_credit").frame.copy()
    frame.loc[[3, 77, 500], "credit"] = None
    return shared(
        "automl-credit",
        lambda: run_search(
            frame,
            target="credit",
            time_budget_s=None,
            max_trials=5,
            folds=3,
            sensitive_columns=("sex", "age"),
            drop_columns=("telephone", "sex"),
        ),
    )


@pytest.fixture(scope="session")
def wine(run_search: Any, shared: Any) -> Searched:
    """Three classes, numbered 1, 5 and 9, with a score to stop at that the first good trial reaches."""
    frame = load_sample("wine").frame.copy()
    frame["cultivar"] = frame["cultivar"].map({"class_0": 1, "class_1": 5, "class_2": 9})
    return shared(
        "automl-wine",
        lambda: run_search(
            frame,
            target="cultivar",
            time_budget_s=None,
            max_trials=50,
            folds=3,
            exit_score=0.9,
            learners=("rf", "xgboost", "lgbm"),
            test_fraction=0.3,
            seed=3,
        ),
    )


DIABETES = {
    "target": "progression",
    "metric": "rmse",
    "time_budget_s": None,
    "max_trials": 6,
    "folds": 2,
    "learners": ("lgbm", "extra_tree"),
    "sensitive_columns": ("sex",),
}


@pytest.fixture(scope="session")
def diabetes(run_search: Any, shared: Any) -> Searched:
    """A number, less being better; can be repeated."""
    return shared("automl-diabetes", lambda: run_search(load_sample("diabetes").frame, **DIABETES))


@pytest.fixture(scope="session")
def diabetes_again(run_search: Any, shared: Any) -> Searched:
    """The same search once more."""
    return shared("automl-diabetes-again", lambda: run_search(load_sample("diabetes").frame, **DIABETES))


@pytest.fixture(scope="session")
def quick() -> list[Any]:
    """A learner and a configuration that take a hundredth of a second."""
    config = {"n_estimators": 5, "max_depth": 3, "min_child_weight": 1.0, "learning_rate": 0.3, "subsample": 1.0}
    config |= {"colsample_bylevel": 1.0, "colsample_bytree": 1.0, "reg_alpha": 0.001, "reg_lambda": 1.0}
    return ["xgb_limitdepth", config]


@pytest.fixture(scope="session")
def yes_or_no() -> pd.DataFrame:
    """A small table with a boolean target that can be learned, and little else."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"a": random.normal(size=300), "b": random.normal(size=300), "c": random.integers(0, 5, 300)})
    frame["y"] = frame["a"] + 0.3 * random.normal(size=300) > 0
    return frame
