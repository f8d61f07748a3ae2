"""Friedman's H: none where effects add up, all where a pair acts only together."""

import numpy as np
import pandas as pd
import pytest

from core.explain.deadline import Deadline
from core.explain.explained_model import explained_function
from core.explain.interactions import interactions

NAMES = ["a", "b", "c"]


def measure(function, rows=80, outputs=1, seconds=60.0, frame=None):
    if frame is None:
        frame = pd.DataFrame(np.random.default_rng(0).choice([-1.0, 1.0], (rows, 3)), columns=NAMES)
        frame = pd.concat([frame, -frame], ignore_index=True)  # every mean is exactly 0
    model = explained_function(function, NAMES, list(range(outputs)))
    X = model.encode(frame)
    return interactions(model, model.outputs, X, NAMES, deadline=Deadline.after(seconds), seed=0)


def of(table, pair):
    return table[(table["first"] + table["second"]) == pair].iloc[0]


def test_effects_that_add_up_are_exactly_zero():
    table, missing = measure(lambda x: np.exp(x["a"]) - x["b"] ** 3 + np.sin(x["c"]))
    assert missing == []
    assert (table[["h", "strength", "low", "high"]] == 0).all(axis=None)
    assert len(table) == 3


def test_a_pure_product_is_all_interaction():
    table, _ = measure(lambda x: 2 * x["a"] * x["b"])
    first = table.iloc[0]
    assert (first["first"], first["second"], first["n"]) == ("a", "b", 160)
    assert first["h"] == pytest.approx(1, abs=0.02)
    assert first["strength"] == pytest.approx(2, rel=0.05)
    assert first["low"] <= first["strength"] <= first["high"]
    assert of(table, "ac")["strength"] == pytest.approx(0, abs=0.3)


def test_h_is_the_share_that_friedman_and_popescu_define():
    """y = a + b + ab of independent signs: the pair's variance is 3, of which 1 is not the sum."""
    frame = pd.DataFrame([(i, j, k) for i in (-1.0, 1.0) for j in (-1.0, 1.0) for k in (-1.0, 1.0)], columns=NAMES)
    table, _ = measure(lambda x: x["a"] + x["b"] + x["a"] * x["b"], frame=pd.concat([frame] * 5, ignore_index=True))
    pair = of(table, "ab")
    assert pair["h"] == pytest.approx(np.sqrt(1 / 3))
    assert pair["strength"] == pytest.approx(1)
    assert of(table, "ac")["strength"] == pytest.approx(0, abs=1e-9)


def test_classes_count_together():
    def function(x):
        return np.column_stack([x["a"] * x["b"], -x["a"] * x["b"]])

    one, _ = measure(lambda x: x["a"] * x["b"])
    two, _ = measure(function, outputs=2)
    assert two["strength"].iloc[0] == pytest.approx(np.sqrt(2) * one["strength"].iloc[0])
    assert two["h"].iloc[0] == pytest.approx(one["h"].iloc[0])


def test_pairs_without_time_are_named():
    table, missing = measure(lambda x: x["a"], seconds=0)
    assert table.empty
    assert missing == ["a × b", "a × c", "b × c"]
