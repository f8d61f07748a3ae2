"""Where a result leads: more trials, continued searches, MLflow, another search with the same test rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from streamlit.testing.v1 import AppTest

from core import jobs
from core.access import LOCAL
from core.automl import METRICS
from core.catalog import Run, RunArtifact, artifacts, runs
from tests.pages.conftest import World, labels, query, repeated, texts, visit


def tab(run: str, name: str) -> AppTest:
    test = visit("automl", run=run, tab=name)
    assert not test.exception
    assert not test.error
    return test


def copied(run_id: str, verdict: str, **settings: Any) -> str:
    """Put a run into the catalog once more, as if other settings had been asked for."""
    run = runs.get(run_id, access=LOCAL)
    again = Run(
        **run.model_dump(exclude={"id", "created_at", "settings", "result"}),
        settings=run.settings | settings,
        result=(run.result or {}) | {"verdict": verdict},
    )
    runs.add(again, access=LOCAL)
    for item in artifacts.find(run.id, access=LOCAL):
        artifacts.add(RunArtifact(**item.model_dump(exclude={"run_id"}), run_id=again.id), access=LOCAL)
    return again.id


def test_a_search_by_trials_goes_on_by_trials_and_without_a_clock(world: World) -> None:
    run = repeated(world.binary)
    test = tab(run, "Continue")
    assert "keeps all settings but the limits" in texts(test)
    test.radio(key="automl-continue-by").set_value("trials").run()
    test.radio(key="automl-continue-trials").set_value(50).run()
    assert "It ends after 56 trials: the 6 of this search and 50 more." in texts(test)
    test.button(key="automl-continue").click().run()
    assert not test.exception
    begun = query(test, "run")
    jobs.cancel(begun, access=LOCAL)
    settings = jobs.wait(begun, 30, access=LOCAL).settings
    assert (settings["time_budget_s"], settings["max_trials"], settings["continue_from"]) == (None, 56, run)

    test = tab(run, "Continue")
    test.button(key=f"automl-later-{begun}").click().run()
    assert query(test, "run") == begun


def test_a_result_is_pushed_to_mlflow(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    run = repeated(world.binary)
    test = tab(run, "Export")
    assert "Push to MLflow" not in labels(test)
    assert "set MLFLOW_TRACKING_URI to the URI of the server" in texts(test).replace("\\", "")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///nowhere/at/all.db")
    test.run()
    assert "Last push" not in texts(test)
    test.button(key="automl-push-mlflow").click().run()
    assert not test.exception
    pushed = runs.find(task="push", access=LOCAL)[0]
    assert pushed.settings == {"subject": run}
    jobs.cancel(pushed.id, access=LOCAL)
    jobs.wait(pushed.id, 30, access=LOCAL)
    test = tab(run, "Export")
    assert "Last push" in texts(test)
    assert f"automl-push-{pushed.id}" in {button.key for button in test.button}


def test_only_searches_with_the_same_test_rows_are_offered(world: World) -> None:
    same = copied(world.binary, "the same rows", max_trials=7)
    twins = [copied(world.binary, "twin") for _ in range(2)]
    for other in (
        {"seed": 3},
        {"test_fraction": 0.3},
        {"time_column": "age"},
        {"group_column": "purpose"},
        {"task": "multiclass"},
        {"target": "purpose"},
    ):
        copied(world.binary, "other rows", **other)
    test = visit("automl", run=world.binary)
    offered = test.selectbox(key="automl-versus")
    assert [option.endswith("the same rows") for option in offered.options].count(True) == 1
    assert not [option for option in offered.options if option.endswith("other rows")]
    messages = [
        option for option in offered.options if "twin" in option
    ]  # with one label, the wrong one would be taken
    assert len(set(messages)) == len(twins)
    offered.set_value(same).run()
    assert not test.exception
    assert "No significant difference" in texts(test)
    assert "ROC AUC +0.0000" in texts(test)
    test.selectbox(key="automl-versus-metric").set_value("log_loss").run()
    assert not test.error
    assert f"{METRICS['log_loss'].title} +0.0000" in texts(test)


def test_two_trials_are_compared_on_the_rows_their_folds_left_out(world: World) -> None:
    stored = np.load(jobs.artifact_path(world.binary, "trials.npz", access=LOCAL))
    oof = pd.read_parquet(jobs.artifact_path(world.binary, "oof.parquet", access=LOCAL))
    first, other = sorted(int(name) for name in stored.files)[:2]
    test = visit("automl", run=world.binary)
    assert "Choose two trials of the leaderboard" in texts(test)
    test.selectbox(key="automl-trial-first").set_value(first).run()
    test.selectbox(key="automl-trial-other").set_value(other).run()
    assert not test.exception
    assert not test.error
    aucs = [roc_auc_score(oof["credit"] == "good", stored[str(item)].mean(axis=0)[:, 1]) for item in (first, other)]
    said = texts(test)
    assert f"on {len(oof)} training rows, each predicted by folds without it: ROC AUC" in said
    assert f"ROC AUC {aucs[0] - aucs[1]:+.4f} [" in said


def test_an_exit_score_that_is_dropped_is_told(world: World) -> None:
    run = repeated(world.binary, edit=lambda result: result["settings"].update(exit_score=0.999))
    assert "The score to stop at, 0.999, is dropped" in texts(tab(run, "Continue"))
