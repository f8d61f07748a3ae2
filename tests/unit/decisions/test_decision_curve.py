"""Counts, costs and their intervals at every threshold, against plain loops and scikit-learn."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from core.decisions import DecisionCurve, decision_curve
from core.decisions.intervals import cost_bounds
from core.errors import InputError, SettingsError

COSTS = {"tp": -3.0, "fp": 2.0, "fn": 7.0, "tn": 0.0}


def rows(n: int, seed: int = 0, digits: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and scores, some of which are equal."""
    random = np.random.default_rng(seed)
    score = random.random(n).round(digits)
    return (random.random(n) < score).astype(int), score


def naive(y: np.ndarray, score: np.ndarray, weight: np.ndarray, threshold: float) -> dict[str, float]:
    """Return counts and mean cost, row by row."""
    counts = dict.fromkeys(COSTS, 0.0)
    for truth, value, own in zip(y, score, weight, strict=True):
        counts[("tp" if truth else "fp") if value >= threshold else ("fn" if truth else "tn")] += own
    return counts | {"cost": sum(COSTS[name] * counts[name] for name in COSTS) / weight.sum()}


@pytest.mark.parametrize("weighted", [False, True])
def test_every_threshold_has_the_counts_of_a_plain_loop(weighted: bool) -> None:
    y, score = rows(120)
    weight = np.random.default_rng(1).random(120) * 3 if weighted else np.ones(120)
    curve = decision_curve(y, score, costs=COSTS, sample_weight=weight if weighted else None)
    table = curve.table
    assert table["threshold"].tolist() == sorted(table["threshold"], reverse=True)
    assert len(table) == len(np.unique(score)) + 1, "one between each two distinct scores, and the two ends"
    assert not set(table["threshold"]) & set(score)
    for row in table.itertuples():
        expected = naive(y, score, weight, row.threshold)
        assert {name: getattr(row, name) for name in expected} == pytest.approx(expected)
    cheapest = min(naive(y, score, weight, threshold)["cost"] for threshold in [*np.unique(score), np.inf])
    assert curve.best.cost == pytest.approx(cheapest)
    assert tuple(curve.best) == (curve.best.threshold, curve.best.cost)


def test_counts_are_those_of_scikit_learn() -> None:
    y, score = rows(2_000, digits=6)
    curve = decision_curve(y.astype(bool), score, costs=COSTS)
    for threshold in [*curve.table["threshold"].iloc[::150], -math.inf, math.inf, 0.5, float(score[7])]:
        tn, fp, fn, tp = confusion_matrix(y, score >= threshold).ravel()
        outcome = curve.at(threshold)
        assert (outcome.tp, outcome.fp, outcome.fn, outcome.tn) == (tp, fp, fn, tn)
    assert curve.table[["tp", "fp", "fn", "tn"]].dtypes.eq("int64").all()


def test_the_best_threshold_within_a_capacity_is_that_of_a_search_over_all() -> None:
    y, score = rows(300, 3)
    curve = decision_curve(y, score, costs={"fn": 5, "fp": 1})
    for share in (0.0, 0.1, 0.333, 0.8, 1.0):
        best = curve.best_within(share)
        assert (score >= best.threshold).mean() <= share + 1e-12
        allowed = [row.cost for row in curve.table.itertuples() if (score >= row.threshold).mean() <= share + 1e-12]
        assert best.cost == pytest.approx(min(allowed))
    assert curve.best_within(1.0) == curve.best
    with pytest.raises(InputError, match=r"share is 1\.2"):
        curve.best_within(1.2)


def test_an_estimate_lies_within_its_interval_that_has_a_width() -> None:
    random = np.random.default_rng(5)
    for seed, grouped, weighted in itertools.product(range(12), (False, True), (False, True)):
        n = int(random.integers(40, 200))
        y, score = rows(n, seed, digits=int(random.integers(1, 4)))
        curve = decision_curve(
            y,
            score,
            costs={name: float(random.integers(1, 4)) * (5 if name == "fn" else 1) for name in ("fp", "fn")}
            | {"fp": 1},
            sample_weight=random.random(n) + 0.1 if weighted else None,
            groups=random.integers(0, 15, n) if grouped else None,
        )
        table = curve.table
        assert (table["low"] <= table["cost"]).all()
        assert (table["cost"] <= table["high"]).all()
        assert (table["low"] < table["high"]).all()


def test_perfect_rows_do_not_promise_that_no_error_will_happen() -> None:
    score = np.r_[np.full(50, 0.2), np.full(50, 0.8)]
    curve = decision_curve((score > 0.5).astype(int), score, costs={"fp": 1, "fn": 10})
    outcome = curve.at(0.5)
    assert outcome.cost.value == outcome.cost.low == 0
    assert 10 * 2 / 100 < outcome.cost.high < 10 * 8 / 100, "a few misses per 100 rows cannot be excluded"
    assert outcome.recall.low == pytest.approx(50 / (50 + 1.96**2), abs=1e-3)


def test_too_few_rows_have_no_interval_and_say_why() -> None:
    curve = decision_curve([1] * 3 + [0] * 40, np.linspace(1, 0, 43), costs={})
    assert curve.table[["low", "high"]].isna().all(axis=None)
    assert curve.at(0.5).cost.reason == "no interval: there are only 3 rows with the label"
    few_groups = decision_curve([1, 0] * 30, np.linspace(1, 0, 60), costs={}, groups=[0] * 30 + [1] * 30)
    assert few_groups.reason == "no interval: there are only 2 groups with the label"


@pytest.mark.parametrize("n", [40, 100, 1_000])
@pytest.mark.parametrize(
    "outcomes", [(0.2, 0.3, 0.1, 0.4), (0.05, 0.1, 0.02, 0.83), (0.25, 0.01, 0.01, 0.73), (0.5, 0.5, 0, 0)]
)
@pytest.mark.parametrize("costs", [(0, 1, 1, 0), (0, 1, 10, 0), (-4, 1, 8, 0), (-50, 2, 0, 0)])
def test_intervals_cover(n: int, outcomes: tuple[float, ...], costs: tuple[float, ...]) -> None:
    """At a threshold that was chosen on other rows, the interval holds the true cost in about 95 of 100 tables."""
    counts = np.random.default_rng(n).multinomial(n, outcomes, size=4_000).astype(float)
    values = np.array(costs, dtype=float)
    low, high = cost_bounds(counts, values, counts @ values / n, np.full(len(counts), float(n)))
    truth = float(np.dot(outcomes, values))
    covered = float(((low <= truth + 1e-12) & (truth <= high + 1e-12)).mean())
    assert covered >= 0.93


def test_rows_of_a_group_count_as_fewer() -> None:
    y, score = rows(100, 2)
    plain = decision_curve(y, score, costs=COSTS)
    copied = decision_curve(np.tile(y, 5), np.tile(score, 5), costs=COSTS, groups=np.tile(np.arange(100), 5))
    alone = decision_curve(y, score, costs=COSTS, groups=np.arange(100))
    for other in (copied, alone):
        np.testing.assert_allclose(other.table["cost"], plain.table["cost"])
        np.testing.assert_allclose(
            other.table["high"] - other.table["low"], plain.table["high"] - plain.table["low"], rtol=0.02
        )
    weighted = decision_curve(y, score, costs=COSTS, sample_weight=np.full(100, 7.0))
    np.testing.assert_allclose(weighted.table[["low", "high"]], plain.table[["low", "high"]], rtol=1e-6, atol=1e-9)


def test_the_top_rows_and_their_ties() -> None:
    score = np.r_[np.full(10, 0.9), np.full(30, 0.6), np.full(60, 0.1)]
    y = np.r_[np.ones(9), 0, np.ones(15), np.zeros(15), np.ones(6), np.zeros(54)].astype(int)
    curve = decision_curve(y, score, costs={})
    top = curve.top(100, 1_000)
    assert (top.hits.value, top.tied) == (pytest.approx(90), 0)
    cut = curve.top(20, 100)
    assert cut.hits.value == pytest.approx(9 + 10 * 0.5)
    assert (cut.tied, cut.fitting) == (pytest.approx(30), pytest.approx(10))
    assert cut.hits.low < cut.hits.value < cut.hits.high <= 20
    assert curve.top(100, 100).hits.value == pytest.approx(y.sum())
    assert curve.top(1, 1_000).hits.value == pytest.approx(0.9)
    with pytest.raises(InputError, match="11 of 10 rows"):
        curve.top(11, 10)


def test_new_rows_have_as_many_hits_as_was_said() -> None:
    random = np.random.default_rng(4)

    def draw(size: int) -> tuple[np.ndarray, np.ndarray]:
        y = (random.random(size) < 0.25).astype(int)
        return y, random.normal(y)

    within = 0
    for _ in range(60):
        top = decision_curve(*draw(300), costs={}).top(50, 400)
        y, score = draw(400)
        within += top.hits.low <= y[np.argsort(-score)[:50]].sum() <= top.hits.high
    assert within >= 53


def close(curve: DecisionCurve, threshold: float) -> float:
    """Return the distance of a threshold from the nearest score, as a share of it."""
    score = curve.rows.score
    return float((np.abs(score - threshold) / np.abs(score)).min())


def test_a_kept_threshold_lies_where_float32_decides_the_same() -> None:
    random = np.random.default_rng(0)
    score = random.random(3_000)
    score[1::2] = score[::2] * (1 + 3e-6)  # pairs that runtimes cannot tell apart
    y = (random.random(3_000) < score).astype(int)
    curve = decision_curve(y, score, costs={"fn": 2})
    for threshold in (curve.best.threshold, curve.rule_at(score[1]), curve.rule_at(0.123456)):
        policy = curve.policy(threshold, positive="yes")
        (((kept, probability),),) = policy.rules.values()
        assert (kept, probability) == (threshold, 1.0)
        assert close(curve, kept) > 5e-6
        assert (policy.predict(score) == policy.predict(score.astype(np.float32))).all()
    expected = policy.expected["by_group"]["all rows"]
    assert expected["selection_rate"] == pytest.approx((score >= kept).mean())
    assert expected["precision"] == pytest.approx(y[score >= kept].mean())
    assert policy.settings["positive"] == "yes"
    assert policy.settings["costs"]["false_negative"] == 2


def test_what_cannot_be_used_is_refused() -> None:
    with pytest.raises(InputError, match="not finite"):
        decision_curve([0, 1], [0.1, math.inf], costs={})
    with pytest.raises(SettingsError, match="Unknown cost 'false_alarm'"):
        decision_curve([0, 1], [0.1, 0.2], costs={"false_alarm": 1})
    with pytest.raises(InputError, match="groups has 3 rows"):
        decision_curve([0, 1], [0.1, 0.2], costs={}, groups=[1, 2, 3])
    with pytest.raises(InputError, match="threshold is NaN"):
        decision_curve([0, 1], [0.1, 0.2], costs={}).at(math.nan)
    assert decision_curve(["no", "yes"], [0.1, 0.2], costs={}, pos_label="yes").best.cost == 0
