"""A weight column: rows count by it in every fit, metric and interval, as if they were there more often."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

from core.automl import LEARNERS, AutoMLResult, AutoMLSettings, build_estimator, compare_results, prepare, search
from core.automl.data.training_data import class_weight
from core.errors import InputError, SettingsError
from core.evaluation import compare_outputs, compute_metrics, curves, kish, metric_choices, wilson
from core.explain import ExplainSettings, explain
from tests.unit.conftest import Searched


def table(rows: int = 400) -> pd.DataFrame:
    random = np.random.default_rng(3)
    x, group = random.normal(size=rows), random.integers(0, 2, rows)
    # The relation is the other way round in group 1, whose rows hardly weigh anything.
    bought = (np.where(group == 1, -x, x) + random.normal(0, 0.5, rows)) > 0
    weight = np.where(group == 1, 0.01, 1000.0) * random.uniform(0.5, 1.5, rows)
    weight[:7] = np.nan
    return pd.DataFrame({"x": x, "noise": random.normal(size=rows), "bought": bought.astype(int), "w": weight})


@pytest.fixture(scope="module")
def weighted(run_search) -> Searched:
    return run_search(
        table(),
        target="bought",
        weight_column="w",
        time_budget_s=None,
        max_trials=2,
        folds=3,
        cv_repeats=1,
        learners=("lgbm", "rf"),
        explain=False,
    )


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_weight_of_three_is_three_rows(task):
    random = np.random.default_rng(0)
    weights = random.integers(0, 4, 60)
    if task == "regression":
        y, output = random.normal(size=60), random.normal(size=60)
    else:
        classes = 2 if task == "binary" else 3
        y, output = random.integers(0, classes, 60), random.dirichlet(np.ones(classes), 60)
    names = metric_choices(task)
    repeated = compute_metrics(names, np.repeat(y, weights), np.repeat(output, weights, axis=0))
    assert compute_metrics(names, y, output, weights) == pytest.approx(repeated, rel=1e-9)
    if task == "regression":
        return
    labels = [str(code) for code in range(classes)]
    ours = curves(y, output, labels, sample_weight=weights.astype(float))["classes"]
    theirs = curves(np.repeat(y, weights), np.repeat(output, weights, axis=0), labels)["classes"]
    for label in ours:
        assert ours[label]["share"] == pytest.approx(theirs[label]["share"])
        for name, values in ours[label]["threshold"].items():
            assert values == pytest.approx(theirs[label]["threshold"][name], abs=2e-6, nan_ok=True), name
        area = [np.trapezoid(item[label]["roc"]["tpr"], item[label]["roc"]["fpr"]) for item in (ours, theirs)]
        assert area[0] == pytest.approx(area[1], abs=1e-6)


def test_weights_that_are_all_alike_change_nothing():
    random = np.random.default_rng(1)
    y, output = random.integers(0, 2, 80), random.dirichlet([1, 1], 80)
    plain = compare_outputs("binary", "roc_auc", y, {"a": output})
    alike = compare_outputs("binary", "roc_auc", y, {"a": output}, sample_weight=np.full(80, 7.5))
    for name, estimate in plain.metrics["a"].items():
        assert alike.metrics["a"][name].to_dict() == pytest.approx(estimate.to_dict(), rel=1e-9)


def test_an_interval_is_as_wide_as_the_rows_that_count_allow():
    y = np.arange(100) % 2
    output = np.column_stack([1 - y, y]).astype(float)
    weights = np.where(np.arange(100) < 10, 1.0, 0.0)
    estimate = compare_outputs("binary", "accuracy", y, {"a": output}, sample_weight=weights).metrics["a"]["accuracy"]
    assert (estimate.low, estimate.high) == pytest.approx(wilson(10, 10))
    assert kish(weights) == 10
    spread = compare_outputs("regression", "mae", y, {"a": y + np.sin(np.arange(100))}).metrics["a"]["mae"]
    fewer = compare_outputs("regression", "mae", y, {"a": y + np.sin(np.arange(100))}, sample_weight=weights)
    assert fewer.metrics["a"]["mae"].high - fewer.metrics["a"]["mae"].low > 2 * (spread.high - spread.low)


@pytest.mark.parametrize("learner", ["linear", *LEARNERS])
def test_a_learner_follows_the_weights(learner):
    frame = table().dropna()
    X, y, weights = frame[["x"]].to_numpy(np.float32), frame["bought"].to_numpy(), frame["w"].to_numpy()
    config = {} if learner in ("linear", "gam", "mlp") else {"n_estimators": 20}
    if learner == "catboost":  # its penalty is large beside 393 rows
        config["learning_rate"] = 0.3
    for task in ("binary", "regression"):
        model = build_estimator(learner, config, task, jobs=1, seed=0)
        name = "logisticregression__sample_weight" if learner == "linear" and task == "binary" else "sample_weight"
        model.fit(X, y, **{name: weights / weights.mean()})
        assert np.average((model.predict(X) > 0.5) == y, weights=weights) > 0.75


def test_a_search_weighs_its_metrics_and_keeps_the_weights(weighted, tmp_path):
    result, frame = weighted.result, weighted.frame
    assert result.features == ["x", "noise"]
    assert result.rows["train"] + result.rows["test"] == 393
    assert [item.message for item in result.findings if item.check == "missing_weight"] == [
        "7 of 400 rows have no weight in 'w' and are left out."
    ]
    test = result.test
    known = frame["w"].iloc[test["row_id"]].to_numpy()
    assert test["plumbline:weight"].to_numpy() == pytest.approx(known)
    assert result.oof["plumbline:weight"].notna().all()
    values = {name: estimate.value for name, estimate in result.test_metrics.items()}
    truth, scores = test["bought"], test["p(1)"]
    assert values["roc_auc"] == pytest.approx(roc_auc_score(truth, scores, sample_weight=known))
    assert values["log_loss"] == pytest.approx(log_loss(truth, scores, sample_weight=known))
    assert values["accuracy"] == pytest.approx(accuracy_score(truth, test["prediction"], sample_weight=known))
    assert values["roc_auc"] > 0.8  # by count alone the two groups cancel out
    assert roc_auc_score(truth, scores) < 0.7
    share = np.average(truth, weights=known)
    assert result.curves["classes"]["1"]["share"] == pytest.approx(share)
    train = ~np.isin(np.arange(400), test["row_id"]) & frame["w"].notna().to_numpy()
    prior = np.average(frame["bought"][train], weights=frame["w"][train])
    expected = log_loss(truth, np.full(len(test), prior), sample_weight=known, labels=[0, 1])
    assert result.baseline_metrics["prior"]["log_loss"].value == pytest.approx(expected)
    same = compare_results(result, result)
    assert same.metrics["other"]["roc_auc"].value == pytest.approx(values["roc_auc"])
    result.save(tmp_path)
    assert "Rows counted by `w`" in (tmp_path / "README.md").read_text()
    loaded = AutoMLResult.load(tmp_path)
    assert loaded.settings.weight_column == "w"
    assert len(loaded.model.predict(frame.drop(columns="w"))) == 400


def test_explanations_weigh_rows_too(weighted):
    explanation = explain(weighted.result, weighted.frame, ExplainSettings(rows=79))
    importance = explanation.permutation.set_index("feature")["importance"]
    assert importance["x"] > 0.2


def test_the_unit_of_weights_does_not_matter():
    frame = table().dropna()
    one, other = (
        prepare(frame.assign(w=frame["w"] * unit), AutoMLSettings(target="bought", weight_column="w"))
        for unit in (1, 1e6)
    )
    assert one.data.weights == pytest.approx(other.data.weights)
    assert one.data.weights.mean() == pytest.approx(1)


def test_balanced_classes_have_the_same_total_weight():
    y, weights = np.array([0, 0, 0, 1, 1]), np.array([1.0, 2, 0, 5, 1])
    balanced = class_weight(y, 2, weights)
    assert balanced[y == 0].sum() == pytest.approx(balanced[y == 1].sum())
    assert balanced.sum() == pytest.approx(weights.sum())
    assert balanced[1] == pytest.approx(2 * balanced[0])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (["a"] * 20, "does not hold numbers ('a')"),
        ([True, -1.0] * 10, "does not hold numbers"),
        (np.r_[-1.0, np.ones(19)], "1 weights in 'w' are negative, such as -1"),
        (np.r_[np.inf, np.ones(19)], "1 weights in 'w' are infinite"),
        (np.zeros(20), "No weight in 'w' is above 0"),
        ([np.nan] * 20, "No weight in 'w' is above 0"),
        (pd.to_datetime(["2024-01-01"] * 20), "does not hold numbers"),
    ],
    ids=["text", "mixed", "negative", "infinite", "zero", "missing", "dates"],
)
def test_wrong_weights_are_refused_by_name(weights, message):
    frame = pd.DataFrame({"x": np.arange(20.0) % 7, "y": np.arange(20) % 2, "w": weights})
    with pytest.raises(InputError) as caught:
        search(frame, AutoMLSettings(target="y", weight_column="w", time_budget_s=5))
    assert message in caught.value.message


@pytest.mark.parametrize(
    "values",
    [
        {"target": "w", "weight_column": "w"},
        {"weight_column": "w", "time_column": "w"},
        {"weight_column": "w", "group_column": "w"},
        {"weight_column": "w", "featurization": "custom", "column_types": {"w": "numeric"}},
    ],
)
def test_a_weight_column_has_no_other_part(values):
    with pytest.raises(SettingsError, match="w"):
        AutoMLSettings(**({"target": "y"} | values))


def test_a_weight_column_that_is_not_there_is_named():
    with pytest.raises(InputError, match="wait"):
        prepare(table(), AutoMLSettings(target="bought", weight_column="wait"))
