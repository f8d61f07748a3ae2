"""Intervals of the strength of a relation: they cover, agree with the bootstrap and with the tests of no relation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from core.datasets import ColumnRelation, ColumnRelations, relate_columns

Draw = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]


def _numbers(correlation: float) -> tuple[Draw, float]:
    """Two normal numbers; Pearson (1907) has their rank correlation."""

    def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x = rng.normal(size=n)
        return x, correlation * x + np.sqrt(1 - correlation**2) * rng.normal(size=n)

    return draw, 6 / np.pi * np.arcsin(correlation / 2)


def _number_in_groups(*means: float, spreads: tuple[float, ...] = ()) -> tuple[Draw, float]:
    """Normal numbers in categories of equal size, which their probabilities of being larger compare."""
    k, scale = len(means), np.array(spreads or (1.0,) * len(means))
    larger = stats.norm.cdf(np.subtract.outer(means, means) / np.sqrt(np.add.outer(scale**2, scale**2)))
    strength = np.sqrt(12 * np.mean((larger.mean(axis=1) - 0.5) ** 2))

    def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        group = rng.integers(0, k, n)
        return np.array(means)[group] + scale[group] * rng.normal(size=n), np.array([f"g{index}" for index in group])

    return draw, float(strength)


def _categories(table: list[list[float]]) -> tuple[Draw, float]:
    shares = np.array(table) / np.sum(table)
    phi = (shares**2 / np.outer(shares.sum(axis=1), shares.sum(axis=0))).sum() - 1

    def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        cells = rng.choice(shares.size, n, p=shares.ravel())
        return np.array([f"r{cell}" for cell in cells // len(table[0])]), np.array(
            [f"c{cell}" for cell in cells % len(table[0])]
        )

    return draw, float(np.sqrt(max(phi, 0) / (min(shares.shape) - 1)))


CASES = {
    "numbers, none": _numbers(0.0),
    "numbers, weak": _numbers(0.2),
    "numbers, strong": _numbers(0.9),
    "groups, none": _number_in_groups(0, 0, 0),
    "groups, weak": _number_in_groups(0, 0.3),
    "groups, uneven": _number_in_groups(0, 1, 2, 2.5, spreads=(0.5, 1, 2, 1)),
    "groups, strong": _number_in_groups(0, 3),
    "categories, none": _categories([[2, 1], [4, 2]]),
    "categories, weak": _categories([[30, 20], [20, 30]]),
    "categories, skewed": _categories([[90, 4, 1], [10, 6, 9]]),
    "categories, strong": _categories([[40, 1, 1], [2, 30, 1], [0, 1, 20]]),
}


def _relation(one: np.ndarray, other: np.ndarray) -> ColumnRelation:
    (pair,) = relate_columns(pd.DataFrame({"one": one, "other": other})).pairs
    return pair


def _covered(draw: Draw, truth: float, rows: int, tables: int) -> float:
    rng = np.random.default_rng(5)
    pairs = [_relation(*draw(rng, rows)) for _ in range(tables)]
    assert all(pair.low is not None and pair.high is not None for pair in pairs)
    return float(np.mean([pair.low <= truth + 1e-12 and truth <= pair.high for pair in pairs]))


@pytest.mark.parametrize("case", ["groups, uneven", "categories, skewed", "numbers, strong"])
def test_the_intervals_cover(case: str) -> None:
    draw, truth = CASES[case]
    assert 0.90 <= _covered(draw, truth, 200, 150) <= 1.0  # 95% less three standard errors


@pytest.mark.nightly
@pytest.mark.parametrize("rows", [60, 200, 1_000])
@pytest.mark.parametrize("case", CASES)
def test_the_intervals_cover_whatever_the_strength(case: str, rows: int) -> None:
    draw, truth = CASES[case]
    assert 0.92 <= _covered(draw, truth, rows, 600) <= 1.0


@pytest.mark.parametrize("case", ["numbers, strong", "groups, uneven", "groups, strong", "categories, strong"])
def test_their_width_is_that_of_the_bootstrap(case: str) -> None:
    rng = np.random.default_rng(1)
    one, other = CASES[case][0](rng, 800)
    pair = _relation(one, other)
    again = []
    for _ in range(300):
        rows = rng.integers(0, len(one), len(one))
        again.append(_relation(one[rows], other[rows]).strength)
    assert pair.low is not None
    assert pair.high is not None
    assert pair.high - pair.low == pytest.approx(2 * 1.96 * np.std(again), rel=0.25)


def test_the_rank_correlation_has_the_interval_of_bonett_and_wright() -> None:
    x = np.arange(40.0)
    y = x + 25 * np.sin(np.arange(40) * 7.0)
    correlation = stats.spearmanr(x, y).statistic
    standard_error = np.sqrt((1 + correlation**2 / 2) / 37)
    expected = np.tanh(stats.norm.interval(0.95, loc=np.arctanh(correlation), scale=standard_error))
    pair = _relation(x, y)
    assert (pair.low, pair.high) == pytest.approx(tuple(expected), abs=1e-6)
    falling = _relation(x, -y)
    assert (falling.low, falling.high, falling.direction) == (pair.low, pair.high, -1)


@pytest.mark.parametrize("kind", ["groups", "categories"])
def test_an_interval_reaches_zero_where_the_test_finds_nothing(kind: str) -> None:
    rng = np.random.default_rng(3)
    draw = CASES["groups, weak" if kind == "groups" else "categories, weak"][0]
    excluded = 0
    for _ in range(60):
        one, other = draw(rng, 60)
        if kind == "groups":
            p = stats.kruskal(*(one[other == group] for group in np.unique(other))).pvalue
        else:
            p = stats.chi2_contingency(pd.crosstab(one, other), correction=False).pvalue
        low = _relation(one, other).low
        assert low is not None
        if not 0.015 < p < 0.035:
            assert (low > 0) == (p < 0.025), p
        excluded += low > 0
    assert 5 < excluded < 55


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(12, 300), st.floats(0, 1), st.integers(2, 9))
def test_the_strength_lies_in_its_interval_which_has_a_width(seed: int, rows: int, share: float, levels: int) -> None:
    rng = np.random.default_rng(seed)
    code = rng.integers(0, levels, rows)
    same = np.where(rng.random(rows) < share, code, rng.integers(0, levels, rows))
    frame = pd.DataFrame({"x": code, "y": same, "a": code, "b": same}).astype({"a": "str", "b": "str"})
    for pair in relate_columns(frame).pairs:
        assert pair.low is not None
        assert pair.high is not None
        assert 0 <= pair.low <= pair.strength <= pair.high <= 1
        assert pair.high - pair.low > 0.5 / rows


def test_one_column_that_determines_the_other_is_not_certain_to() -> None:
    values = np.array(["a", "b", "c", "d"] * 25)
    renamed = np.array(["k", "l", "m", "n"] * 25)
    for one, other, telling in ((values, renamed, 75), (np.arange(100.0), np.arange(100.0) ** 2, 99)):
        pair = _relation(one, other)
        assert pair.strength == pytest.approx(1)
        # None of these rows differs, so at most a few per cent do: the exact binomial interval.
        assert pair.low == pytest.approx(1 - stats.binomtest(0, telling).proportion_ci().high, abs=0.002)
        assert pair.high == 1


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_few_rows_that_differ_from_all_others_say_nothing_certain(rows: int) -> None:
    number = np.array([0.0] * (300 - rows) + [40.0] * rows)
    category = np.where(number > 0, "rare", "usual")
    noise = np.random.default_rng(0).integers(0, 2, 300).astype(str)
    for one, other in ((number, category), (category, np.where(number > 0, noise, "none"))):
        pair = _relation(one, other)
        assert pair.strength > 0.5
        assert pair.low == pytest.approx(0, abs=1e-9)


def test_relations_that_were_stored_without_intervals_are_read() -> None:
    frame = pd.DataFrame({"x": range(40), "y": range(40)})
    stored = relate_columns(frame).to_dict()
    stored["pairs"] = [pair[:6] for pair in stored["pairs"]]
    (pair,) = ColumnRelations.from_dict(stored).pairs
    assert (pair.strength, pair.low, pair.high) == (pytest.approx(1), None, None)
