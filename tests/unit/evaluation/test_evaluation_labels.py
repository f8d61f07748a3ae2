"""Metrics of rows with any number of labels, against scikit-learn, and their intervals."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from core.evaluation import compare_outputs, compute_metrics, metric_choices

NAMES = ["f1_micro", "f1_labels", "exact_match", "hamming_loss", "label_log_loss"]


def rows(seed: int, n: int, labels: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    y = (random.random((n, labels)) < share).astype(int)
    return y, np.clip(y * 0.4 + random.random((n, labels)) * 0.6, 0.01, 0.99)


def expected(y: np.ndarray, output: np.ndarray, weight: np.ndarray | None = None) -> dict[str, float]:
    predicted = (output >= 0.5).astype(int)
    options = {"sample_weight": weight, "zero_division": 0}
    return {
        "f1_micro": sk.f1_score(y, predicted, average="micro", **options),
        "f1_labels": sk.f1_score(y, predicted, average="macro", **options),
        "exact_match": sk.accuracy_score(y, predicted, sample_weight=weight),
        "hamming_loss": sk.hamming_loss(y, predicted, sample_weight=weight),
        "label_log_loss": np.mean(
            [
                sk.log_loss(y[:, code], output[:, code], labels=[0, 1], sample_weight=weight)
                for code in range(y.shape[1])
            ]
        ),
    }


def test_they_are_the_metrics_of_the_task():
    assert metric_choices("multilabel") == NAMES


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    n=st.integers(2, 60),
    labels=st.integers(2, 6),
    share=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    weighted=st.booleans(),
)
def test_metrics_are_those_of_scikit_learn(seed, n, labels, share, weighted):
    y, output = rows(seed, n, labels, share)
    weight = np.random.default_rng(seed + 1).uniform(0.5, 2, n) if weighted else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = expected(y, output, weight)
    assert compute_metrics(NAMES, y, output, weight) == pytest.approx(wanted, abs=1e-12)


def test_intervals_hold_the_value_and_gains_are_paired():
    y, output = rows(3, 200, 4, 0.3)
    worse = np.clip(output + np.random.default_rng(4).normal(0, 0.3, output.shape), 0, 1)
    compared = compare_outputs("multilabel", "f1_micro", y, {"a": output, "b": worse}, seed=1)
    for model in compared.metrics.values():
        for name, estimate in model.items():
            assert estimate.low < estimate.value < estimate.high, name
            assert estimate.n == 200
    assert compared.gains["b"].low > 0
    assert compared.gains["b"].value == pytest.approx(
        compared.metrics["a"]["f1_micro"].value - compared.metrics["b"]["f1_micro"].value
    )


def test_a_model_without_a_fault_is_not_certain_to_have_none():
    y, _ = rows(5, 40, 3, 0.4)
    metrics = compare_outputs("multilabel", "f1_micro", y, {"a": y * 0.98 + 0.01}).metrics["a"]
    for name in ("f1_micro", "exact_match"):
        assert (metrics[name].value, metrics[name].high) == (1.0, 1.0)
        assert metrics[name].low < 1
    assert metrics["hamming_loss"].value == 0
    assert metrics["hamming_loss"].high > 0


def test_few_rows_have_no_interval():
    y, output = rows(6, 5, 3, 0.4)
    metrics = compare_outputs("multilabel", "f1_micro", y, {"a": output}).metrics["a"]
    assert metrics["f1_micro"].low is None
    assert "only 5 rows" in metrics["f1_micro"].reason


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_intervals_of_f1_cover_the_true_value(share):
    """95% of the intervals of 120 rows hold the value of 60,000, to within chance."""
    truth = compute_metrics(["f1_micro"], *rows(7, 60_000, 3, share))["f1_micro"]
    hits = 0
    for seed in range(200):
        estimate = compare_outputs(
            "multilabel",
            "f1_micro",
            *[part if i == 0 else {"a": part} for i, part in enumerate(rows(seed + 100, 120, 3, share))],
        ).metrics["a"]["f1_micro"]
        hits += estimate.low <= truth <= estimate.high
    assert hits >= 180  # of 200; 190 expected
