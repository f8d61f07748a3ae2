"""What decisions come to: recall and precision with intervals, in natural frequencies."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import precision_score, recall_score

from core.automl import AutoMLResult, decision_figures, natural_frequency


def decisions(rows=600, seed=0):
    random = np.random.default_rng(seed)
    positive = random.random(rows) < 0.3
    return positive, np.where(random.random(rows) < 0.8, positive, ~positive)


def test_figures_are_those_of_scikit_learn_with_wilson_s_interval():
    positive, selected = decisions()
    made = decision_figures(positive, selected, "yes")
    assert made.recall.value == pytest.approx(recall_score(positive, selected))
    assert made.precision.value == pytest.approx(precision_score(positive, selected))
    assert (made.prevalence, made.selected.value) == pytest.approx((positive.mean(), selected.mean()))
    both = int((positive & selected).sum())
    for item, n in ((made.recall, positive.sum()), (made.precision, selected.sum())):
        reference = binomtest(both, int(n)).proportion_ci(method="wilson")
        assert (item.low, item.high, item.n) == pytest.approx((reference.low, reference.high, n))


def test_weights_and_groups_change_the_interval_as_they_should():
    positive, selected = decisions()
    plain = decision_figures(positive, selected, "yes").recall
    weights = np.random.default_rng(1).exponential(size=600)
    weighted = decision_figures(positive, selected, "yes", sample_weight=weights)
    assert weighted.recall.value == pytest.approx(recall_score(positive, selected, sample_weight=weights))
    assert weighted.precision.value == pytest.approx(precision_score(positive, selected, sample_weight=weights))
    assert weighted.recall.high - weighted.recall.low > plain.high - plain.low
    copies = decision_figures(
        np.repeat(positive, 5), np.repeat(selected, 5), "yes", groups=np.repeat(np.arange(600), 5)
    ).recall
    assert (copies.low, copies.high) == pytest.approx((plain.low, plain.high), abs=0.003)


def test_few_rows_have_no_interval_and_none_no_value():
    positive = np.arange(100) < 5
    made = decision_figures(positive, np.zeros(100, dtype=bool), "{fraud}")
    assert (made.recall.value, made.recall.low) == (0.0, None)
    assert made.recall.reason == "no interval: the test has only 5 rows of '{fraud}'"
    assert math.isnan(made.precision.value)
    assert made.precision.reason == "no interval: no row predicted as '{fraud}'"
    assert made.sentence == "Finds 0 of 100 rows of '{fraud}': no row is predicted as it."
    assert decision_figures(~positive & False, positive, "x").sentence == "The test has no row of 'x'."


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.385, "38 of 100"), (0.0, "0 of 100"), (0.997, "more than 99 of 100"), (0.001, "fewer than 1 of 100")],
)
def test_shares_are_natural_frequencies(share, text):
    assert natural_frequency(share) == text


def test_a_search_of_two_classes_has_them_and_keeps_them(credit, wine, tmp_path):
    result = credit.result
    test, label = result.test, str(result.labels[1])
    assert result.decision.label == label
    assert result.decision.recall.value == pytest.approx(
        recall_score(test["credit"], test["prediction"], pos_label=label)
    )
    assert wine.result.decision is None
    result.save(tmp_path)
    assert AutoMLResult.load(tmp_path).to_dict() == result.to_dict()
