"""Search spaces: a grid is all combinations, and draws follow SciPy's distributions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from core.errors import SettingsError
from core.pipelines.running.search_space import grid, random_draws


def test_a_grid_has_every_combination_once() -> None:
    space = {"a": {"type": "choice", "values": [1, 2]}, "b": {"type": "choice", "values": ["x", "y", "z"]}}
    assert [tuple(values.values()) for values in grid(space)] == list(itertools.product([1, 2], ["x", "y", "z"]))


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"type": "uniform", "min_value": -1, "max_value": 3}, stats.uniform(-1, 4)),
        ({"type": "loguniform", "min_value": -6, "max_value": -1}, stats.loguniform(np.exp(-6), np.exp(-1))),
        ({"type": "normal", "mu": 2, "sigma": 0.5}, stats.norm(2, 0.5)),
        ({"type": "lognormal", "mu": 0, "sigma": 1}, stats.lognorm(1)),
    ],
)
def test_draws_follow_their_distribution(record: dict, expected: stats.rv_frozen) -> None:
    values = [draw["x"] for draw in itertools.islice(random_draws({"x": record}, 1), 2_000)]
    assert stats.kstest(values, expected.cdf).pvalue > 0.01


@pytest.mark.parametrize("kind", ["quniform", "qnormal", "qloguniform", "qlognormal"])
def test_rounded_draws_are_multiples(kind: str) -> None:
    bounds = {"min_value": 0, "max_value": 2} if "uniform" in kind else {"mu": 0, "sigma": 1}
    draws = itertools.islice(random_draws({"x": {"type": kind, "q": 0.25, **bounds}}, 0), 50)
    assert all(draw["x"] % 0.25 == 0 for draw in draws)


def test_integers_and_choices_are_all_drawn() -> None:
    space = {"n": {"type": "randint", "upper": 3}, "c": {"type": "choice", "values": ["a", "b"]}}
    draws = list(itertools.islice(random_draws(space, 0), 60))
    assert {draw["n"] for draw in draws} == {0, 1, 2}
    assert {draw["c"] for draw in draws} == {"a", "b"}
    assert draws == list(itertools.islice(random_draws(space, 0), 60)), "the same seed, the same draws"


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ({"x": {"type": "uniforn", "min_value": 0}}, "has the type 'uniforn'. Did you mean 'uniform'"),
        ({"x": 3}, "has the type '3'"),
        ({"x": {"type": "choice", "values": []}}, "choices of 'x' are empty"),
        ({"x": {"type": "uniform", "min_value": 0, "max_value": 1}}, "A grid needs choices, and 'x' is of"),
    ],
)
def test_a_space_that_cannot_be_used_is_named(space: dict, said: str) -> None:
    with pytest.raises(SettingsError) as raised:
        list(grid(space))
    assert said in str(raised.value)
