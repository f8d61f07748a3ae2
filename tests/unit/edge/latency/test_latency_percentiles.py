"""Percentiles: as many samples as MLPerf asks for, and intervals that keep their word."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.edge.latency.percentiles import PERCENTS, curve, needed, percentiles, ranks, window_medians


def test_needed_samples_are_mlperfs():
    # MLPerf Inference Rules, "Early Stopping Criterion": 64 queries for the 90th, 662 for the 99th percentile.
    assert {percent: needed(percent) for percent in PERCENTS} == {50: 11, 90: 64, 95: 130, 99: 662, 99.9: 6_636}


@pytest.mark.parametrize("percent", PERCENTS)
def test_needed_is_the_smallest_number_that_is_sure(percent):
    n = needed(percent)
    assert stats.binom.cdf(1, n, 1 - percent / 100) <= 0.01 < stats.binom.cdf(1, n - 1, 1 - percent / 100)


def test_no_number_below_that():
    samples = np.random.default_rng(0).exponential(size=661)
    result = percentiles(samples)
    assert result[99].value is None
    assert not result[99].enough
    assert (result[99].n, result[99].needed) == (661, 662)
    assert result[95].enough
    assert percentiles(np.append(samples, 1.0))[99].value is not None


def test_values_are_order_statistics():
    result = percentiles(np.random.default_rng(1).permutation(np.arange(1.0, 10_001.0)))
    assert [result[percent].value for percent in PERCENTS] == [5_000, 9_000, 9_500, 9_900, 9_990]


@given(st.integers(1, 20_000), st.sampled_from(PERCENTS))
def test_intervals_have_the_coverage_they_say(n, percent):
    low, high = ranks(n, percent)
    share = percent / 100
    under = 0.0 if low is None else stats.binom.cdf(low - 1, n, share)  # the quantile lies below the low limit
    over = 0.0 if high is None else stats.binom.sf(high - 1, n, share)
    assert under <= 0.025 + 1e-9
    assert over <= 0.025 + 1e-9
    # ... and are no wider than they must be.
    nearer = 1 if low is None else low + 1
    assert nearer > n or stats.binom.cdf(nearer - 1, n, share) > 0.025 - 1e-9
    nearer = n if high is None else high - 1
    assert nearer < 1 or stats.binom.sf(nearer - 1, n, share) > 0.025 - 1e-9


@pytest.mark.parametrize("percent", [50, 90, 99])
def test_intervals_hold_the_truth_as_often_as_they_say(percent):
    random, tables, n = np.random.default_rng(percent), 2_000, 1_000
    truth = stats.lognorm.ppf(percent / 100, 0.5)
    low, high = ranks(n, percent)
    samples = np.sort(stats.lognorm.rvs(0.5, size=(tables, n), random_state=random), axis=1)
    inside = (samples[:, low - 1] <= truth) & (truth <= samples[:, high - 1])
    assert 0.94 <= inside.mean() <= 0.985


def test_a_limit_is_not_made_up():
    result = percentiles(np.arange(100.0))[99]
    assert result.low is not None
    assert result.high is None
    empty = percentiles(np.empty(0))[50]
    assert (empty.value, empty.low, empty.high, empty.n) == (None, None, None, 0)


def test_the_curve_rises_and_ends_where_samples_end():
    result = curve(np.random.default_rng(0).exponential(size=2_000))
    assert result[-1][0] == 99.5
    assert [value for _, value in result] == sorted(value for _, value in result)
    assert curve(np.ones(5)) == ()


def test_windows_show_a_machine_that_slows_down():
    service = np.repeat([10, 10, 20], 50)
    assert window_medians(service, np.cumsum(service) - service) == [10, 10, 20]
    assert window_medians(np.ones(20), np.arange(20)) == [None, None, None]
    assert window_medians(np.empty(0), np.empty(0)) == [None, None, None]
