"""Azure's AutoML in our names, and the search as a component."""

import json

import pytest
from sklearn.metrics import mean_absolute_error, r2_score

from core.automl import LEARNERS, AutoMLResult
from core.errors import SettingsError
from core.evaluation import METRICS
from core.models import load_served_model
from core.pipelines.azure_automl import ALGORITHMS, PRIMARY_METRICS, automl_inputs, metric_of
from core.pipelines.shipped import train_automl
from tests.unit.pipelines.shipped_chain import execute


@pytest.mark.parametrize("name", PRIMARY_METRICS)
def test_a_metric_of_azure_is_one_of_ours_and_a_difference_is_said(name):
    ours, sentence = metric_of(name.upper())
    assert ours in METRICS
    assert bool(sentence) == (ours != name)


def test_unknown_metrics_name_the_nearest():
    assert metric_of("f1_macro") == ("f1_macro", "")
    with pytest.raises(SettingsError, match="AUC_wieghted") as error:
        metric_of("AUC_wieghted")
    assert "auc_weighted" in error.value.hint


def test_algorithms_are_learners():
    assert set(ALGORITHMS.values()) <= set(LEARNERS)


def test_the_keys_of_a_node_become_inputs_and_what_has_no_effect_is_said():
    settings = {
        "target_column_name": "y",
        "primary_metric": "AUC_weighted",
        "limits": {
            "timeout_minutes": 3,
            "trial_timeout_minutes": 1,
            "max_trials": 5,
            "max_concurrent_trials": 2,
            "exit_score": 0.9,
            "enable_early_termination": False,
            "max_nodes": 4,
        },
        "training": {
            "enable_stack_ensemble": False,
            "enable_vote_ensemble": False,
            "allowed_training_algorithms": ["LightGBM", "logistic_regression"],
        },
        "n_cross_validations": 4,
        "featurization": {"mode": "off"},
        "validation_data_size": 0.2,
    }
    values, notes = automl_inputs("Classification", settings)
    assert values == {
        "task": "classification",
        "target": "y",
        "primary_metric": "AUC_weighted",
        "time_budget_s": 180.0,
        "trial_timeout_s": 60.0,
        "max_trials": 5,
        "max_concurrent_trials": 2,
        "exit_score": 0.9,
        "early_stopping": False,
        "learners": "lgbm",
        "ensemble": False,
        "folds": 4,
    }
    assert [
        next(word for word in ("max_nodes", "logistic", "'off'", "validation_data_size") if word in note)
        for note in notes
    ] == ["max_nodes", "logistic", "'off'", "validation_data_size"]
    with pytest.raises(SettingsError, match="timeout_minutes is 'long'"):
        automl_inputs("regression", {"limits": {"timeout_minutes": "long"}})


@pytest.mark.nightly
def test_a_search_of_numbers_is_a_model_with_a_leaderboard(tmp_path):
    from sklearn.datasets import load_diabetes

    frame = load_diabetes(as_frame=True, scaled=False).frame
    for name in ("train", "more", "model", "results"):
        (tmp_path / name).mkdir()
    frame[:300].to_csv(tmp_path / "train" / "table.csv", index=False)
    frame[300:].to_csv(tmp_path / "more" / "table.csv", index=False)
    log = execute(
        train_automl,
        training_data=tmp_path / "train",
        validation_data=tmp_path / "more",
        primary_metric="normalized_mean_absolute_error",
        task="regression",
        max_trials=3,
        learners="lgbm,rf",
        model=tmp_path / "model",
        results=tmp_path / "results",
    )
    assert "'target' (the last column" in log
    assert "the same order of models, in the target's unit" in log
    assert "its result is the same each time" in log
    result = AutoMLResult.load(tmp_path / "model" / "data")
    assert (result.metric, len(result.trials)) == ("mae", 3)
    predicted = load_served_model(tmp_path / "model" / "data").predict(frame[300:])["prediction"]
    scores = json.loads((tmp_path / "results" / "validation.json").read_text())
    assert scores["mae"]["value"] == pytest.approx(mean_absolute_error(frame["target"][300:], predicted))
    assert scores["r2"]["value"] == pytest.approx(r2_score(frame["target"][300:], predicted))
    assert (tmp_path / "results" / "leaderboard.csv").read_text().count("\n") >= 4
