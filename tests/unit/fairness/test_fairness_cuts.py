"""Thresholds lie between scores: ties stay on their side in float32, through CSV, and in every group."""

import io
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import SettingsError
from core.fairness import CONSTRAINTS, optimize_thresholds, score_table, single_threshold


def as_csv(scores):
    """Return scores as a file has them, with the digits of float32."""
    text = pd.Series(scores).to_csv(index=False, header=False, float_format="%.9g")
    return pd.read_csv(io.StringIO(text), header=None)[0].to_numpy()


def decisions(policy, scores, group):
    return policy.expected_rate(scores, group).tolist()


def same_everywhere(policy, scores, group):
    """Return whether a policy decides the same on scores in float64, in float32 and through CSV."""
    expected = decisions(policy, scores, group)
    narrow = scores.astype(np.float32).astype(float)
    return decisions(policy, narrow, group) == expected == decisions(policy, as_csv(scores), group)


@st.composite
def tied(draw):
    """Labels, few scores that many rows share, and two groups with rows of both labels."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    near = draw(st.sampled_from([0.0, 1e-16, 3e-8, 1e-6, 1e-3]))  # one number in float32, or two
    values = random.random(draw(st.integers(2, 6)))
    values = np.concatenate([values, values * (1 + near)]) * draw(st.sampled_from([1.0, 1e-4, 1e6]))
    n = draw(st.integers(8, 200))
    y, group = np.tile([0, 1], 4 + n // 2), np.repeat(["a", "b"], [4, 4 + 2 * (n // 2)])
    return y, random.choice(values, len(y)), group


@pytest.mark.parametrize("constraint", CONSTRAINTS)
@given(tied(), st.booleans(), st.sampled_from([0.0, 0.1, 1.0]))
@settings(max_examples=6, deadline=None)
def test_decisions_are_the_same_in_float32_and_through_csv(constraint, table, randomized, tolerance):
    y, score, group = table
    asked = {"constraint": constraint, "tolerance": tolerance}
    policy = optimize_thresholds(y, score, group, min_group_size=0, randomized=randomized, **asked)
    single = single_threshold(y, score, group, min_group_size=0, **asked)
    assert same_everywhere(policy, score, group)
    assert same_everywhere(single, score, group)
    cuts = [threshold for rule in (*policy.rules.values(), *single.rules.values()) for threshold, _ in rule]
    assert not set(cuts) & set(score.tolist())


@pytest.mark.parametrize("scores", [(0.7, 0.1), (0.3 + 1e-6, 0.1 + 0.2), (1 / 3, 0.2), (0.9, 0.6)])
def test_four_thousand_tied_rows(scores):
    high, low = scores
    random = np.random.default_rng(0)
    score = np.where(np.arange(4000) < 2003, high, low)
    y = (random.random(4000) < np.where(score == high, 0.8, 0.2)).astype(int)
    policy = optimize_thresholds(y, score, np.where(np.arange(4000) % 2, "a", "b"), randomized=False)
    group = np.where(np.arange(4000) % 2, "a", "b")
    assert policy.predict(score, group).sum() == 2003
    assert same_everywhere(policy, score, group)
    assert same_everywhere(single_threshold(y, score, group), score, group)


def test_what_is_one_number_in_float32_is_not_separated():
    score = np.array([0.3, 0.1 + 0.2, 0.3 - 1e-12, 0.6] * 5)
    y = np.array([0, 1, 0, 1] * 5)
    policy = optimize_thresholds(y, score, ["a"] * 20)
    assert policy.rules["a"][0][0] == pytest.approx(0.45)


@pytest.mark.parametrize(
    "scores", [(1.7e308, -1.7e308), (1e300, 1e299), (5e-324, 0.0), (-1.0, -2.0), (2**24 + 2, 2**24)]
)
def test_scores_of_any_size_are_separated(scores):
    score, y = np.repeat(scores, 10), np.repeat([1, 0], 10)
    policy = optimize_thresholds(y, score, ["a"] * 20)
    ((threshold, _),) = policy.rules["a"]
    assert scores[0] >= threshold > scores[1]
    assert policy.predict(score, ["a"] * 20).tolist() == y.tolist()


def brute_force(y, score, group, tolerance):
    """Return the best accuracy of one threshold, and its difference, over all thresholds."""
    best = (-1.0, 0.0)
    for cut in (*np.unique(score), np.inf):
        chosen = score >= cut
        gap = abs(chosen[group == "a"].mean() - chosen[group == "b"].mean())
        if gap <= tolerance + 1e-12:
            best = max(best, ((chosen == y).mean(), -gap))
    return best[0]


@given(tied(), st.sampled_from([0.0, 0.05, 0.3, 1.0]))
@settings(max_examples=15, deadline=None)
def test_no_single_threshold_is_better(table, tolerance):
    y, score, group = table
    score = score.astype(np.float32).astype(float)
    policy = single_threshold(y, score, group, min_group_size=0, tolerance=tolerance)
    assert policy.columns == ()
    assert policy.expected["objective"] == pytest.approx(brute_force(y, score, group, tolerance))
    assert policy.expected["violation"] <= tolerance + 1e-9
    chosen = policy.predict(score)
    gap = abs(chosen[group == "a"].mean() - chosen[group == "b"].mean())
    assert policy.expected["violation"] == pytest.approx(gap)
    assert policy.expected["unconstrained_objective"] == pytest.approx(brute_force(y, score, group, 1.0))


@pytest.fixture
def uneven():
    """Two groups of 400 rows, and eleven rows of a third whose scores say the opposite."""
    random = np.random.default_rng(3)
    group = np.repeat(["man", "woman", "other"], [400, 400, 11])
    y = random.integers(0, 2, 811)
    score = np.clip(random.normal(0.4 + 0.2 * y + 0.1 * (group == "man"), 0.15), 0, 1)
    score[-11:] = 1 - score[-11:]
    return y, score, group


@pytest.mark.parametrize("randomized", [True, False])
@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_a_small_group_has_the_threshold_of_all_rows(uneven, constraint, randomized):
    y, score, group = uneven
    asked = {"constraint": constraint, "randomized": randomized}
    policy = optimize_thresholds(y, score, group, **asked)
    single = single_threshold(y, score, group, constraint=constraint)
    assert policy.rules["other"] == single.rules["all rows"]
    assert policy.expected["small_groups"] == ["other"]
    large = group != "other"
    without = optimize_thresholds(y[large], score[large], group[large], objective="accuracy", **asked)
    assert {name: policy.rules[name] for name in ("man", "woman")} == without.rules
    assert policy.expected["violation"] == pytest.approx(without.expected["violation"])
    assert optimize_thresholds(y, score, group, min_group_size=0, **asked).expected["small_groups"] == []


def test_where_one_group_is_large_enough_all_have_one_threshold(uneven):
    y, score, group = uneven
    policy = optimize_thresholds(y, score, group, min_group_size=401)
    assert len(set(policy.rules.values())) == 1
    chosen = policy.predict(score, group)
    rates = [chosen[group == name].mean() for name in ("man", "woman", "other")]
    assert policy.expected["violation"] == pytest.approx(max(rates) - min(rates)) != 0  # though none are compared
    assert len(policy.expected["small_groups"]) == 3


def test_a_small_group_without_hits_is_no_obstacle(uneven):
    y, score, group = uneven
    y = np.where(group == "other", 0, y)
    policy = optimize_thresholds(y, score, group, constraint="true_positive_rate_parity")
    assert set(policy.rules) == {"man", "woman", "other"}


def test_the_tradeoff_ignores_small_groups(uneven):
    from core.fairness import tradeoff_curve

    y, score, group = uneven
    large = group != "other"
    table = score_table(y, score, group)
    curve = tradeoff_curve(table)
    assert curve["disparity"].to_numpy() == pytest.approx(
        tradeoff_curve(y[large], score[large], group[large])["disparity"].to_numpy(), abs=1e-3
    )


@pytest.mark.parametrize("cost", [math.nan, math.inf, -math.inf])
def test_costs_are_finite(uneven, cost):
    y, score, group = uneven
    with pytest.raises(SettingsError, match="cost of a false negative"):
        optimize_thresholds(y, score, group, objective="cost", costs={"fn": cost})
