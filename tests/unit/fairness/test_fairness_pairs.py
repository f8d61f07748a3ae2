"""The surest gap between groups: found among all pairs, and said by one procedure."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.errors import SettingsError
from core.evaluation import mover, normal_quantile, wilson
from core.fairness import NUMBER_METRICS, RATES, SCORE_METRICS, group_metrics, pairwise_gaps


def table_of(groups):
    """Return selections and groups from rows and selected rows by group."""
    group = np.repeat(np.array(list(groups), dtype=object), [rows for rows, _ in groups.values()])
    return np.concatenate([np.arange(rows) < hits for rows, hits in groups.values()]).astype(int), group


def test_the_surest_gap_is_not_that_of_the_smallest_group():
    selected, group = table_of({"Man": (1679, 494), "Woman": (1347, 269), "Other": (38, 14), "(unknown)": (12, 4)})
    gaps = pairwise_gaps(group_metrics(selected, selected, group), "selection_rate")
    surest = gaps.surest
    assert (surest.highest, surest.lowest, gaps.small, gaps.comparisons) == ("Man", "Woman", ("(unknown)",), 3)
    assert surest.gap == pytest.approx(494 / 1679 - 269 / 1347)
    assert surest.p_value == pytest.approx(5e-9, rel=1)
    assert surest.p_adjusted == pytest.approx(3 * surest.p_value)
    assert surest.low > 0
    assert len(gaps.table) == 3


def test_bounds_are_newcombes_at_the_level_of_all_pairs():
    selected, group = table_of({"a": (70, 56), "b": (80, 48), "c": (90, 60)})
    metrics = group_metrics(selected, selected, group)
    for definitions in (1, 4):
        surest = pairwise_gaps(metrics, "selection_rate", definitions=definitions).surest
        level = 1 - 0.05 / (3 * definitions)
        low, high = mover(56 / 70, wilson(56, 70, level), 48 / 80, wilson(48, 80, level))
        assert (surest.low, surest.high) == pytest.approx((float(low), float(high)))
    # The interval at the p-value's own level ends at 0.
    level = 1 - surest.p_value
    low, _ = mover(56 / 70, wilson(56, 70, level), 48 / 80, wilson(48, 80, level))
    assert float(low) == pytest.approx(0, abs=1e-9)
    assert surest.p_adjusted == pytest.approx(12 * surest.p_value)


@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([1, 3]), st.sampled_from([0.8, 0.95]))
@settings(max_examples=4, deadline=None)
def test_an_interval_and_its_p_value_say_the_same(seed, weighted, definitions, confidence):
    random = np.random.default_rng(seed)
    group = random.choice(list("abcd"), 300, p=[0.5, 0.3, 0.15, 0.05])
    shift = {"a": 0.0, "b": random.choice([0.0, 0.3]), "c": 0.1, "d": 0.0}
    y = random.integers(0, 2, 300)
    score = np.clip(random.normal(0.3 + 0.3 * y + [shift[name] for name in group], 0.2), 0, 1)
    weights = random.gamma(2, 1, 300) if weighted else None
    settings_ = {"sample_weight": weights, "min_group_size": 10, "confidence": confidence}
    classes = group_metrics(y, (score > 0.5).astype(int), group, y_score=score, **settings_)
    numbers = group_metrics(y + 0.5, score, group, **settings_)
    for metrics in (classes, numbers):
        for metric in metrics.metrics:
            table = pairwise_gaps(metrics, metric, definitions=definitions).table
            assert ((table["low"] > 0) == (table["p_adjusted"] < 1 - confidence)).all(), metric
            assert ((table["low"] <= table["gap"]) & (table["gap"] <= table["high"])).all(), metric
            assert (table["high"] > table["low"]).all(), metric
            assert table["p_value"].is_monotonic_increasing


def test_chance_alone_is_seldom_sure():
    """20 fair groups of 60: of the 190 pairs one is surest, and its interval excludes 0 in at most 5% of tables."""
    random = np.random.default_rng(1)
    sure = 0
    for _ in range(100):
        groups = {f"{number:02}": (60, hits) for number, hits in enumerate(random.binomial(60, 0.4, 20))}
        selected, group = table_of(groups)
        sure += pairwise_gaps(group_metrics(selected, selected, group), "selection_rate").surest.low > 0
    assert sure / 100 <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / 100)


@pytest.mark.parametrize("missing", [None, np.nan])
def test_rows_with_a_missing_value_are_not_the_headline_while_others_exist(missing):
    selected, group = table_of({"a": (100, 40), "b": (100, 38), "none": (400, 40)})
    group[group == "none"] = missing
    gaps = pairwise_gaps(group_metrics(selected, selected, group), "selection_rate")
    assert {gaps.surest.highest, gaps.surest.lowest} == {"a", "b"}
    assert gaps.missing
    only = group != "b"
    gaps = pairwise_gaps(group_metrics(selected[only], selected[only], group[only]), "selection_rate")
    assert {gaps.surest.highest, gaps.surest.lowest} == {"a", "(missing)"}
    assert not gaps.missing


def test_groups_that_cannot_be_compared_have_no_surest_gap():
    selected, group = table_of({"a": (100, 40), "b": (8, 3)})
    gaps = pairwise_gaps(group_metrics(selected, selected, group), "selection_rate")
    assert (gaps.surest, gaps.small, len(gaps.table)) == (None, ("b",), 0)


def test_a_gap_beyond_any_doubt_has_bounds():
    selected, group = table_of({"a": (5000, 4990), "b": (5000, 10)})
    surest = pairwise_gaps(group_metrics(selected, selected, group), "selection_rate").surest
    assert 0 <= surest.p_adjusted < 1e-100
    assert 0.99 < surest.low < surest.gap < surest.high < 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda metrics: pairwise_gaps(metrics, "selection"), "Unknown metric 'selection'"),
        (lambda metrics: pairwise_gaps(metrics, "selection_rate", definitions=0), "number of definitions is 0"),
    ],
)
def test_what_cannot_be_compared_is_refused(call, message):
    selected, group = table_of({"a": (100, 40), "b": (100, 38)})
    with pytest.raises(SettingsError, match=message) as refused:
        call(group_metrics(selected, selected, group))
    assert refused.value.hint
    controlled = group_metrics(selected, selected, group, control_features=np.tile([1, 2], 100))
    with pytest.raises(SettingsError, match="one table of groups"):
        pairwise_gaps(controlled, "selection_rate")


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.sampled_from(["none", "random", "class"]), st.booleans())
@example(106, 35, "class", False)  # distances of predicted and observed shares that are smaller than by chance
@example(1739885465, 14, "random", False)
@settings(max_examples=15, deadline=None)
def test_a_value_lies_within_its_interval_which_is_not_a_point(seed, n, weighting, degenerate):
    random = np.random.default_rng(seed)
    y = np.full(n, random.integers(0, 2)) if degenerate else random.integers(0, 2, n)
    group = random.choice(list("abc"), n)
    score = np.full(n, random.choice([0.0, 0.2, 1.0])) if degenerate else random.random(n).round(1)
    weights = {"none": None, "random": random.gamma(1, 1, n) + 1e-3, "class": np.where(y, 7.0, 1.0)}[weighting]
    exact = y + 0.5 if degenerate else y + random.choice([0.0, 0.5], n)
    tables = (
        group_metrics(y, (score >= 0.5).astype(int), group, y_score=score, sample_weight=weights, min_group_size=0),
        group_metrics(y.astype(float), exact, group, sample_weight=weights, min_group_size=0, task="regression"),
    )
    for metrics in tables:
        assert set(metrics.metrics) in ({*RATES, *SCORE_METRICS}, set(NUMBER_METRICS))
        for table in (metrics.intervals, metrics.overall_intervals, metrics.difference_intervals):
            shown = table[table["low"].notna() & table["high"].notna()]
            value = shown["value"] if "value" in shown else shown["gap"]
            assert ((shown["low"] <= value) & (value <= shown["high"])).all()
            assert (shown["low"] < shown["high"]).all()
        hidden = metrics.intervals[metrics.intervals["low"].isna()]
        assert hidden["reason"].str.startswith("no interval: ").all()
        assert (metrics.intervals.loc[metrics.intervals["low"].notna(), "reason"] == "").all()


def test_quantiles_are_those_of_the_confidence():
    selected, group = table_of({"a": (70, 56), "b": (80, 48)})
    metrics = group_metrics(selected, selected, group, confidence=0.9)
    low, high = metrics.bounds("selection_rate", np.arange(2), np.full(2, normal_quantile(0.9)))
    table = metrics.intervals.xs("selection_rate", level="metric")
    assert table["low"].tolist() == low.tolist()
    assert table["high"].tolist() == high.tolist()
