"""Metrics: `compute_metric` against scikit-learn, `compute_metrics` against it on random tables with ties."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from core.automl import METRICS, metric_choices
from core.evaluation import WeightedMetrics, compute_metric, compute_metrics

CLASSES, NUMBERS = metric_choices("binary"), metric_choices("regression")


def probabilities(random, n, k, decimals=6):
    """Rows that sum to one; few decimals make ties."""
    raw = np.round(random.random((n, k)), decimals) + 0.01
    return raw / raw.sum(axis=1, keepdims=True)


@st.composite
def classified(draw):
    """Codes and probabilities, often tied, with classes that may be missing; sometimes with counts as weights."""
    k = draw(st.integers(2, 5))
    n = draw(st.integers(1, 40))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    present = draw(st.lists(st.integers(0, k - 1), min_size=1, max_size=k, unique=True))
    y = random.choice(present, n)
    return y, probabilities(random, n, k, draw(st.sampled_from([0, 1, 2, 6])))


@given(classified())
@settings(max_examples=150, deadline=None)
def test_score_all_equals_score_for_classes(table):
    y, output = table
    fast = compute_metrics(CLASSES, y, output)
    for name in CLASSES:
        assert fast[name] == pytest.approx(compute_metric(name, y, output), abs=1e-9, nan_ok=True), name


@given(classified(), st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_weights_count_rows_as_often_as_a_copy(table, seed):
    """A resample given as row counts scores as the resampled rows themselves do, row by row."""
    y, output = table
    drawn = np.random.default_rng(seed).integers(0, len(y), len(y))
    counts = np.bincount(drawn, minlength=len(y)).astype(float)[None]
    for name, values in WeightedMetrics(CLASSES, y, output)(counts).items():
        assert values[0] == pytest.approx(compute_metric(name, y[drawn], output[drawn]), abs=1e-9, nan_ok=True), name


@given(st.integers(2, 60), st.integers(0, 2**32 - 1), st.sampled_from([1e-3, 1.0, 1e6]), st.sampled_from([0, 1, 6]))
@settings(max_examples=100, deadline=None)
def test_score_all_equals_score_for_numbers(n, seed, scale, decimals):
    random = np.random.default_rng(seed)
    y = np.round(random.normal(size=n), decimals) * scale + scale
    output = y + random.normal(size=n) * scale
    fast = compute_metrics(NUMBERS, y, output)
    for name in NUMBERS:
        if name != "r2" or np.ptp(y):
            assert fast[name] == pytest.approx(compute_metric(name, y, output), rel=1e-7), name


@given(st.integers(3, 80), st.floats(0.1, 1e6), st.integers(0, 1000))
def test_r2_of_a_resample_without_variation_is_unknown(n, single, seed):
    """All zeros but one: many resamples hold zeros only, and r2 must not be told from rounding errors there."""
    y = np.r_[np.zeros(n - 1), single]
    weights = np.r_[np.random.default_rng(seed).multinomial(n, np.full(n - 1, 1 / (n - 1))), 0].astype(float)[None]
    result = WeightedMetrics(NUMBERS, y, np.full(n, 0.3))(weights)
    assert math.isnan(result["r2"][0])
    assert result["mae"][0] == pytest.approx(0.3)


@pytest.mark.parametrize("k", [2, 3, 6])
@pytest.mark.parametrize("decimals", [1, 6])
def test_score_of_classes_is_scikit_learns(k, decimals):
    random = np.random.default_rng(k)
    y = random.integers(0, k, 200)
    output = probabilities(random, 200, k, decimals)
    predicted = output.argmax(axis=1)
    expected = {
        "accuracy": sk.accuracy_score(y, predicted),
        "balanced_accuracy": sk.balanced_accuracy_score(y, predicted),
        "f1_macro": sk.f1_score(y, predicted, average="macro"),
        "f1_weighted": sk.f1_score(y, predicted, average="weighted"),
        "log_loss": sk.log_loss(y, output),
    }
    if k == 2:
        expected["roc_auc"] = sk.roc_auc_score(y, output[:, 1])
        expected["average_precision"] = sk.average_precision_score(y, output[:, 1])
    else:
        expected["roc_auc"] = sk.roc_auc_score(y, output, multi_class="ovr", average="weighted")
        expected["average_precision"] = sk.average_precision_score(np.eye(k)[y], output, average="weighted")
    assert set(expected) == set(CLASSES)
    for name, value in expected.items():
        assert compute_metric(name, y, output) == pytest.approx(value, abs=1e-12), name
        assert compute_metrics([name], y, output)[name] == pytest.approx(value, abs=1e-12), name


def test_score_of_numbers_is_scikit_learns():
    random = np.random.default_rng(5)
    y = random.normal(100, 20, 300)
    output = y + random.normal(0, 10, 300)
    error = y - output
    expected = {
        "r2": 1 - (error**2).sum() / ((y - y.mean()) ** 2).sum(),
        "rmse": math.sqrt((error**2).mean()),
        "mae": np.abs(error).mean(),
        "mape": np.abs(error / y).mean(),
    }
    assert set(expected) == set(NUMBERS)
    for name, value in expected.items():
        assert compute_metric(name, y, output) == pytest.approx(value, rel=1e-12), name


@pytest.mark.parametrize("name", [name for name in CLASSES if name != "log_loss"])
def test_weighted_score_is_scikit_learns(name):
    random = np.random.default_rng(8)
    y, weight = random.integers(0, 2, 100), random.random(100)
    output = probabilities(random, 100, 2)
    function = getattr(
        sk,
        {
            "accuracy": "accuracy_score",
            "f1_macro": "f1_score",
            "f1_weighted": "f1_score",
            "balanced_accuracy": "balanced_accuracy_score",
        }.get(name, f"{name}_score"),
    )
    given_to_it = output[:, 1] if name in ("roc_auc", "average_precision") else output.argmax(axis=1)
    extra = {"average": name.removeprefix("f1_")} if name.startswith("f1") else {}
    assert compute_metric(name, y, output, weight) == pytest.approx(
        function(y, given_to_it, sample_weight=weight, **extra)
    )


@pytest.mark.parametrize("only", [0, 1])
@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_ranking_of_one_class_is_undefined(name, only):
    y, output = np.full(10, only), probabilities(np.random.default_rng(0), 10, 2)
    assert math.isnan(compute_metric(name, y, output))
    assert math.isnan(compute_metrics([name], y, output)[name])


def test_log_loss_of_a_certain_error_is_finite():
    y, output = np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]])
    assert compute_metric("log_loss", y, output) == pytest.approx(-math.log(1e-15) / 2)


@pytest.mark.parametrize("name", [name for name in METRICS if name not in metric_choices("multilabel")])
def test_direction_of_better(name):
    """The truth itself scores better than its opposite, in the direction that the metric says."""
    y = np.array([1, 2, 3, 4, 5, 6.0]) if name in NUMBERS else np.array([0, 0, 1, 1, 0, 1])
    right = y if name in NUMBERS else np.eye(2)[y]
    wrong = y[::-1] if name in NUMBERS else right[:, ::-1]
    assert (compute_metric(name, y, right) > compute_metric(name, y, wrong)) == METRICS[name].larger_is_better
