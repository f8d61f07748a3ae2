"""Counterfactuals: the nearest where it is known, only in columns that may change, and an honest "none"."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.explain import Goal, counterfactuals
from tests.unit.edge.edge_models import fitted, odd_table


def normal(rows=300, names="abcd", seed=0):
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(rows, len(names))), columns=list(names))


def test_of_one_column_the_nearest_value_beyond_the_threshold_is_found():
    observed = pd.DataFrame({"a": np.arange(41.0), "b": 0.0})
    row = pd.DataFrame({"a": [10.0], "b": [0.0]})
    up = counterfactuals(lambda x: x["a"] + x["b"], row, observed, Goal(low=23), ["a", "b"])
    down = counterfactuals(lambda x: x["a"] + x["b"], row, observed, Goal(high=7), ["a", "b"])
    # 40 values stand for 41: the nearest is at most one further.
    assert up.examples[0].changes["a"][1] in (23, 24)
    assert down.examples[0].changes["a"][1] in (6, 7)
    assert len(up.examples) == 1
    spread = np.median(np.abs(observed["a"] - 20))
    assert up.examples[0].distance == pytest.approx((up.examples[0].changes["a"][1] - 10) / spread)


def test_fewer_changes_come_first_then_the_smaller_ones():
    """Either a alone, or b and c together, or d alone and further away."""
    observed = normal()

    def function(x):
        return np.maximum.reduce([x["a"] > 1, (x["b"] > 0.5) & (x["c"] > 0.5), x["d"] > 2]).astype(float)

    row = pd.DataFrame({"a": [0.0], "b": [0.0], "c": [0.0], "d": [0.0]})
    result = counterfactuals(function, row, observed, Goal(low=0.5), list("abcd"), budget_s=20)
    assert [sorted(example.changes) for example in result.examples] == [["a"], ["d"], ["b", "c"]]
    assert result.examples[0].distance < result.examples[1].distance
    for example in result.examples:
        assert function(example.row)[0] == 1
        assert example.output.tolist() == [1]


def test_a_pair_that_only_works_together_is_found():
    observed = normal()
    row = pd.DataFrame({"a": [-1.0], "b": [-1.0], "c": [0.0], "d": [0.0]})
    result = counterfactuals(
        lambda x: ((x["a"] > 0) & (x["b"] > 0)) * 0.5 + 0.01 * x["c"],
        row,
        observed,
        Goal(low=0.4),
        list("abcd"),
        budget_s=20,
    )
    assert sorted(result.examples[0].changes) == ["a", "b"]


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_only_allowed_columns_change_and_only_to_observed_values(model, data):
    scored, observed = model
    row = observed.iloc[[data.draw(st.integers(0, len(observed) - 1))]].reset_index(drop=True)
    allowed = data.draw(st.lists(st.sampled_from(list(observed.columns)), unique=True))
    goal = data.draw(
        st.sampled_from([Goal(1, low=0.6), Goal(1, high=0.3), Goal(0, low=0.5), Goal(2, most_probable=True)])
    )
    result = counterfactuals(scored, row, observed, goal, allowed, budget_s=0.5, seed=data.draw(st.integers(0, 99)))
    assert len({frozenset(example.changes) for example in result.examples}) == len(result.examples), "distinct columns"
    for example in result.examples:
        assert set(example.changes) <= set(allowed)
        assert 1 <= len(example.changes) <= 4
        same = [name for name in observed.columns if name not in example.changes]
        pd.testing.assert_frame_equal(example.row[same], row[same], check_dtype=False)
        for name, (before, after) in example.changes.items():
            assert after in set(observed[name].dropna())
            assert pd.isna(before) or before != after
        assert goal.gap(scored(example.row))[0] <= 0
        assert scored(example.row)[0] == pytest.approx(example.output)
    assert [len(example.changes) for example in result.examples] == sorted(
        len(example.changes) for example in result.examples
    )


@pytest.fixture(scope="module")
def model():
    observed = odd_table(400)
    return fitted("lgbm", "multiclass", observed, ("a", "b", "c")).predict_proba, observed


def test_no_change_can_be_taken_back(model):
    scored, observed = model
    goal = Goal(2, most_probable=True)
    rows = np.flatnonzero(scored(observed).argmax(axis=1) == 0)[:3]
    some = 0
    for index in rows:
        row = observed.iloc[[index]].reset_index(drop=True)
        for example in counterfactuals(scored, row, observed, goal, list(observed.columns), budget_s=20).examples:
            some += 1
            assert scored(example.row).argmax() == 2
            for name in example.changes if len(example.changes) > 1 else ():
                assert goal.gap(scored(example.row.assign(**{name: row[name].array})))[0] > 0
    assert some >= 3


def test_a_number_is_brought_into_a_range():
    observed = odd_table(400)
    model = fitted("rf", "regression", observed)
    row = observed.iloc[[int(model.predict(observed).argmin())]]
    result = counterfactuals(model.predict, row, observed, Goal(low=200, high=220), ["a b", "大小", "a-b"], budget_s=20)
    assert result.examples
    for example in result.examples:
        assert 200 <= model.predict(example.row)[0] <= 220


def test_none_is_said_with_how_near_it_came():
    observed = normal()
    result = counterfactuals(lambda x: x["a"], observed.iloc[[0]], observed, Goal(low=100), ["a", "b"], budget_s=5)
    assert result.examples == []
    nearest = observed["a"].max()
    assert f"The nearest gives {nearest:.3g}, the row itself {observed['a'][0]:.3g}" in result.message
    assert result.message.startswith(f"None found among {result.tried - 1:,} rows that change a, b.")


def test_nothing_to_change_and_nothing_to_do_are_told_apart():
    observed = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "x"]})
    row = observed.iloc[[0]]
    assert "no column that may change" in counterfactuals(lambda x: x["a"], row, observed, Goal(low=2), ["b"]).message
    assert "no column that may change" in counterfactuals(lambda x: x["a"], row, observed, Goal(low=2), []).message
    assert "already" in counterfactuals(lambda x: x["a"], row, observed, Goal(low=1), ["a"]).message


def test_the_budget_ends_a_slow_search_with_what_it_has():
    calls = []

    def slow(x):
        calls.append(len(x))
        return x["a"] + x["b"]

    observed = normal()
    result = counterfactuals(slow, observed.iloc[[0]], observed, Goal(low=100), list("abcd"), budget_s=1e-9)
    assert result.examples == []
    assert sum(calls) <= 1 + 2000


def test_a_missing_cell_may_be_filled_and_none_is_emptied():
    observed = pd.DataFrame({"a": [1.0, np.nan, 3.0, 5.0] * 10})
    row = pd.DataFrame({"a": [np.nan]})
    result = counterfactuals(lambda x: x["a"].fillna(0), row, observed, Goal(low=4), ["a"])
    assert result.examples[0].changes["a"][1] == 5
    none = counterfactuals(lambda x: x["a"].fillna(9), pd.DataFrame({"a": [1.0]}), observed, Goal(low=8), ["a"])
    assert none.examples == []


def test_ties_go_to_the_first_class_as_in_a_prediction():
    assert Goal(1, most_probable=True).gap(np.array([[0.5, 0.5], [0.4, 0.6]])).tolist() == [1e-12, 0]
    assert Goal(0, most_probable=True).gap(np.array([[0.5, 0.5]])).tolist() == [0]


def test_unknown_columns_are_refused():
    observed = normal()
    with pytest.raises(InputError, match="no column 'z'"):
        counterfactuals(lambda x: x["a"], observed.iloc[[0]], observed, Goal(low=1), ["z"])
    with pytest.raises(InputError, match="The table has 300 rows"):
        counterfactuals(lambda x: x["a"], observed, observed, Goal(low=1), ["a"])
