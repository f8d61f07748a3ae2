"""AutoMLSettings: what is refused, with words that help, and what survives a journey through JSON."""

import json

import pytest

from core.automl import LEARNERS, METRICS, AutoMLSettings, metric_choices
from core.errors import SettingsError

INVALID = [
    ("target", {"target": ""}),
    ("target", {"target": None}),
    ("target", {"target": 3}),
    ("task", {"task": "clustering"}),
    ("Unknown metric 'auc'.", {"metric": "auc"}),
    ("time_budget_s", {"time_budget_s": 0}),
    ("time_budget_s", {"time_budget_s": -5}),
    ("time_budget_s", {"time_budget_s": "soon"}),
    ("time_budget_s", {"time_budget_s": 604_801}),
    ("time_budget_s", {"time_budget_s": float("inf")}),
    ("time_budget_s", {"time_budget_s": float("nan")}),
    ("trial_timeout_s", {"trial_timeout_s": 0}),
    ("trial_timeout_s", {"trial_timeout_s": float("nan")}),
    ("trial_timeout_s", {"trial_timeout_s": float("inf")}),
    ("max_trials", {"max_trials": 1}),
    ("max_trials", {"max_trials": 2.5}),
    ("max_trials", {"max_trials": 1_000_001}),
    ("max_concurrent_trials", {"max_concurrent_trials": 0}),
    ("max_concurrent_trials", {"max_concurrent_trials": 65}),
    ("folds", {"folds": 1}),
    ("folds", {"folds": 51}),
    ("folds", {"folds": "many"}),
    ("cv_repeats", {"cv_repeats": 0}),
    ("cv_repeats", {"cv_repeats": 21}),
    ("early_stopping", {"early_stopping": "perhaps"}),
    ("exit_score", {"exit_score": "good"}),
    ("exit_score", {"exit_score": float("nan")}),
    ("featurization", {"featurization": "on"}),
    ("Unknown learner 'svm'.", {"learners": ("lgbm", "svm")}),
    ("Unknown learner 'svm'.", {"blocked_learners": ("svm",)}),
    ("no learner is left", {"learners": ()}),
    ("no learner is left", {"learners": ("rf",), "blocked_learners": ("rf",)}),
    ("no learner is left", {"blocked_learners": tuple(LEARNERS)}),
    ("the target 'income' cannot be dropped", {"drop_columns": ("age", "income")}),
    ("drop_columns", {"drop_columns": "age"}),
    ("sensitive_columns", {"sensitive_columns": (1,)}),
    ("positive_label", {"positive_label": 1}),
    ("not by both", {"time_column": "date", "group_column": "patient"}),
    ("the target 'income' cannot be the time_column", {"time_column": "income"}),
    ("the target 'income' cannot be the group_column", {"group_column": "income"}),
    ("need featurization custom", {"column_types": {"age": "numeric"}}),
    ("need featurization custom", {"imputation": "mean"}),
    ("need featurization custom", {"column_imputation": {"age": "mean"}}),
    ("column_types.age", {"column_types": {"age": "number"}, "featurization": "custom"}),
    ("column_types cannot have it", {"column_types": {"income": "text"}, "featurization": "custom"}),
    ("imputation", {"imputation": "mode", "featurization": "custom"}),
    ("column_imputation.age", {"column_imputation": {"age": "mode"}, "featurization": "custom"}),
    ("column_imputation cannot have it", {"column_imputation": {"income": "zero"}, "featurization": "custom"}),
    ("test_fraction", {"test_fraction": 0.51}),
    ("test_fraction", {"test_fraction": -0.1}),
    ("test_fraction", {"test_fraction": float("nan")}),
    ("seed", {"seed": -1}),
    ("seed", {"seed": 2**31}),
    ("'r2' does not fit the task 'binary'", {"task": "binary", "metric": "r2"}),
    ("'log_loss' does not fit the task 'regression'", {"task": "regression", "metric": "log_loss"}),
    ("a time budget or a number of trials", {"time_budget_s": None}),
    ("max_trails", {"max_trails": 5}),
]


@pytest.mark.parametrize(("message", "values"), INVALID, ids=[str(values) for _, values in INVALID])
def test_invalid_value_is_named_with_a_hint(message, values):
    with pytest.raises(SettingsError) as caught:
        AutoMLSettings(**{"target": "income"} | values)
    assert message in caught.value.message
    assert caught.value.message.endswith(".")
    assert "pydantic" not in str(caught.value)
    assert caught.value.hint


def test_missing_target_is_named():
    with pytest.raises(SettingsError, match=r"^target: Field required\."):
        AutoMLSettings()


def test_given_value_is_shown():
    with pytest.raises(SettingsError, match=r"\(got 0\.51\)"):
        AutoMLSettings(target="y", test_fraction=0.51)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"time_budget_s": None, "max_trials": 2},
        {"time_budget_s": 604_800, "test_fraction": 0},
        {"time_budget_s": 0.5, "folds": 2, "test_fraction": 0.5},
        {"folds": 50, "cv_repeats": 20, "seed": 2**31 - 1},
        {"learners": ("rf", "lgbm"), "blocked_learners": ("rf",), "drop_columns": ("a", "b")},
        {"featurization": "custom", "column_types": {"zip": "categorical", "when": "date"}, "imputation": "zero"},
        {"featurization": "custom", "column_imputation": {"size": "most_frequent", "when": "zero"}},
        {"cv_repeats": "auto", "group_column": "patient"},
        {"task": "regression", "metric": "mape", "exit_score": -1.5, "trial_timeout_s": 0.25},
        {"target": "Größe 'in' \"cm\"", "sensitive_columns": ("Geschlecht",), "positive_label": "ja"},
    ],
)
def test_settings_survive_json(values):
    """The limits of each range are valid, and a stored result brings back the same settings."""
    settings = AutoMLSettings(**{"target": "y"} | values)
    stored = json.dumps(settings.model_dump(mode="json"), allow_nan=False)
    assert AutoMLSettings(**json.loads(stored)) == settings
    assert AutoMLSettings.model_validate_json(settings.model_dump_json()) == settings


def test_settings_cannot_change():
    settings = AutoMLSettings(target="y")
    with pytest.raises(ValueError, match="frozen"):
        settings.target = "z"


def test_learners_keep_one_order():
    """The order decides which learner is tried first, so it must not depend on how they were listed."""
    settings = AutoMLSettings(target="y", learners=("extra_tree", "rf", "lgbm"), blocked_learners=("rf",))
    assert settings.chosen_learners == ("lgbm", "extra_tree")
    assert AutoMLSettings(target="y").chosen_learners == tuple(LEARNERS)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_offered_metric_is_accepted(task):
    offered = metric_choices(task)
    assert offered
    for metric in offered:
        assert AutoMLSettings(target="y", task=task, metric=metric).metric == metric
    for metric in set(METRICS) - set(offered):
        with pytest.raises(SettingsError):
            AutoMLSettings(target="y", task=task, metric=metric)


@pytest.mark.parametrize(
    ("values", "searchers"),
    [
        ({}, 4),
        ({"time_budget_s": None, "max_trials": 5}, 1),
        ({"max_concurrent_trials": 7}, 7),
        ({"learners": ("rf", "gam")}, 2),
        ({"time_budget_s": None, "max_trials": 5, "max_concurrent_trials": 2}, 2),
    ],
)
def test_time_is_used_by_several_searchers_and_what_can_be_repeated_by_one(values, searchers, monkeypatch):
    monkeypatch.setattr("core.automl._settings.usable_cores", lambda: 16)
    assert AutoMLSettings(target="y", **values).searchers == searchers
