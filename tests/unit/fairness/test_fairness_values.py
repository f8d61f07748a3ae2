"""Values by group: `group_metrics` against Fairlearn's MetricFrame and scikit-learn's metrics on random tables."""

import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics as fl
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import foldnorm
from sklearn import metrics as sk

from core.fairness import group_metrics

# Each rate: the reference, and the rows that it is about.
REFERENCES = {
    "base_rate": (lambda y, p, sample_weight=None: np.average(y, weights=sample_weight), "all"),
    "selection_rate": (fl.selection_rate, "all"),
    "accuracy": (sk.accuracy_score, "all"),
    "balanced_accuracy": (sk.balanced_accuracy_score, "both"),
    "precision": (sk.precision_score, "selected"),
    "true_positive_rate": (fl.true_positive_rate, "positive"),
    "false_positive_rate": (fl.false_positive_rate, "negative"),
    "true_negative_rate": (fl.true_negative_rate, "negative"),
    "false_negative_rate": (fl.false_negative_rate, "positive"),
    "f1": (sk.f1_score, "any"),
}
EXISTS = {
    "all": lambda y, p: True,
    "both": lambda y, p: 0 < y.sum() < len(y),
    "selected": lambda y, p: p.any(),
    "positive": lambda y, p: y.any(),
    "negative": lambda y, p: not y.all(),
    "any": lambda y, p: (y | p).any(),
}
# Both libraries warn of groups without the label that a rate is about; here they are compared where it is there.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning"),
    pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true"),
    pytest.mark.filterwarnings("ignore:A single label was found"),
]


@st.composite
def tables(draw, whole=False):
    """Labels, predictions, sensitive columns, control, weights; with `whole`, every cell of every group has rows."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, k = draw(st.integers(1, 60)), draw(st.integers(2 if whole else 1, 4))
    y, p = (random.random(n) < draw(st.sampled_from([0.1, 0.5, 1.0])) for _ in range(2))
    table = {"y": y.astype(int), "p": p.astype(int), "a": random.integers(0, k, n)}
    if whole:
        cells = np.array([(y, p, a) for y in (0, 1) for p in (0, 1) for a in range(k)])
        table = {name: np.r_[table[name], cells[:, position]] for position, name in enumerate(("y", "p", "a"))}
        n += len(cells)
    frame = pd.DataFrame(table)
    frame["a"] = frame["a"].map(dict(enumerate("wxyz")))
    frame["b"], frame["c"] = random.choice(["u", "v"], n), random.choice([1, 2], n)
    frame["w"] = random.random(n) + 0.01
    return frame.sample(frac=1, random_state=0, ignore_index=True)


def frame_of(table, sensitive, control=None, weights=None):
    functions = {name: function for name, (function, _) in REFERENCES.items()}
    weighted = None if weights is None else {name: {"sample_weight": weights} for name in functions}
    return fl.MetricFrame(
        metrics=functions,
        y_true=table["y"],
        y_pred=table["p"],
        sensitive_features=table[sensitive],
        control_features=None if control is None else table[control],
        sample_params=weighted,
    )


def assert_same(ours, theirs, rows):
    """`rows`: label to the rows of the table that are behind it."""
    for label, part in rows.items():
        y, p = part["y"].to_numpy(), part["p"].to_numpy()
        for name, (_, about) in REFERENCES.items():
            expected = theirs.loc[label, name] if EXISTS[about](y, p) else np.nan
            assert ours.loc[label, name] == pytest.approx(expected, abs=1e-12, nan_ok=True), (label, name)


@given(tables(), st.sampled_from([["a"], ["a", "b"]]), st.sampled_from([None, ["c"]]), st.booleans())
@settings(max_examples=20, deadline=None)
def test_rates_are_fairlearns(table, sensitive, control, weighted):
    weights = table["w"] if weighted else None
    metrics = group_metrics(
        table["y"],
        table["p"],
        table[sensitive],
        control_features=None if control is None else table[control],
        sample_weight=weights,
        min_group_size=0,
    )
    reference = frame_of(table, sensitive, control, weights)
    keys = [*(control or []), *sensitive]
    rows = dict(list(table.groupby(keys[0] if len(keys) == 1 else keys)))
    assert set(metrics.by_group.index) == set(rows)
    assert metrics.by_group["count"].to_dict() == {label: len(part) for label, part in rows.items()}
    assert_same(metrics.by_group, reference.by_group, rows)
    if control is None:
        assert_same(metrics.overall.to_frame().T, reference.overall.to_frame().T, {0: table})
        assert metrics.overall["count"] == len(table)
    else:
        assert_same(metrics.overall, reference.overall, dict(list(table.groupby("c"))))


@given(tables(whole=True), st.booleans())
@settings(max_examples=15, deadline=None)
@pytest.mark.parametrize("method", ["between_groups", "to_overall"])
def test_disparities_are_fairlearns(method, table, weighted):
    weights = table["w"] if weighted else None
    metrics = group_metrics(table["y"], table["p"], table["a"], sample_weight=weights, min_group_size=0)
    reference = frame_of(table, ["a"], weights=weights)
    for name in REFERENCES:
        expected = reference.difference(method)[name], reference.ratio(method)[name]
        assert (metrics.difference(method)[name], metrics.ratio(method)[name]) == pytest.approx(expected, abs=1e-12), (
            name
        )


@given(st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=25, deadline=None)
def test_figures_of_scores_are_scikit_learns(seed, weighted):
    random = np.random.default_rng(seed)
    n = 80
    y, score, group = random.integers(0, 2, n), random.random(n).round(2), random.choice(list("ab"), n)
    weights = random.random(n) + 0.01 if weighted else None
    metrics = group_metrics(y, score >= 0.5, group, y_score=score, sample_weight=weights, min_group_size=0)
    for label in "ab":
        own = group == label
        part, given_to_it = (y[own], score[own]), {"sample_weight": None if weights is None else weights[own]}
        got = metrics.by_group.loc[label]
        assert got["roc_auc"] == pytest.approx(sk.roc_auc_score(*part, **given_to_it), abs=1e-12)
        assert got["log_loss"] == pytest.approx(sk.log_loss(*part, labels=[0, 1], **given_to_it), abs=1e-12)
        assert got["brier_score"] == pytest.approx(sk.brier_score_loss(*part, **given_to_it), abs=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(8, 60), st.booleans())
@settings(max_examples=25, deadline=None)
def test_calibration_error_is_that_whose_expected_distance_is_the_samples(seed, n, weighted):
    random = np.random.default_rng(seed)
    y, score = random.integers(0, 2, n), random.random(n) ** 2
    weights = random.random(n) + 0.01 if weighted else np.ones(n)
    effective = weights * weights.sum() / (weights @ weights)
    distance, bins = 0.0, []
    for number in range(10):
        own = [i for i in range(n) if number / 10 <= score[i] < (number + 1) / 10]
        if own:
            predicted = np.average(score[own], weights=weights[own])
            share, rows = weights[own].sum() / weights.sum(), effective[own].sum()
            observed = np.average(y[own], weights=weights[own])
            distance += share * abs(observed - predicted)
            smoothed = (rows * observed + predicted) / (rows + 1)
            variance = max(predicted * (1 - predicted), smoothed * (1 - smoothed))
            bins.append((share, np.sqrt(variance), np.sqrt(max(variance / rows, 0.25 / rows**2))))
    mean = sum(share * usual for share, usual, _ in bins)

    def excess(error):
        parts = (share * foldnorm.mean(error * usual / mean / spread, scale=spread) for share, usual, spread in bins)
        return sum(parts) - distance

    expected = brentq(excess, 0, 2) if excess(0) < 0 else 0.0
    metrics = group_metrics(y, y, ["a"] * n, y_score=score, sample_weight=weights if weighted else None)
    assert metrics.by_group.loc["a", "calibration_error"] == pytest.approx(expected, abs=1e-9)


def test_scores_that_are_no_probabilities_have_the_area_alone():
    y = [0, 1, 0, 1]
    metrics = group_metrics(y, y, list("aabb"), y_score=[-3, 5, 2.5, 2], min_group_size=0)
    assert metrics.metrics[-1] == "roc_auc"
    assert metrics.by_group["roc_auc"].tolist() == [1.0, 0.0]


@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-3, 1.0, 1e6]), st.booleans())
@settings(max_examples=25, deadline=None)
def test_figures_of_numbers_are_scikit_learns(seed, scale, weighted):
    random = np.random.default_rng(seed)
    n = 60
    y = random.normal(5, 1, n) * scale
    p, group = y + random.normal(0.3, 0.5, n) * scale, random.choice(list("ab"), n)
    weights = random.random(n) + 0.01 if weighted else None
    metrics = group_metrics(y, p, group, sample_weight=weights, min_group_size=0)
    for label in "ab":
        own = group == label
        w = None if weights is None else weights[own]
        expected = {
            "mean_prediction": np.average(p[own], weights=w),
            "mean_error": np.average(p[own] - y[own], weights=w),
            "mae": sk.mean_absolute_error(y[own], p[own], sample_weight=w),
            "rmse": sk.root_mean_squared_error(y[own], p[own], sample_weight=w),
            "r2": sk.r2_score(y[own], p[own], sample_weight=w),
        }
        assert list(expected) == metrics.metrics
        for name, value in expected.items():
            assert metrics.by_group.loc[label, name] == pytest.approx(value, rel=1e-9, abs=1e-12 * scale), name


@pytest.mark.parametrize("positive", ["red", "green", "blue"])
def test_several_classes_are_one_against_the_rest(positive):
    random = np.random.default_rng(3)
    colors = ["red", "green", "blue"]
    y, p, group = random.choice(colors, 90), random.choice(colors, 90), random.choice(list("ab"), 90)
    metrics = group_metrics(y, p, group, pos_label=positive, min_group_size=0)
    binary = group_metrics(y == positive, p == positive, group, min_group_size=0)
    assert metrics.by_group.equals(binary.by_group)
    for label in "ab":
        recall = sk.recall_score(y[group == label], p[group == label], labels=[positive], average=None)[0]
        assert metrics.by_group.loc[label, "true_positive_rate"] == pytest.approx(recall)


def test_only_the_metrics_asked_for_are_there():
    metrics = group_metrics([1, 0, 1, 0], [1, 0, 0, 0], list("aabb"), metrics=["f1", "accuracy"], min_group_size=0)
    assert metrics.by_group.columns.tolist() == ["count", "accuracy", "f1"]
    assert metrics.difference().to_dict() == {"accuracy": 0.5, "f1": 1.0}
    assert set(metrics.summary.index) == {"accuracy_parity"}
