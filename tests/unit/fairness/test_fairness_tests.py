"""Tests of differences: the permutation against exact distributions, and what is done for many of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, false_discovery_control, fisher_exact, hypergeom, kstest

from core.fairness import RATES, group_metrics, optimize_thresholds, score_table
from core.fairness.metrics.counts import rate
from core.fairness.metrics.intervals import benjamini_hochberg
from core.fairness.metrics.permutation import p_values

DRAWS = 20_000


def p_of(name, cells, draws=DRAWS, seed=0):
    cells = np.asarray(cells, float)
    usable = np.stack([np.isfinite(rate(metric, cells)) for metric in RATES], axis=-1)
    p = p_values(list(RATES.values()), cells, cells, usable, draws, np.random.default_rng(seed))
    return p[list(RATES).index(name)]


def exact(hits, of):
    """Return the p-value of two groups' difference from all ways to deal the hits."""
    (a, b), (m, n) = hits, of
    ways = np.arange(max(0, a + b - n), min(m, a + b) + 1)
    gap = np.abs(ways / m - (a + b - ways) / n)
    return hypergeom(m + n, m, a + b).pmf(ways)[gap >= abs(a / m - b / n) - 1e-12].sum()


@pytest.mark.parametrize(
    "cells",
    [
        [(10, 5, 8, 12), (9, 11, 4, 7)],
        [(3, 1, 0, 5), (30, 14, 16, 20)],
        [(2, 2, 2, 2), (2, 2, 2, 2)],
        [(40, 2, 3, 50), (20, 6, 9, 11)],
    ],
)
@pytest.mark.parametrize(
    ("name", "hit", "of"),
    [
        ("selection_rate", (1, 3), (0, 1, 2, 3)),
        ("accuracy", (0, 3), (0, 1, 2, 3)),
        ("precision", (3,), (1, 3)),
        ("true_positive_rate", (3,), (2, 3)),
        ("false_positive_rate", (1,), (0, 1)),
        ("base_rate", (2, 3), (0, 1, 2, 3)),
    ],
)
def test_p_values_are_those_of_all_deals(cells, name, hit, of):
    expected = exact([sum(row[i] for i in hit) for row in cells], [sum(row[i] for i in of) for row in cells])
    error = 4 * np.sqrt(expected * (1 - expected) / DRAWS) + 2 / DRAWS
    assert p_of(name, cells) == pytest.approx(expected, abs=error)


def test_p_value_of_groups_of_one_size_is_fishers():
    """With groups of one size a larger difference is a rarer one, so both tests order the tables alike."""
    p = fisher_exact([[14, 26], [24, 16]]).pvalue
    assert p_of("selection_rate", [(26, 14, 0, 0), (16, 24, 0, 0)]) == pytest.approx(p, abs=0.006)


def test_p_value_is_that_of_dealing_rows():
    """Three groups and a rate that is not a proportion, against labels of groups dealt over rows of one truth."""
    random = np.random.default_rng(1)
    cells = np.array([(20, 6, 5, 14), (15, 10, 9, 11), (8, 9, 3, 12)])
    group = np.repeat([0, 1, 2], cells.sum(axis=1))
    y, p = (
        np.concatenate([np.repeat([0, 0, 1, 1], row) for row in cells]),
        np.concatenate([np.repeat([0, 1, 0, 1], row) for row in cells]),
    )

    rows = np.minimum(cells[:, 0] + cells[:, 1], cells[:, 2] + cells[:, 3])

    def spread(group):
        true = np.bincount(group[y == 1], p[y == 1]) / np.bincount(group[y == 1])
        false = np.bincount(group[y == 0], 1 - p[y == 0]) / np.bincount(group[y == 0])
        values = (true + false) / 2
        return rows @ (values - np.average(values, weights=rows)) ** 2

    observed, dealt = spread(group), []
    for _ in range(4000):
        other = group.copy()
        for label in (0, 1):
            other[y == label] = random.permutation(group[y == label])
        dealt.append(spread(other))
    expected = (np.array(dealt) >= observed - 1e-12).mean()
    assert p_of("balanced_accuracy", cells) == pytest.approx(expected, abs=0.035)


def test_p_values_are_uniform_when_nothing_differs():
    random = np.random.default_rng(2)
    p_values_drawn = []
    for seed in range(300):
        selected = random.binomial([300, 500, 200], 0.4)
        cells = np.stack([[300, 500, 200] - selected, selected, [0] * 3, [0] * 3], axis=-1)
        p_values_drawn.append(p_of("selection_rate", cells, 400, seed))
    assert kstest(p_values_drawn, "uniform").pvalue > 0.01
    assert np.mean(np.array(p_values_drawn) <= 0.05) < 0.09


def test_p_value_is_never_zero():
    assert p_of("selection_rate", [(0, 500, 0, 0), (500, 0, 0, 0)], 999) == 1 / 1000


def test_p_value_of_one_group_is_unknown():
    metrics = group_metrics([0, 1] * 40, [1, 1] * 40, ["a"] * 80).tests
    assert metrics["p_value"].isna().all()
    assert metrics["difference"].isna().all()


@given(st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_adjusted_p_values_are_scipys(values):
    p = np.array(values)
    known = np.isfinite(p)
    adjusted = benjamini_hochberg(p)
    assert np.isnan(adjusted[~known]).all()
    if known.any():
        assert adjusted[known] == pytest.approx(false_discovery_control(p[known]), abs=1e-12)


def test_p_value_of_many_rows_is_that_of_the_chi_squared_test():
    cells = np.array([(700, 300, 0, 0), (640, 360, 0, 0), (1010, 490, 0, 0)])
    assert p_of("selection_rate", cells) == pytest.approx(chi2_contingency(cells[:, :2]).pvalue, abs=0.003)


def test_a_small_group_does_not_hide_a_gap_of_large_ones():
    """The largest difference is that of the small group, which chance explains; the large groups differ surely."""
    groups = {"men": (1679, 494), "women": (1347, 269), "other": (38, 13)}
    group = np.repeat(list(groups), [rows for rows, _ in groups.values()])
    selected = np.concatenate([np.arange(rows) < hits for rows, hits in groups.values()]).astype(int)
    assert group_metrics(selected, selected, group).tests.loc["selection_rate", "p_value"] < 1e-3


@pytest.mark.parametrize("metric", ["roc_auc", "brier_score"])
def test_p_values_of_scores_are_uniform_when_nothing_differs(metric):
    random = np.random.default_rng(3)
    drawn = []
    for _ in range(100):
        y, group = random.integers(0, 2, 240), random.integers(0, 4, 240)
        score = np.clip(random.normal(0.4 + 0.2 * y, 0.15), 0, 1)
        tests = group_metrics(y, y, group, y_score=score, n_boot=100, metrics=[metric], min_group_size=9).tests
        drawn.append(tests["p_value"].item())
    assert kstest(drawn, "uniform").pvalue > 0.005


def test_a_group_without_a_fault_is_tested():
    random = np.random.default_rng(4)
    y, group = np.tile([0, 1], 150), np.repeat(["a", "b", "c"], 100)
    score = np.where(group == "a", 0.2 + 0.6 * y, np.clip(random.normal(0.45 + 0.1 * y, 0.2), 0, 1))
    tests = group_metrics(y, y, group, y_score=score, n_boot=500).tests["p_value"]
    assert tests[["roc_auc", "brier_score"]].max() < 0.01
    numbers = random.normal(size=300)
    exact = np.where(group == "a", numbers, numbers + random.normal(size=300))
    assert group_metrics(numbers, exact, group, n_boot=500).tests.loc[["mae", "rmse"], "p_value"].max() < 0.01


def test_errors_that_differ_are_found():
    random = np.random.default_rng(4)
    y, group = random.normal(size=400), np.repeat(["a", "b"], 200)
    metrics = group_metrics(y, y + np.where(group == "a", 0.0, 1.0) + random.normal(size=400), group).tests
    assert metrics.loc[["mean_error", "mae", "rmse"], "p_value"].max() < 1e-3
    assert metrics.loc["r2", "p_value"] < 0.01


def test_summary_corrects_for_two_rates():
    cells = [(30, 20, 25, 25), (38, 12, 14, 36)]
    y, p, group = (
        np.concatenate([np.repeat(values, row) for values, row in zip(columns, cells, strict=True)])
        for columns in ([[0, 0, 1, 1]] * 2, [[0, 1, 0, 1]] * 2, [["a"] * 4, ["b"] * 4])
    )
    metrics = group_metrics(y, p, group)
    rates = metrics.tests.loc[["true_positive_rate", "false_positive_rate"], "p_value"]
    assert metrics.summary.loc["equalized_odds", "p_value"] == pytest.approx(min(1.0, 2 * rates.min()))
    assert metrics.summary.loc["equal_opportunity", "p_value"] == rates["true_positive_rate"]


def test_tests_are_made_within_control_levels():
    """Selected by department alone: no difference within one, a difference over both."""
    random = np.random.default_rng(5)
    department = np.repeat(["x", "y"], 400)
    group = np.where(random.random(800) < np.where(department == "x", 0.8, 0.2), "a", "b")
    p = (random.random(800) < np.where(department == "x", 0.8, 0.2)).astype(int)
    assert group_metrics(p, p, group).tests.loc["selection_rate", "p_value"] < 1e-3
    within = group_metrics(p, p, group, control_features={"department": department}).tests
    assert within.xs("selection_rate", level=1)["p_value"].min() > 0.01


@pytest.mark.parametrize("constraint", ["demographic_parity", "equalized_odds"])
def test_expected_counts_can_be_tested(constraint):
    """Counts under a policy that draws are fractions."""
    for seed in range(20):
        random = np.random.default_rng(seed)
        y, score, group = random.integers(0, 2, 60), random.random(60).round(2), random.choice(list("abc"), 60)
        policy = optimize_thresholds(y, score, group, min_group_size=0, constraint=constraint)
        tests = score_table(y, score, group, min_group_size=0).under(policy).tests
        assert tests["p_value"].dropna().between(0, 1).all()
        assert tests.loc["accuracy", "p_value"] > 0
        if constraint == "demographic_parity":
            assert tests.loc["selection_rate", "p_value"] > 0.5
