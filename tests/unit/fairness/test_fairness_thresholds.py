"""Best thresholds: never worse than Fairlearn's, what is promised is kept, and brute force finds nothing better."""

from itertools import product

import numpy as np
import pytest
from fairlearn.postprocessing import ThresholdOptimizer
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin

from core.errors import SettingsError
from core.fairness import CONSTRAINTS, optimize_thresholds, tradeoff_curve

SEEDS = st.integers(0, 2**32 - 1)
PARITIES = [name for name in CONSTRAINTS if name != "equalized_odds"]


class AsScored(ClassifierMixin, BaseEstimator):
    """Predicts the scores that it is given."""

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        return np.asarray(X)[:, 0]


@st.composite
def tables(draw, most=80, groups=3):
    """Labels, scores (often tied) and groups; each group has rows of both labels."""
    random = np.random.default_rng(draw(SEEDS))
    k = draw(st.integers(2, groups))
    n = draw(st.integers(1, most))
    group = np.r_[np.tile(np.arange(k), 4), random.integers(0, k, n)]
    y = np.r_[np.repeat([0, 1, 0, 1], k), random.integers(0, 2, n)]
    score = random.random(len(y)) + y * random.random(k)[group] * draw(st.sampled_from([0.0, 0.5, 1.0]))
    return y, score.round(draw(st.sampled_from([0, 1, 2, 6]))), np.array(list("abc"))[group]


def rates_of(constraint, y, rates, group):
    """The constrained rates of each group, (groups, rates)."""
    rates_by_label = {
        "selection_rate": [rates[group == label].mean() for label in np.unique(group)],
        "true": [rates[(group == label) & (y == 1)].mean() for label in np.unique(group)],
        "false": [rates[(group == label) & (y == 0)].mean() for label in np.unique(group)],
    }
    needs = {"demographic_parity": ["selection_rate"], "equalized_odds": ["true", "false"]}
    about_positives = constraint in ("true_positive_rate_parity", "false_negative_rate_parity")
    return np.array(
        [rates_by_label[name] for name in needs.get(constraint, ["true"] if about_positives else ["false"])]
    ).T


def measured(constraint, objective, y, rates, group, costs=(1.0, 1.0)):
    """Objective and violation of probabilities of being selected."""
    true, false = rates[y == 1], rates[y == 0]
    value = {
        "accuracy": (true.sum() + (1 - false).sum()) / len(y),
        "balanced_accuracy": (true.mean() + 1 - false.mean()) / 2,
        "cost": (costs[0] * false.sum() + costs[1] * (1 - true).sum()) / len(y),
    }[objective]
    return value, np.ptp(rates_of(constraint, y, rates, group), axis=0).max()


@pytest.mark.parametrize("objective", ["accuracy", "balanced_accuracy"])
@pytest.mark.parametrize("constraint", CONSTRAINTS)
@given(tables())
@settings(max_examples=12, deadline=None)
def test_never_worse_than_fairlearn(constraint, objective, table):
    y, score, group = table
    policy = optimize_thresholds(y, score, group, min_group_size=0, constraint=constraint, objective=objective)
    theirs = ThresholdOptimizer(
        estimator=AsScored(),
        constraints=constraint,
        objective=f"{objective}_score",
        prefit=True,
        predict_method="predict",
    )
    theirs.fit(score[:, None], y, sensitive_features=group)
    their_rates = theirs._pmf_predict(score[:, None], sensitive_features=group)[:, 1]
    ours = measured(constraint, objective, y, policy.expected_rate(score, group), group)
    reference = measured(constraint, objective, y, their_rates, group)
    assert ours[0] >= reference[0] - 1e-9
    assert ours[1] <= reference[1] + 1e-9


@pytest.mark.parametrize("constraint", PARITIES)
@given(tables(), st.sampled_from([0.02, 0.1, 0.3]))
@settings(max_examples=10, deadline=None)
def test_never_worse_than_fairlearn_with_a_tolerance(constraint, table, tolerance):
    y, score, group = table
    policy = optimize_thresholds(y, score, group, min_group_size=0, constraint=constraint, tolerance=tolerance)
    theirs = ThresholdOptimizer(
        estimator=AsScored(), constraints=constraint, prefit=True, predict_method="predict", tol=tolerance
    )
    theirs.fit(score[:, None], y, sensitive_features=group)
    their_rates = theirs._pmf_predict(score[:, None], sensitive_features=group)[:, 1]
    value, violation = measured(constraint, "accuracy", y, policy.expected_rate(score, group), group)
    assert violation <= tolerance + 1e-9
    reference, gap = measured(constraint, "accuracy", y, their_rates, group)
    assert value >= reference - 1e-9 or gap > tolerance


@given(
    tables(),
    st.sampled_from(list(CONSTRAINTS)),
    st.sampled_from(["accuracy", "balanced_accuracy", "cost"]),
    st.sampled_from([0.0, 0.01, 0.2, 1.0]),
    st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_promises_are_kept(table, constraint, objective, tolerance, randomized):
    y, score, group = table
    asked = {"constraint": constraint, "objective": objective, "costs": {"fp": 2, "fn": 3}, "randomized": randomized}
    policy = optimize_thresholds(y, score, group, min_group_size=0, tolerance=tolerance, **asked)
    metrics, expected = policy.expected_rate(score, group), policy.expected
    value, violation = measured(constraint, objective, y, metrics, group, costs=(2, 3))
    assert (expected["objective"], expected["violation"]) == pytest.approx((value, violation), abs=1e-9)
    for label in np.unique(group):
        own = metrics[group == label]
        assert expected["by_group"][label]["selection_rate"] == pytest.approx(own.mean(), abs=1e-12)
        assert sum(share for _, share in policy.rules[label]) == pytest.approx(1)
    if randomized or tolerance > 0:
        assert violation <= tolerance + 1e-7
    free = optimize_thresholds(y, score, group, min_group_size=0, tolerance=1.0, **asked).expected
    assert free["objective"] == pytest.approx(expected["unconstrained_objective"], abs=1e-7)


@pytest.mark.parametrize("constraint", CONSTRAINTS)
@given(tables(), st.sampled_from(["accuracy", "cost"]))
@settings(max_examples=10, deadline=None)
def test_more_tolerance_never_costs(constraint, table, objective):
    y, score, group = table
    asked = {"constraint": constraint, "objective": objective, "costs": {"false_positive": 5}}
    objectives = [
        optimize_thresholds(y, score, group, min_group_size=0, tolerance=tolerance, **asked).expected["objective"]
        for tolerance in (0, 0.01, 0.05, 0.2, 0.5, 1)
    ]
    gained = np.diff(objectives) if objective == "accuracy" else -np.diff(objectives)
    assert gained.min() >= -1e-7


def candidates(y, score, group):
    """The counts of each group at each of its thresholds: threshold, selected, selected by row."""
    return [
        [(threshold, (score >= threshold) & (group == label)) for threshold in (*np.unique(score), np.inf)]
        for label in np.unique(group)
    ]


@pytest.mark.parametrize("constraint", PARITIES)
@given(tables(most=8, groups=2), st.sampled_from([0.0, 0.1, 0.4]), st.sampled_from(["accuracy", "balanced_accuracy"]))
@settings(max_examples=12, deadline=None)
def test_no_other_thresholds_are_better(constraint, table, tolerance, objective):
    """Single thresholds: of those that the tolerance allows (at 0: with no larger difference), none is better."""
    y, score, group = table
    asked = {"constraint": constraint, "objective": objective, "tolerance": tolerance}
    single = optimize_thresholds(y, score, group, min_group_size=0, randomized=False, **asked)
    assert not single.randomized
    drawn = optimize_thresholds(y, score, group, min_group_size=0, **asked).expected["objective"]
    allowed = (tolerance or single.expected["violation"]) + 1e-12
    best = within = -np.inf
    for pair in product(*candidates(y, score, group)):
        value, gap = measured(constraint, objective, y, sum(chosen for _, chosen in pair).astype(float), group)
        best = max(best, value if gap <= allowed else -np.inf)
        within = max(within, value if gap <= tolerance else -np.inf)
    assert single.expected["objective"] == pytest.approx(best, abs=1e-9)
    assert drawn >= within - 1e-9


@given(tables(), st.sampled_from(list(CONSTRAINTS)))
@settings(max_examples=20, deadline=None)
def test_single_thresholds_decide_without_drawing(table, constraint):
    y, score, group = table
    policy = optimize_thresholds(y, score, group, min_group_size=0, constraint=constraint, randomized=False)
    assert all(len(rule) == 1 for rule in policy.rules.values())
    decided = policy.predict(score, group)
    assert (decided == policy.expected_rate(score, group)).all()
    assert policy.expected["objective"] <= policy.expected["unconstrained_objective"] + 1e-12


@pytest.mark.parametrize("tolerance", [0.02, 0.1])
@given(tables(most=20, groups=2))
@settings(max_examples=10, deadline=None)
def test_equalized_odds_with_tolerance_is_at_least_any_pair_of_thresholds(tolerance, table):
    y, score, group = table
    policy = optimize_thresholds(y, score, group, min_group_size=0, constraint="equalized_odds", tolerance=tolerance)
    for pair in product(*candidates(y, score, group)):
        chosen = sum(chosen for _, chosen in pair).astype(float)
        value, gap = measured("equalized_odds", "accuracy", y, chosen, group)
        assert gap > tolerance or policy.expected["objective"] >= value - 1e-7


@pytest.mark.parametrize(
    ("constraint", "rate"),
    [
        ("demographic_parity", "selection_rate"),
        ("true_positive_rate_parity", "true_positive_rate"),
        ("true_negative_rate_parity", "false_positive_rate"),
    ],
)
@pytest.mark.parametrize("randomized", [True, False])
@given(tables(), st.sampled_from([0.0, 0.3, 0.8, 1.0]))
@settings(max_examples=10, deadline=None)
def test_a_smallest_rate_holds_for_every_group(constraint, rate, randomized, table, smallest):
    y, score, group = table
    asked = {"constraint": constraint, "minimum_rate": smallest, "randomized": randomized}
    policy = optimize_thresholds(y, score, group, min_group_size=0, **asked).expected
    rates = np.array([policy["by_group"][label][rate] for label in np.unique(group)])
    rates = 1 - rates if rate == "false_positive_rate" else rates
    assert rates.min() >= smallest - 1e-9
    if smallest == 0:
        assert policy["objective"] == pytest.approx(policy["unconstrained_objective"], abs=1e-12)


def test_costs_move_the_thresholds():
    random = np.random.default_rng(1)
    y, group = random.integers(0, 2, 400), random.choice(list("ab"), 400)
    score = np.clip(random.normal(0.35 + 0.3 * y, 0.2), 0, 1)
    shares = [
        optimize_thresholds(y, score, group, min_group_size=0, objective="cost", costs=costs).expected["by_group"]["a"]
        for costs in ({"fp": 10}, {}, {"fn": 10})
    ]
    rates = [share["selection_rate"] for share in shares]
    assert rates[0] < rates[1] < rates[2]
    plain = optimize_thresholds(y, score, group, min_group_size=0).expected
    assert optimize_thresholds(y, score, group, min_group_size=0, objective="cost").expected[
        "objective"
    ] == pytest.approx(1 - plain["objective"])


@given(tables(), st.sampled_from(["demographic_parity", "equalized_odds"]), st.sampled_from(["accuracy", "cost"]))
@settings(max_examples=10, deadline=None)
def test_tradeoff_curve(table, constraint, objective):
    y, score, group = table
    curve = tradeoff_curve(y, score, group, min_group_size=0, constraint=constraint, objective=objective)
    value = curve["objective"] if objective == "accuracy" else -curve["objective"]
    assert np.diff(value).min(initial=0) >= -1e-7
    assert (curve["disparity"] <= curve["tolerance"] + 1e-7).all()
    points = list(zip(value, curve["disparity"], strict=True))
    for (mine, gap), dominated in zip(points, curve["dominated"], strict=True):
        if dominated:
            assert any(v >= mine and d <= gap and (v > mine or d < gap) for v, d in points)
        else:
            assert not any(v >= mine and d <= gap and (v > mine + 1e-9 or d < gap - 1e-9) for v, d in points)


@given(tables(), st.sampled_from(list(CONSTRAINTS)))
@settings(max_examples=20, deadline=None)
def test_weights_count_as_copies(table, constraint):
    y, score, group = table
    weights = np.arange(len(y)) % 3 + 1
    copies = np.repeat(np.arange(len(y)), weights)
    weighted = optimize_thresholds(
        y, score, group, min_group_size=0, constraint=constraint, sample_weight=weights
    ).expected
    copied = optimize_thresholds(
        y[copies], score[copies], group[copies], min_group_size=0, constraint=constraint
    ).expected
    assert weighted["objective"] == pytest.approx(copied["objective"], abs=1e-9)


def test_one_group_is_decided_freely():
    policy = optimize_thresholds(
        [0, 1, 0, 1], [0.1, 0.9, 0.4, 0.8], list("aaaa"), min_group_size=0, constraint="equalized_odds"
    )
    assert policy.expected["objective"] == 1.0
    assert policy.expected_rate([0.1, 0.9, 0.4, 0.8], list("aaaa")).tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    "setting",
    [
        {"constraint": "parity"},
        {"objective": "f1"},
        {"tolerance": -0.1},
        {"tolerance": 1.5},
        {"grid_size": 1},
        {"objective": "cost", "costs": {"fpr": 1}},
        {"objective": "cost", "costs": {"tp": 5}},
        {"minimum_rate": 1.5},
        {"constraint": "equalized_odds", "minimum_rate": 0.5},
    ],
)
def test_impossible_settings_are_refused(setting):
    with pytest.raises(SettingsError) as refused:
        optimize_thresholds([0, 1, 0, 1], [0.1, 0.9, 0.4, 0.8], list("aabb"), min_group_size=0, **setting)
    assert refused.value.hint
