"""Calibration is Platt's regression of two classes, helps where a model is too cautious, and goes into every export."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from core.automl import AutoMLResult, AutoMLSettings, build_estimator, describe_calibration, search
from core.automl.ensemble.calibration import CalibratedClassifier, calibrate, calibrated
from core.edge import export_onnx
from core.explain.explainers import encoded_explainer


def cautious(rows=2_000, classes=2, seed=0, slope=0.5):
    """Probabilities whose logarithms are half as large as they should be, and the classes drawn from the true ones."""
    random = np.random.default_rng(seed)
    truth = random.dirichlet(np.full(classes, 0.5), rows)
    y = np.array([random.choice(classes, p=row) for row in truth])
    return calibrated(truth, slope, np.zeros(classes)), truth, y


@pytest.mark.parametrize("weighted", [False, True])
def test_of_two_classes_it_is_a_logistic_regression(weighted):
    given, _, y = cautious()
    weights = np.random.default_rng(1).integers(1, 4, len(y)).astype(float) if weighted else None
    calibration = calibrate(given, y, "roc_auc", weights=weights)
    odds = np.log(given[:, 1] / given[:, 0])[:, None]
    reference = LogisticRegression(C=1e9, tol=1e-9).fit(odds, y, sample_weight=weights)
    assert calibration.record["slope"] == pytest.approx(reference.coef_[0, 0], rel=0.01)
    assert calibration.biases[1] == pytest.approx(reference.intercept_[0], abs=0.01)
    fixed = calibrated(given, calibration.record["slope"], calibration.biases)
    np.testing.assert_allclose(fixed[:, 1], reference.predict_proba(odds)[:, 1], atol=0.003)


@pytest.mark.parametrize("classes", [2, 4])
def test_what_was_too_cautious_becomes_right(classes):
    given, truth, y = cautious(classes=classes)
    calibration = calibrate(given, y, "log_loss")
    assert calibration.record["used"]
    assert calibration.record["slope"] == pytest.approx(2, abs=0.25)
    fixed = calibrated(given, calibration.record["slope"], calibration.biases)
    assert np.abs(fixed - truth).max() < 0.1 < np.abs(given - truth).max()
    assert calibration.record["gain"] > 5 * calibration.record["error"]
    assert log_loss(y, calibration.out_of_fold) == pytest.approx(calibration.record["calibrated_log_loss"])
    assert log_loss(y, given) == pytest.approx(calibration.record["log_loss"])


def test_what_is_right_stays_as_it_is():
    used = [calibrate(*cautious(slope=1.0, seed=seed)[::2], "roc_auc").record["used"] for seed in range(20)]
    assert sum(used) <= 6, "a gain of more than a standard error by chance"
    for seed in range(5):
        given, _, y = cautious(slope=1.0, seed=seed)
        record = calibrate(given, y, "roc_auc").record
        assert abs(record["gain"]) < 0.003


def test_a_metric_of_decisions_must_not_become_worse():
    """With rare classes the log loss gains by a bias that takes the rare class its decisions away."""
    random = np.random.default_rng(0)
    truth = np.clip(random.beta(1, 12, 3_000), 1e-3, 1)
    y = (random.random(3_000) < truth).astype(int)
    bold = calibrated(np.stack([1 - truth, truth], axis=1), 1.0, [0.0, 2.5])
    assert calibrate(bold, y, "roc_auc").record["used"]
    assert not calibrate(bold, y, "balanced_accuracy").record["used"]


def test_rows_of_a_group_count_as_one():
    given, _, y = cautious(rows=300)
    alone = calibrate(given, y, "roc_auc").record
    repeated = calibrate(np.repeat(given, 9, axis=0), np.repeat(y, 9), "roc_auc", groups=np.repeat(np.arange(300), 9))
    assert repeated.record["error"] == pytest.approx(alone["error"], rel=0.15)
    assert calibrate(given[:99], y[:99], "roc_auc") is None


def test_rows_in_a_regular_order_are_learned_from_alike():
    given, truth, y = cautious(rows=24_000, slope=1.0)
    order = np.argsort(y, kind="stable")
    interleaved = np.stack([order[:12_000], order[12_000:]], axis=1).ravel()
    record = calibrate(given[interleaved], y[interleaved], "roc_auc").record
    assert record["slope"] == pytest.approx(1, abs=0.05)
    calibration = calibrate(given[interleaved], y[interleaved], "roc_auc")
    fixed = calibrated(given, record["slope"], calibration.biases)
    assert np.abs(fixed - truth).max() < 0.05


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_groups_are_taken_and_a_single_one_teaches_nothing(count):
    given, _, y = cautious(rows=300)
    calibration = calibrate(given, y, "roc_auc", groups=np.arange(len(y)) % count)
    assert (calibration is None) is (count == 1)
    if calibration is not None:
        assert np.isfinite(calibration.out_of_fold).all()


def test_many_classes_have_a_slope_and_no_biases():
    given, _, y = cautious(rows=3_000, classes=30)
    calibration = calibrate(given, y, "log_loss")
    assert calibration.biases == [0.0] * 30
    assert calibration.record["slope"] > 1.3


def noisy(rows=400, classes=2):
    """A table on which forests, which are means of many trees, are too cautious."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(rows, 12)), columns=[f"x{number}" for number in range(12)])
    signal = frame["x0"] + frame["x1"] + 0.2 * random.normal(size=rows)
    frame["y"] = pd.qcut(signal, classes, labels=["a", "b", "c", "d"][:classes]).astype(str)
    return frame


SETTINGS = {"time_budget_s": None, "max_trials": 2, "learners": ("rf", "extra_tree"), "folds": 4, "cv_repeats": 1}


@pytest.fixture(scope="module", params=[2, 3])
def calibrated_result(request, tmp_path_factory):
    frame = noisy(classes=request.param)
    result = search(frame, AutoMLSettings(target="y", **SETTINGS))
    folder = tmp_path_factory.mktemp("result")
    result.save(folder)
    return frame, result, AutoMLResult.load(folder)


def test_a_search_calibrates_and_says_so(calibrated_result):
    frame, result, loaded = calibrated_result
    record = result.winner["calibration"]
    assert record["used"]
    assert loaded.winner["calibration"] == record
    assert "Probabilities are calibrated" in describe_calibration(loaded.winner)
    last = result.model[-1].estimator
    assert isinstance(last, CalibratedClassifier)
    columns = [f"p({label})" for label in result.labels]
    y = result.oof["y"].astype(str).map({label: code for code, label in enumerate(result.labels)})
    assert log_loss(y, result.oof[columns]) == pytest.approx(record["calibrated_log_loss"], rel=1e-4)
    features = frame.drop(columns="y")
    np.testing.assert_allclose(loaded.model.predict_proba(features), result.model.predict_proba(features), atol=1e-12)


def test_it_is_exported(calibrated_result, tmp_path):
    frame, _, loaded = calibrated_result
    features = frame.drop(columns="y")
    exported = export_onnx(loaded.model, tmp_path / "m.onnx", train=features[:300], held_out=features[300:])
    for part in exported.parity.values():
        assert (part["rows_over"], part["label_flips"]) == (0, 0)


@pytest.mark.parametrize("classes", [2, 3])
def test_exact_explanations_add_up_to_what_it_says(classes):
    frame = noisy(classes=classes)
    X = frame.drop(columns="y").to_numpy(np.float32)
    y = pd.factorize(frame["y"], sort=True)[0]
    task = "binary" if classes == 2 else "multiclass"
    inner = build_estimator("lgbm", {"n_estimators": 20, "num_leaves": 5}, task, jobs=1, seed=0).fit(X, y)
    model = CalibratedClassifier(inner, 1.7, [0.0, 0.4, -0.3][:classes])
    explainer = encoded_explainer(model, X[:40])
    sums = explainer.base + explainer.values(X[:40]).sum(axis=1)
    np.testing.assert_allclose(sums, explainer.reference(X[:40]), atol=1e-6)
    expected = np.log(model.predict_proba(X[:40]))
    if classes == 2:
        np.testing.assert_allclose(sums[:, 0], expected[:, 1] - expected[:, 0], atol=1e-5)
    else:
        apart = (sums - expected) - (sums - expected).mean(axis=1, keepdims=True)
        np.testing.assert_allclose(apart, 0, atol=1e-5)


@pytest.mark.nightly
def test_it_can_be_switched_off_and_class_weights_do_without():
    frame = noisy()
    for values in ({"calibrate": False}, {"class_weights": True}):
        result = search(frame, AutoMLSettings(target="y", **SETTINGS, **values))
        assert result.winner["calibration"] is None
        assert describe_calibration(result.winner) == ""
    number = frame.assign(y=frame["x0"] + frame["x1"])
    assert search(number, AutoMLSettings(target="y", **SETTINGS)).winner["calibration"] is None


def test_a_class_that_training_did_not_have_is_explained_by_sampling():
    frame = noisy(classes=3)
    X = frame.drop(columns="y").to_numpy(np.float32)
    y = pd.factorize(frame["y"], sort=True)[0]
    for kept, task in ((y < 2, "multiclass"), (y > 0, "multiclass")):
        inner = build_estimator("lgbm", {"n_estimators": 5}, task, jobs=1, seed=0).fit(X[kept], y[kept])
        model = CalibratedClassifier(inner, 1.5, [0.0, 0.1, 0.2])
        assert model.predict_proba(X).shape == (len(X), 3)
        assert encoded_explainer(model, X[:20]) is None
