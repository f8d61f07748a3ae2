"""Whole numbers beside missing cells keep their names, 0 and not 0.0, wherever they are stored or shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.automl import AutoMLResult
from core.explain import ExplainSettings, explain
from core.fairness import group_metrics
from tests.unit.conftest import Searched


@pytest.fixture(scope="module")
def searched(run_search) -> Searched:
    random = np.random.default_rng(0)
    x, kind = random.normal(size=200), random.integers(1, 4, 200).astype(float)
    y = (x + random.normal(0, 0.5, 200) > 0).astype(float)
    kind[::9], y[5:8] = np.nan, np.nan
    frame = pd.DataFrame({"x": x, "kind": kind, "y": y})
    return run_search(
        frame,
        target="y",
        sensitive_columns=("kind",),
        time_budget_s=None,
        max_trials=2,
        folds=2,
        cv_repeats=1,
        learners=("lgbm",),
        positive_label="1",
        explain=False,
        ensemble=False,
    )


def test_groups_and_classes_are_whole_numbers_in_what_is_stored(searched, tmp_path):
    searched.result.save(tmp_path)
    result = AutoMLResult.load(tmp_path)
    assert result.labels == [0, 1]
    for table in (result.test, result.oof):
        assert set(table["kind"].dropna().astype(str)) == {"1", "2", "3"}
        assert set(table["y"].astype(str)) == {"0", "1"}
        assert table["kind"].isna().any()
    assert {"p(0)", "p(1)"} <= set(result.test.columns)


def test_metrics_by_group_name_them_so(searched):
    test, frame = searched.result.test, searched.frame
    for groups in (test["kind"], frame["kind"].iloc[test["row_id"]].reset_index(drop=True)):
        metrics = group_metrics(test["y"], test["prediction"], groups, pos_label=1, n_boot=100)
        assert [str(label) for label in metrics.by_group.index] == ["1", "2", "3", "(missing)"]


def test_a_table_with_missing_targets_is_explained(searched):
    explanation = explain(searched.result, searched.frame, ExplainSettings(rows=30))
    assert len(explanation.permutation)
