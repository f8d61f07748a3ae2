"""The rows with the highest predicted numbers, against sorting them."""

import numpy as np
import pytest

from core.decisions import LabeledScores, decision_curve, top_values
from core.errors import InputError


def test_the_top_rows_are_those_of_a_sort():
    random = np.random.default_rng(0)
    truth = random.normal(size=500)
    rows = LabeledScores(truth, truth + random.normal(size=500))
    top = top_values(rows, 0.2)
    chosen = truth[np.argsort(-rows.score)[:100]]
    assert top.mean.value == pytest.approx(chosen.mean())
    half = 1.984217 * chosen.std(ddof=1) / 10
    assert (top.mean.low, top.mean.high) == pytest.approx((chosen.mean() - half, chosen.mean() + half))
    assert (top.mean.n, top.overall.n, top.tied) == (100, 500, 0)


def test_equal_predictions_count_in_part():
    rows = LabeledScores(np.arange(20.0), np.r_[np.full(10, 1.0), np.full(10, 2.0)])
    assert top_values(rows, 0.25).tied == 10
    assert top_values(rows, 0.25).mean.value == pytest.approx(np.arange(10, 20).mean())
    assert top_values(rows, 0.5).tied == 0
    weighted = LabeledScores(rows.truth, rows.score, np.r_[np.full(10, 3.0), np.full(10, 1.0)])
    assert top_values(weighted, 0.5).mean.value == pytest.approx((145 + 10 * 4.5) / 20)


def test_few_rows_say_so():
    rows = LabeledScores(np.arange(20.0), np.arange(20.0))
    assert top_values(rows, 0.1).mean.reason == "no interval: there are only 2 rows"
    with pytest.raises(InputError, match="share is 0"):
        top_values(rows, 0)


def test_a_threshold_for_an_event_of_the_true_value_is_that_of_brute_force():
    random = np.random.default_rng(1)
    truth = random.normal(100, 20, size=400)
    rows = LabeledScores(truth, 80 + 0.3 * truth + random.normal(0, 10, size=400))  # on another scale than the truth
    event = rows.at_least(110.0)
    curve = decision_curve(event.truth, event.score, costs={"fp": 2, "fn": 3, "tp": -4})

    def cost(threshold: float) -> float:
        selected, wanted = rows.score >= threshold, truth >= 110
        return (2 * (selected & ~wanted).sum() + 3 * (~selected & wanted).sum() - 4 * (selected & wanted).sum()) / 400

    assert curve.best.cost == pytest.approx(min(map(cost, [*rows.score, np.inf])))
    assert cost(curve.best.threshold) == pytest.approx(curve.best.cost)
    assert curve.best.threshold != pytest.approx(110, abs=1), "the threshold is one of the prediction"
    with pytest.raises(InputError, match="value is nan"):
        rows.at_least(float("nan"))
