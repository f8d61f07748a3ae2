"""Limits are judged by the bad end of an interval; what is unsure says what would make it sure."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from core.edge.latency import Percentile
from core.edge.latency.percentiles import percentiles
from core.edge.smallest import Judgment
from core.edge.smallest.judging import combine, judge_latency, judge_loss, judge_size, loss_text
from core.edge.variants.compare import compare_variants
from core.evaluation import Estimate


@pytest.mark.parametrize(
    ("percentile", "limit", "verdict"),
    [
        (Percentile(8.0, 7.0, 9.0, 500, 64, True), 10, "met"),
        (Percentile(8.0, 7.0, 9.0, 500, 64, True), 9, "met"),
        (Percentile(8.0, 7.0, 9.0, 500, 64, True), 8.5, "unsure"),
        (Percentile(8.0, 7.0, 9.0, 500, 64, True), 7, "unsure"),
        (Percentile(8.0, 7.0, 9.0, 500, 64, True), 6.9, "missed"),
        (Percentile(None, 7.0, None, 20, 64, False), 6, "missed"),  # few samples, and yet beyond doubt
        (Percentile(None, 5.0, None, 20, 64, False), 6, "unsure"),
    ],
)
def test_a_percentile_meets_its_limit_with_its_whole_interval(percentile, limit, verdict):
    judgment = judge_latency(percentile, 90, limit)
    assert judgment.verdict == verdict
    assert judgment.reason
    assert (judgment.excess > 0) == (verdict != "met" and percentile.high is not None)


def test_a_server_that_is_too_slow_misses_whatever_the_percentile():
    percentile = Percentile(8.0, 7.0, 9.0, 500, 64, True)
    assert judge_latency(percentile, 90, 100, kept_up=False).verdict == "missed"


def test_the_interval_of_a_latency_holds_the_quantile():
    random, held = np.random.default_rng(0), 0
    true = stats.lognorm(0.3).ppf(0.9)
    for _ in range(300):
        percentile = percentiles(stats.lognorm(0.3).rvs(200, random_state=random))[90]
        held += percentile.low <= true <= percentile.high
    assert held / 300 > 0.93


@pytest.mark.parametrize(("size", "verdict"), [(4_999_999, "met"), (5_000_000, "met"), (5_000_001, "missed")])
def test_a_size_is_never_unsure(size, verdict):
    assert judge_size(size, 5).verdict == verdict


@pytest.mark.parametrize(
    ("low", "high", "limit", "verdict"),
    [(-0.01, 0.01, 0.01, "met"), (-0.01, 0.02, 0.01, "unsure"), (0.012, 0.02, 0.01, "missed"), (0.0, 0.0, 0.0, "met")],
)
def test_a_loss_is_judged_by_its_worst_end(low, high, limit, verdict):
    judgment = judge_loss(Estimate((low + high) / 2, low, high, 400), limit, "accuracy", 0.9)
    assert judgment.verdict == verdict
    assert "points of accuracy on 400 held-out rows" in judgment.reason


@pytest.mark.parametrize("loss", [None, Estimate(0.0, None, None, 4, reason="only 4 rows")])
def test_a_loss_without_an_interval_is_unsure(loss):
    assert judge_loss(loss, 0.5, "accuracy", 0.9).verdict == "unsure"


@settings(max_examples=25, deadline=None)
@given(flips=st.integers(0, 40), limit=st.floats(0.0, 0.2))
def test_a_variant_that_is_worse_than_the_limit_never_meets_it(flips, limit):
    """The interval is that of `compare_variants`, whose coverage is simulated elsewhere."""
    y = np.arange(400) % 2
    before = np.column_stack([1 - y, y]) * 0.8 + 0.1
    after = before.copy()
    after[:flips] = after[:flips, ::-1]
    gain = compare_variants(y, before, after, task="binary").gains["accuracy"]
    assert gain.value == pytest.approx(-flips / 400)
    loss = Estimate(-gain.value, -gain.high, -gain.low, gain.n)
    judgment = judge_loss(loss, limit, "accuracy", 1.0)
    if judgment.verdict == "met":
        assert flips / 400 <= limit
    if judgment.verdict == "missed":
        assert flips / 400 > limit


@given(st.lists(st.sampled_from(["met", "missed", "unsure"])))
def test_one_missed_limit_is_enough(verdicts):
    combined = combine([Judgment(verdict, "") for verdict in verdicts])
    assert combined == ("missed" if "missed" in verdicts else "unsure" if "unsure" in verdicts else "met")


def test_losses_are_written_in_the_unit_of_their_metric():
    assert loss_text(0.0149, "accuracy") == "1.5 points"
    assert loss_text(-0.0001, "accuracy") == "0.0 points"
    assert loss_text(12.345, "rmse") == "12.3"
