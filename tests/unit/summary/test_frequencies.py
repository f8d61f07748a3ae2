"""Natural frequencies: the same as scikit-learn's rates, with Wilson's interval, and none from too few rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, precision_score, recall_score

from core.evaluation import MIN_UNITS
from core.summary.frequencies import Predictions, class_frequencies, share_right
from core.summary.wording import share_detail


def drawn(n: int = 400, *, weights: bool = False) -> Predictions:
    random = np.random.default_rng(3)
    actual = random.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]).astype(object)
    predicted = np.where(random.random(n) < 0.7, actual, random.choice(["a", "b"], n)).astype(object)
    return Predictions(actual, predicted, random.exponential(1, n) if weights else None)


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("label", ["a", "b", "c"])
def test_shares_are_those_of_scikit_learn(label: str, weights: bool) -> None:
    rows = drawn(weights=weights)
    truth, predicted = rows.actual == label, rows.predicted == label
    counted = class_frequencies(label, rows)
    assert counted.caught.value == pytest.approx(recall_score(truth, predicted, sample_weight=rows.weights))
    wrong = 1 - precision_score(truth, predicted, sample_weight=rows.weights)
    assert counted.false_alarms.value == pytest.approx(wrong)
    other = recall_score(~truth, ~predicted, sample_weight=rows.weights)
    assert counted.false_positives.value == pytest.approx(1 - other)
    for share in (counted.caught, counted.false_alarms, counted.false_positives, counted.present):
        assert share.low <= share.value <= share.high


def test_an_interval_is_wilsons_of_the_rows_behind_it() -> None:
    rows = drawn()
    share = class_frequencies("a", rows).caught
    hits = int(((rows.actual == "a") & (rows.predicted == "a")).sum())
    expected = binomtest(hits, int((rows.actual == "a").sum())).proportion_ci(method="wilson")
    assert (share.low, share.high) == pytest.approx((expected.low, expected.high))


def test_rows_of_a_group_count_as_fewer() -> None:
    rows = drawn(600)
    twice = Predictions(np.repeat(rows.actual, 4), np.repeat(rows.predicted, 4), None, np.repeat(np.arange(600), 4))
    once, repeated = class_frequencies("a", rows).caught, class_frequencies("a", twice).caught
    assert repeated.value == pytest.approx(once.value)
    assert repeated.high - repeated.low == pytest.approx(once.high - once.low, rel=0.1)


def test_too_few_rows_have_no_interval_and_no_rows_no_share() -> None:
    rows = Predictions(np.array(["a"] * 50 + ["b"] * (MIN_UNITS - 1)), np.array(["a"] * 57))
    counted = class_frequencies("b", rows)
    assert counted.caught.value == 0
    assert counted.caught.low is None
    assert share_detail(counted.caught, "rows") == "no interval: the test has only 7 rows of 'b'"
    assert math.isnan(counted.false_alarms.value)
    assert counted.false_alarms.reason == "no interval: no row predicted as 'b'"
    full = Predictions(np.array(["b"] * MIN_UNITS), np.array(["b"] * MIN_UNITS))
    assert class_frequencies("b", full).caught.low < 1


def test_weights_of_nothing_have_no_share() -> None:
    rows = Predictions(np.array(["a"] * 20), np.array(["a"] * 20), np.zeros(20))
    assert math.isnan(class_frequencies("a", rows).caught.value)


def test_all_classes_together_are_right_as_often_as_accuracy_says() -> None:
    rows = drawn(weights=True)
    expected = accuracy_score(list(rows.actual), list(rows.predicted), sample_weight=rows.weights)
    assert share_right(rows).value == pytest.approx(expected)
