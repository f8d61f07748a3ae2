"""The tests of drift against SciPy, their level and their effects."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from core.monitoring import DRIFT_TESTS, ColumnSketch, DriftOutcome, TestContext, adjust_p_values, sketch
from core.monitoring.adjustment import combine_p_values
from core.monitoring.category_tests import chance_variation, level_table
from core.monitoring.missing_tests import compare_missing, is_relevant
from core.monitoring.number_tests import compare_points, ks_distance, wasserstein
from core.monitoring.quantile_points import QuantilePoints
from tests.unit.monitoring import monitoring_tables as tables


def run(test: str, before: object, now: object, **options: object) -> DriftOutcome:
    """Return the outcome of a test of two columns."""
    first = sketch(pd.DataFrame({"x": before}), **options)
    other = sketch(pd.DataFrame({"x": now}), like=first)
    return DRIFT_TESTS[test].run(first["x"], other["x"], TestContext(first, other))


@given(
    hnp.arrays(np.float64, st.integers(3, 40), elements=st.integers(-3, 3).map(float)),
    hnp.arrays(np.float64, st.integers(3, 40), elements=st.integers(-3, 3).map(float)),
)
@settings(deadline=None)
def test_distances_are_those_of_scipy(first: np.ndarray, other: np.ndarray) -> None:
    points = QuantilePoints.of(first), QuantilePoints.of(other)
    assert ks_distance(*points) == pytest.approx(stats.ks_2samp(first, other, method="asymp").statistic)
    assert wasserstein(*points) == pytest.approx(stats.wasserstein_distance(first, other))


@pytest.mark.parametrize(("n", "m", "shift"), [(60, 90, 0.0), (500, 800, 0.1), (3_000, 200, 0.2)])
def test_ks_is_that_of_scipy(n: int, m: int, shift: float) -> None:
    random = np.random.default_rng(n)
    before, now = random.normal(size=n), random.normal(shift, size=m)
    outcome, expected = run("ks", before, now), stats.ks_2samp(before, now, method="asymp")
    assert (outcome.statistic, outcome.p) == pytest.approx((expected.statistic, expected.pvalue))
    assert outcome.values["wasserstein"] == pytest.approx(stats.wasserstein_distance(before, now) / before.std())


def test_large_samples_have_the_ks_of_all_their_rows() -> None:
    random = np.random.default_rng(1)
    before, now = random.normal(size=100_000), random.normal(0.01, size=150_000)
    outcome = compare_points("ks", QuantilePoints.of(before), QuantilePoints.of(now))
    assert outcome.statistic == pytest.approx(stats.ks_2samp(before, now).statistic, abs=1.5e-4)


def test_level_of_few_distinct_numbers_is_right() -> None:
    # Ties make the p-value of the plain test too large: it would reject in 2% here.
    random = np.random.default_rng(2)
    probabilities = [0.7, 0.15, 0.1, 0.05]
    p_values = [
        compare_points("ks", *(QuantilePoints.of(random.choice(4, 300, p=probabilities)) for _ in range(2))).p
        for _ in range(400)
    ]
    rejected = np.mean(np.array(p_values) < 0.05)
    assert 0.025 <= rejected <= 0.08


def test_fewer_than_50_rows_are_not_enough() -> None:
    outcome = run("ks", np.arange(400.0) / 7, [1e9 + index / 7 for index in range(49)])
    assert outcome.p is None
    assert outcome.reason == "not enough data: 49 rows with a value in the batch, and 50 are needed"
    assert run("chi2", ["a"] * 30 + ["b"] * 10, ["b"] * 400).reason.startswith("not enough data: 40 rows")
    assert run("ks", np.arange(400.0) / 7, np.arange(50.0) / 7).p is not None


@pytest.mark.parametrize("levels", [2, 5, 20])
def test_chi_square_is_that_of_scipy(levels: int) -> None:
    random = np.random.default_rng(levels)
    before, now = random.integers(0, levels, 700).astype(str), random.integers(0, levels, 900).astype(str)
    table = pd.crosstab(np.repeat([0, 1], [700, 900]), np.concatenate([before, now]))
    expected = stats.chi2_contingency(table, correction=False)
    outcome = run("chi2", before, now)
    assert (outcome.statistic, outcome.p) == pytest.approx((expected.statistic, expected.pvalue))
    variation = np.abs(table.loc[0] / 700 - table.loc[1] / 900).sum() / 2
    assert outcome.values["total_variation"] == pytest.approx(variation)


def test_rare_levels_are_pooled() -> None:
    before = ["a"] * 200 + ["b"] * 190 + list("cdefghijkl")
    now = ["a"] * 200 + ["b"] * 190 + list("mnopqrstuv")
    outcome = run("chi2", before, now)
    assert outcome.values["levels"] == 3
    assert outcome.p == 1.0
    one = run("chi2", ["a"] * 100 + ["b"], ["a"] * 100)
    assert (one.values["levels"], one.p) == (1, 1.0)
    first, other = (sketch(pd.DataFrame({"x": values})) for values in (before, now))
    table = level_table(first["x"], other["x"])
    assert dict(table.new) == dict.fromkeys("mnopqrstuv", 1)
    assert set(table.gone) == set("cdefghijkl")


@pytest.mark.parametrize("levels", [60, 300])
def test_permutations_agree_with_chi_square_where_that_holds(levels: int) -> None:
    # With 20 and more expected rows per level the approximation of chi-square is good.
    random = np.random.default_rng(levels)
    before, now = (random.integers(0, levels, 40 * levels).astype(str) for _ in range(2))
    permuted, plain = run("chi2_permutation", before, now), run("chi2", before, now)
    assert permuted.statistic == pytest.approx(plain.statistic)
    assert permuted.p == pytest.approx(plain.p, abs=0.06)


def test_permutations_resolve_small_p_values() -> None:
    random = np.random.default_rng(4)
    before = random.integers(0, 60, 3_000).astype(str)
    now = np.concatenate([random.integers(0, 60, 2_700).astype(str), random.integers(0, 6, 300).astype(str)])
    permuted, plain = run("chi2_permutation", before, now), run("chi2", before, now)
    assert plain.p < 1e-9
    assert plain.p / 100 < permuted.p < 100 * plain.p  # far below what 999 permutations can resolve


def test_tests_are_chosen_by_levels() -> None:
    def names(levels: int) -> list[str]:
        from core.monitoring.drift_tests import choose_tests

        random = np.random.default_rng(5)
        column = sketch(pd.DataFrame({"x": random.integers(0, levels, 3_000).astype(str)}))["x"]
        return [test.name for test in choose_tests(column, column)]

    assert names(50) == ["chi2"]
    assert names(51) == ["chi2_permutation"]


def test_effect_of_levels_is_about_zero_by_chance_and_right_otherwise() -> None:
    random = np.random.default_rng(6)
    raw, corrected = [], []
    for _ in range(60):
        outcome = run("chi2", *(random.integers(0, 50, 800).astype(str) for _ in range(2)))
        raw.append(outcome.values["total_variation"])
        corrected.append(outcome.effect)
    assert np.mean(raw) > 0.12
    assert np.mean(corrected) < 0.02
    counts = np.full(50, 16)
    assert chance_variation(counts, counts) == pytest.approx(np.mean(raw), rel=0.05)
    moved = run("chi2", ["a"] * 600 + ["b"] * 400, ["a"] * 300 + ["b"] * 700)
    assert moved.effect == pytest.approx(0.3, abs=0.02)
    assert moved.low < 0.3 < moved.high


@pytest.mark.parametrize("kind", ["number", "category"])
def test_intervals_of_effects_cover(kind: str) -> None:
    random = np.random.default_rng(7)
    covered = 0
    for _ in range(200):
        if kind == "number":  # the distance of two normal distributions one half apart
            truth = 2 * stats.norm.cdf(0.25) - 1
            outcome = run("ks", random.normal(size=300), random.normal(0.5, size=400))
        else:
            truth = 0.15
            before, now = (
                random.choice(list("abcd"), 400, p=p) for p in ([0.4, 0.3, 0.2, 0.1], [0.25, 0.3, 0.2, 0.25])
            )
            outcome = run("chi2", before, now)
        covered += outcome.low <= truth <= outcome.high
    assert covered >= 186


@given(st.integers(0, 80), st.integers(0, 80))
@settings(max_examples=40, deadline=None)
def test_missing_cells_are_tested_as_scipy_does(k: int, j: int) -> None:
    before, now = (sketch(pd.DataFrame({"x": [1.0] * (100 - count) + [None] * count}))["x"] for count in (k, j))
    outcome = compare_missing(before, now)
    if k + j == 0:
        assert outcome is None
        return
    table = np.array([[k, 100 - k], [j, 100 - j]])
    chi2 = stats.chi2_contingency(table, correction=False)
    expected = chi2.pvalue if chi2.expected_freq.min() >= 10 else stats.fisher_exact(table).pvalue
    assert outcome.p == pytest.approx(min(expected, 1.0), abs=1e-12)
    assert outcome.effect == pytest.approx(abs(k - j) / 100)
    assert outcome.low <= outcome.effect <= outcome.high


def test_missing_cells_that_appear_matter_from_a_fifth_of_the_size() -> None:
    def relevant(before: int, now: int) -> bool:
        pair = [sketch(pd.DataFrame({"x": [1.0] * (1000 - n) + [None] * n}))["x"] for n in (before, now)]
        return is_relevant(compare_missing(*pair), 0.05)

    assert relevant(0, 10)
    assert relevant(10, 0)
    assert not relevant(0, 9)
    assert not relevant(10, 50)
    assert relevant(10, 60)


def test_adjustment_is_that_of_scipy() -> None:
    p_values = np.random.default_rng(8).random(40) ** 3
    np.testing.assert_allclose(adjust_p_values(p_values), stats.false_discovery_control(p_values))
    assert combine_p_values([0.4, 0.6]) == 0.8
    assert combine_p_values([0.6, 0.6]) == 1.0


def text_outcomes(before: list[str], now: list[str]) -> dict[str, DriftOutcome]:
    return {
        name: run(name, before, now, types={"x": "text"})
        for name in ("text_length", "unknown_words", "text_classifier")
    }


def test_each_change_of_texts_has_its_test() -> None:
    random = np.random.default_rng(9)
    before, now = tables.texts(random, 400), tables.texts(random, 400)
    null = text_outcomes(before, now)
    assert min(outcome.p for outcome in null.values()) > 0.01
    longer = text_outcomes(before, [f"{text} {text}" for text in now])
    assert longer["text_length"].p < 1e-10
    strange = text_outcomes(before, [f"{text} zx{index} qx{index}" for index, text in enumerate(now)])
    assert strange["unknown_words"].p < 1e-10
    assert strange["unknown_words"].effect == pytest.approx(2 / 8.5, abs=0.05)
    assert strange["unknown_words"].values["reference"] == 0
    other_topic = tables.texts(random, 400, words=tables.WORDS[[0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8]])
    topic = text_outcomes(before, other_topic)
    assert topic["text_classifier"].p < 1e-10
    assert topic["text_classifier"].values["auc"] > 0.8
    assert topic["unknown_words"].p > 0.01


def test_the_level_of_texts_is_kept() -> None:
    random = np.random.default_rng(10)
    words = np.array([f"w{index}" for index in range(3_000)])
    share = (1 / np.arange(1, 3_001)) / (1 / np.arange(1, 3_001)).sum()
    rejected = {"text_length": 0, "unknown_words": 0, "text_classifier": 0}
    for _ in range(50):
        pair = [[" ".join(random.choice(words, 8, p=share)) for _ in range(150)] for _ in range(2)]
        for name, outcome in text_outcomes(*pair).items():
            rejected[name] += outcome.p < 0.05
    assert max(rejected.values()) <= 7, rejected  # P(more than 7 of 50 | 5%) is below 1%


def test_dates_are_compared_by_age() -> None:
    random = np.random.default_rng(11)
    days = pd.to_timedelta(random.exponential(100, 600), unit="D")
    later = pd.to_timedelta(random.exponential(100, 600), unit="D")
    first = sketch(pd.DataFrame({"x": pd.Timestamp("2024-01-01") - days}), as_of="2024-01-01")
    other = sketch(pd.DataFrame({"x": pd.Timestamp("2025-01-01") - later}), as_of="2025-01-01")
    older = sketch(pd.DataFrame({"x": pd.Timestamp("2025-01-01") - 2 * later}), as_of="2025-01-01")

    def p_of(test: str, batch: object) -> float | None:
        return DRIFT_TESTS[test].run(first["x"], batch["x"], TestContext(first, batch)).p

    assert p_of("recency", other) > 0.01
    assert p_of("recency", older) < 1e-6
    assert p_of("dates", other) < 1e-6
    outcome = run("recency", pd.Timestamp("2024-01-01") - days, pd.Timestamp("2025-01-01") - later)
    assert outcome.p is None
    assert "needs the moment (as_of)" in outcome.reason


@pytest.mark.parametrize("name", list(DRIFT_TESTS))
def test_every_test_of_the_registry_sees_no_change_in_equal_columns(name: str) -> None:
    record = DRIFT_TESTS[name]
    columns = {"number": "income", "category": "city", "date": "since", "text": "review"}
    batch = sketch(tables.mixed(np.random.default_rng(12), 300), as_of="2025-01-01")
    column: ColumnSketch = batch[columns[record.types[0]]]
    outcome = record.run(column, column, TestContext(batch, batch))
    assert outcome.test == name
    assert outcome.p is not None
    assert outcome.p > 0.05
    assert (outcome.effect or 0.0) < 0.15
    assert record.title
    assert record.help.endswith(".")
