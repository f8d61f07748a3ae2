"""Intervals: Wilson, Newcombe, DeLong and the bootstraps against references, and that they cover what they should."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from core.errors import SettingsError
from core.evaluation import mover, wilson
from core.fairness import RATES, group_metrics
from core.fairness.metrics.counts import rate
from core.fairness.metrics.rates import RateValues
from core.fairness.metrics.scores import auc_with_variance
from core.fairness.metrics.sorted_scores import SortedScores


@given(st.integers(1, 500), st.floats(0, 1), st.sampled_from([0.8, 0.95, 0.99]))
@settings(max_examples=50, deadline=None)
def test_wilson_is_scipys(n, share, confidence):
    k = round(share * n)
    expected = binomtest(k, n).proportion_ci(confidence, method="wilson")
    assert [float(bound) for bound in wilson(k, n, confidence)] == pytest.approx(list(expected), abs=1e-12)


def test_newcombes_example():
    """Newcombe 1998, table II: 56 of 70 against 48 of 80."""
    first, other = np.array(56 / 70), np.array(48 / 80)
    low, high = mover(first, wilson(70 * first, 70), other, wilson(80 * other, 80))
    assert (first - other, float(low), float(high)) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_gap_intervals_are_newcombes():
    y = np.ones(150, dtype=int)
    p = np.r_[np.ones(56), np.zeros(14), np.ones(48), np.zeros(32)].astype(int)
    group = np.repeat(["new", "old"], [70, 80])
    metrics = group_metrics(y, p, group).difference_intervals.loc[("new", "selection_rate")]
    assert metrics[["gap", "low", "high"]].tolist() == pytest.approx([0.2, 0.0524, 0.3339], abs=5e-5)
    assert metrics["reference"] == "old"
    turned = group_metrics(y, p, group, reference_group="new").difference_intervals.loc[("old", "selection_rate")]
    assert turned[["gap", "low", "high"]].tolist() == pytest.approx([-0.2, -0.3339, -0.0524], abs=5e-5)


def delong(y, score):
    """Area and variance from all pairs."""
    pairs = np.sign(score[y == 1][:, None] - score[y == 0][None, :]) / 2 + 0.5
    m, n = pairs.shape
    return pairs.mean(), pairs.mean(axis=1).var(ddof=1) / m + pairs.mean(axis=0).var(ddof=1) / n


@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 3]))
@settings(max_examples=40, deadline=None)
def test_delong_is_that_of_all_pairs(seed, decimals):
    random = np.random.default_rng(seed)
    n = 70
    y, codes = np.r_[0, 0, 1, 1, 0, 0, 1, 1, random.integers(0, 2, n - 8)], np.r_[[0] * 4, [1] * 4, [0, 1] * 31]
    score = (random.random(n) + 0.3 * y).round(decimals)
    area, variance = auc_with_variance(SortedScores.build(score, y == 1, codes, 2))
    for group in (0, 1):
        expected = delong(y[codes == group], score[codes == group])
        assert (area[group], variance[group]) == pytest.approx(expected, abs=1e-12)


def test_interval_of_a_perfect_area_is_not_a_point():
    y, score = np.repeat([0, 1], 40), np.repeat([0.2, 0.8], 40)
    metrics = group_metrics(y, y, ["a"] * 80, y_score=score).intervals.loc[("a", "roc_auc")]
    assert metrics["value"] == metrics["high"] == 1.0
    assert 0.85 < metrics["low"] < 0.95


def test_ratios_are_near_those_of_a_bootstrap_of_rows():
    random = np.random.default_rng(1)
    n = 600
    group = np.repeat(["a", "b"], [400, 200])
    y = random.integers(0, 2, n)
    p = (random.random(n) < np.where(group == "a", 0.5, 0.35)).astype(int)
    metrics = group_metrics(y, p, group, n_boot=4000).ratio_intervals.loc[("b", "selection_rate")]
    drawn = [
        p[400:][random.integers(0, 200, 200)].mean() / p[:400][random.integers(0, 400, 400)].mean() for _ in range(4000)
    ]
    assert metrics["ratio"] == pytest.approx(p[400:].mean() / p[:400].mean())
    assert metrics[["low", "high"]].tolist() == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.02)


def test_a_ratio_of_a_group_without_a_hit_has_an_upper_bound():
    p = np.r_[np.zeros(60), np.repeat([0, 1], 30)]
    group = np.repeat(["none", "half"], 60)
    ratios = group_metrics(p, p, group, reference_group="half", task="classification").ratio_intervals
    assert ratios.loc[("none", "selection_rate"), ["ratio", "low"]].tolist() == [0.0, 0.0]
    assert 0.05 < ratios.loc[("none", "selection_rate"), "high"] < 0.25
    turned = group_metrics(p, p, group, reference_group="none", task="classification").ratio_intervals
    assert turned.loc[("half", "selection_rate"), ["low", "high"]].isna().all()


def test_weights_of_one_are_no_weights():
    random = np.random.default_rng(2)
    n = 400
    y, score, group = random.integers(0, 2, n), random.random(n), random.choice(list("ab"), n)
    plain, weighted = (group_metrics(y, score > 0.4, group, y_score=score, sample_weight=w) for w in (None, np.ones(n)))
    pd.testing.assert_frame_equal(plain.by_group, weighted.by_group)
    pd.testing.assert_frame_equal(plain.intervals, weighted.intervals)
    pd.testing.assert_frame_equal(plain.tests, weighted.tests)


def test_unequal_weights_make_intervals_wider():
    random = np.random.default_rng(3)
    n = 600
    y, score, group = random.integers(0, 2, n), random.random(n), random.choice(list("ab"), n)
    weights = random.choice([0.1, 10], n)
    plain, weighted = (
        group_metrics(y, score > 0.4, group, y_score=score, sample_weight=w).intervals for w in (None, weights)
    )
    assert ((weighted["high"] - weighted["low"]) > 1.1 * (plain["high"] - plain["low"])).all()


def test_a_gap_interval_may_hold_zero():
    y = np.tile([0, 1], 100)
    metrics = group_metrics(y, np.tile([0, 1, 1, 0], 50), np.repeat(["a", "b"], 100)).difference_intervals
    assert ((metrics["low"] < 0) & (metrics["high"] > 0)).all()


def test_intervals_hold_their_values():
    random = np.random.default_rng(5)
    y, score, group = random.integers(0, 2, 300), random.random(300), random.choice(list("abc"), 300)
    metrics = group_metrics(y, score > 0.5, group, y_score=score)
    table = metrics.intervals
    assert ((table["low"] <= table["value"]) & (table["value"] <= table["high"])).all()
    assert (metrics.difference_intervals["low"] <= metrics.difference_intervals["gap"]).all()
    assert table["low"].min() >= 0
    overall = metrics.overall_intervals
    assert ((overall["high"] - overall["low"]) < (table["high"] - table["low"]).unstack().min()[overall.index]).all()


@pytest.mark.filterwarnings("error")
def test_intervals_without_rows_are_unknown():
    metrics = group_metrics([0, 0, 1, 1], [0, 1, 1, 1], list("aabb"), y_score=[0.1, 0.6, 0.7, 0.8], min_group_size=0)
    table = metrics.intervals
    for label, name in (
        ("a", "true_positive_rate"),
        ("b", "false_positive_rate"),
        ("a", "roc_auc"),
        ("b", "balanced_accuracy"),
    ):
        assert table.loc[(label, name), ["value", "low", "high"]].isna().all()
    assert table.loc[("a", "true_positive_rate"), "n"] == 0
    assert np.isnan(wilson(np.nan, 0)).all()


@pytest.mark.parametrize("setting", [{"confidence": 1.0}, {"confidence": 0}, {"n_boot": 10}, {"min_group_size": -1}])
def test_impossible_settings_are_refused(setting):
    with pytest.raises(SettingsError) as refused:
        group_metrics([0, 1], [0, 1], ["a", "b"], **setting)
    assert refused.value.hint


@pytest.mark.parametrize("n", [30, 200])
def test_intervals_cover(n):
    """Of 1,000 samples about 95 % have an interval around the truth, 92 % where 11 rows are behind a rate near 1."""
    shares = np.array([0.35, 0.02, 0.02, 0.61])
    values = RateValues(np.random.default_rng(6).multinomial(n, shares, 1000).astype(float))
    for metric, name in enumerate(RATES):
        low, high = values.bounds(metric, np.arange(1000), np.full(1000, 1.959964))
        truth = rate(name, shares)
        assert ((low <= truth) & (truth <= high)).mean() > 0.9, name


def test_gaps_cover():
    random = np.random.default_rng(7)
    first, other = random.binomial(30, 0.97, 2000) / 30, random.binomial(60, 0.9, 2000) / 60
    low, high = mover(first, wilson(30 * first, 30), other, wilson(60 * other, 60))
    assert 0.93 < ((low <= 0.07) & (high >= 0.07)).mean() <= 0.99


def test_kinds_of_intervals_are_told():
    assert RateValues(np.ones((1, 4))).methods[0] == "Wilson"
    metrics = group_metrics([0.5, 1.5] * 30, [1.0, 1.0] * 30, ["a"] * 60).intervals
    assert metrics.loc[("a", "mae"), "method"] == "gamma, Hall"
