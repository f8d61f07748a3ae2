"""Policies: stored and read without loss, decisions that are the row's own, groups that are known."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.fairness import ThresholdPolicy, optimize_thresholds, score_table

POLICY = ThresholdPolicy({"a": ((0.5, 1.0),), "b": ((0.4, 0.3), (math.inf, 0.7)), "c": ((-math.inf, 1.0),)}, ("g",))
RULES = st.dictionaries(
    st.text(min_size=1),
    st.lists(st.tuples(st.floats(allow_nan=False), st.floats(0, 1)), min_size=1, max_size=4).map(tuple),
    min_size=1,
)


@given(RULES)
@settings(max_examples=50, deadline=None)
def test_json_loses_nothing(rules):
    policy = ThresholdPolicy(rules, ("x", "y"), {"tolerance": 0.1}, {"objective": 0.5})
    text = json.dumps(policy.to_dict(), allow_nan=False)
    assert ThresholdPolicy.from_dict(json.loads(text)) == policy


def test_unbounded_thresholds_are_words():
    rules = POLICY.to_dict()["rules"]
    assert rules["b"] == [{"threshold": 0.4, "probability": 0.3}, {"threshold": "never", "probability": 0.7}]
    assert rules["c"] == [{"threshold": "always", "probability": 1.0}]


@pytest.mark.parametrize("constraint", ["demographic_parity", "equalized_odds", "true_positive_rate_parity"])
def test_fitted_policies_can_be_stored(constraint):
    random = np.random.default_rng(0)
    y, score, group = random.integers(0, 2, 90), random.random(90), random.choice(["x", None, "z"], 90)
    policy = optimize_thresholds(y, score, group, constraint=constraint, objective="cost", costs={"fp": 2})
    read = ThresholdPolicy.from_dict(json.loads(json.dumps(policy.to_dict(), allow_nan=False)))
    assert read == policy
    assert (read.predict(score, group, row_ids=range(90)) == policy.predict(score, group, row_ids=range(90))).all()
    assert policy.settings["constraint"] == constraint


@pytest.mark.parametrize("stored", [{}, {"kind": "model"}, {"kind": "threshold policy", "version": 2}])
def test_what_is_no_policy_is_refused(stored):
    with pytest.raises(InputError) as refused:
        ThresholdPolicy.from_dict(stored)
    assert refused.value.hint


def test_rates_at_and_beside_a_threshold():
    score = [0.5, math.nextafter(0.5, 0), 0.4, 0.39, -1e300]
    assert POLICY.expected_rate(score, list("aabbc")).tolist() == [1.0, 0.0, 0.3, 0.0, 1.0]


def test_decisions_do_not_depend_on_order_or_company():
    ids = [f"row {i}" for i in range(500)]
    score, group = np.full(500, 0.45), np.full(500, "b")
    first = POLICY.predict(score, group, row_ids=ids)
    order = np.random.default_rng(1).permutation(500)
    assert (POLICY.predict(score, group, row_ids=np.array(ids)[order]) == first[order]).all()
    assert (POLICY.predict(score[:7], group[:7], row_ids=ids[:7]) == first[:7]).all()
    again = ThresholdPolicy.from_dict(POLICY.to_dict())
    assert (again.predict(score, group, row_ids=ids) == first).all()


def test_another_policy_draws_otherwise():
    other = ThresholdPolicy({**POLICY.rules, "a": ((0.6, 1.0),)}, ("g",))
    ids, score, group = range(500), np.full(500, 0.45), np.full(500, "b")
    assert (other.predict(score, group, row_ids=ids) != POLICY.predict(score, group, row_ids=ids)).any()


def test_as_many_are_selected_as_expected():
    score, group = np.full(20_000, 0.45), np.full(20_000, "b")
    for drawn in ({"row_ids": range(20_000)}, {"random_state": 3}):
        assert POLICY.predict(score, group, **drawn).mean() == pytest.approx(0.3, abs=4 * math.sqrt(0.21 / 20_000))
    assert POLICY.predict(score[:5], ["a", "a", "c", "c", "c"], random_state=0).tolist() == [0, 0, 1, 1, 1]


def test_a_seed_repeats_decisions():
    score, group = np.full(100, 0.45), np.full(100, "b")
    assert (POLICY.predict(score, group, random_state=5) == POLICY.predict(score, group, random_state=5)).all()
    assert (POLICY.predict(score, group, random_state=5) != POLICY.predict(score, group, random_state=6)).any()


@pytest.mark.parametrize("ids", [[1, 2, 2], [1, 2, "1"], [1, 1.0, 2], [1, 2], [1, 2, 3, 4]])
def test_ids_that_are_not_one_a_row_are_refused(ids):
    with pytest.raises(InputError, match="ids") as refused:
        POLICY.predict([0.1, 0.5, 0.9], ["b"] * 3, row_ids=ids)
    assert refused.value.hint


def test_a_drawing_policy_needs_ids_or_a_seed():
    with pytest.raises(InputError, match="draws some decisions at random") as refused:
        POLICY.predict([0.5], ["b"])
    assert "row_ids" in refused.value.hint


def test_a_policy_of_single_thresholds_needs_neither():
    policy = ThresholdPolicy({"a": ((0.5, 1.0),), "b": ((math.inf, 1.0),)}, ("g",))
    assert not policy.randomized
    assert policy.predict([0.5, 0.4, 9.0], ["a", "a", "b"]).tolist() == [1, 0, 0]


def test_unknown_groups_are_named_and_counted():
    with pytest.raises(InputError, match=r"^3 rows belong to groups that the policy does not know: d, \(missing\)"):
        POLICY.expected_rate([0.5] * 4, ["a", "d", "d", None])
    with pytest.raises(InputError, match="no rule for the group 'd'"):
        POLICY.rule_of("d")
    with pytest.raises(InputError, match="no rule for the group 'z'"):
        score_table([0, 1], [0.1, 0.9], ["a", "z"]).under(POLICY)


@pytest.mark.parametrize(
    "labels",
    [
        [1, 2],
        ["1", "2"],
        [1.0, 2.0],
        np.array([1, 2], dtype=object),
        pd.Series([1, 2], dtype="category"),
        pd.Series([1, 2], dtype="Int64"),
    ],
)
def test_labels_match_whatever_their_type(labels):
    policy = ThresholdPolicy({"1": ((0.5, 1.0),), "2": ((0.1, 1.0),)}, ("g",))
    assert policy.expected_rate([0.3, 0.3], labels).tolist() == [0.0, 1.0]


def test_missing_is_a_group_of_a_policy():
    policy = ThresholdPolicy({"a": ((0.5, 1.0),), "(missing)": ((0.1, 1.0),)}, ("g",))
    for missing in (None, np.nan, pd.NA, "(missing)"):
        assert policy.expected_rate([0.3, 0.3], pd.Series(["a", missing], dtype=object)).tolist() == [0.0, 1.0]


def test_intersections_keep_the_order_of_the_columns():
    random = np.random.default_rng(2)
    frame = pd.DataFrame({"sex": random.choice(["F", "M"], 200), "old": random.choice([0, 1], 200)})
    y, score = random.integers(0, 2, 200), random.random(200)
    policy = optimize_thresholds(y, score, frame)
    assert policy.columns == ("sex", "old")
    assert set(policy.rules) == {"F, 0", "F, 1", "M, 0", "M, 1"}
    assert policy.expected_rate(score, frame).mean() == pytest.approx(
        policy.expected["by_group"]["F, 0"]["selection_rate"]
    )


def test_groups_that_read_the_same_are_refused():
    frame = pd.DataFrame({"x": ["a, b", "a"] * 4, "y": ["c", "b, c"] * 4})
    with pytest.raises(InputError, match="Several groups read 'a, b, c'") as refused:
        optimize_thresholds([0, 1, 1, 0] * 2, np.arange(8) / 8, frame)
    assert refused.value.hint


def test_scores_that_are_no_numbers_are_refused():
    for score in ([math.nan], [math.inf], ["high"]):
        with pytest.raises(InputError):
            POLICY.expected_rate(score, ["a"])
    with pytest.raises(InputError, match="has 2 rows"):
        POLICY.expected_rate([0.5], ["a", "b"])
