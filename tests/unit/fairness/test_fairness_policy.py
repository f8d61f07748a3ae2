"""Policies: stored and read without loss, decisions that are the row's own, groups that are known."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.edge.portable.rules import Rules
from core.errors import InputError
from core.fairness import ThresholdPolicy, bin_numbers, group_metrics, optimize_thresholds, score_table

POLICY = ThresholdPolicy({"a": ((0.5, 1.0),), "b": ((0.4, 0.3), (math.inf, 0.7)), "c": ((-math.inf, 1.0),)}, ("g",))


def with_shares(thresholds):
    """Return a rule of these thresholds, with probabilities that add up to 1."""
    return tuple((threshold, 1 / len(thresholds)) for threshold in thresholds)


RULES = st.dictionaries(
    st.text(min_size=1),
    st.lists(st.floats(allow_nan=False), min_size=1, max_size=4).map(with_shares),
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
    policy = optimize_thresholds(
        y, score, group, min_group_size=0, constraint=constraint, objective="cost", costs={"fp": 2}
    )
    read = ThresholdPolicy.from_dict(json.loads(json.dumps(policy.to_dict(), allow_nan=False)))
    assert read == policy
    assert (read.predict(score, group, row_ids=range(90)) == policy.predict(score, group, row_ids=range(90))).all()
    assert policy.settings["constraint"] == constraint


@pytest.mark.parametrize("stored", [{}, {"kind": "model"}, {"kind": "threshold policy", "version": 2}])
def test_what_is_no_policy_is_refused(stored):
    with pytest.raises(InputError) as refused:
        ThresholdPolicy.from_dict(stored)
    assert refused.value.hint


def stored(**changes):
    """Return a stored policy with a rule of group "a", changed."""
    rule = [{"threshold": 0.5, "probability": 1.0}]
    return {"kind": "threshold policy", "version": 1, "columns": ["g"], "rules": {"a": rule}} | changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rules": {}}, "has no rules"),
        ({"rules": {"a": []}}, "rule of the group 'a' is empty"),
        ({"rules": {"a": [{"threshold": 0.5, "probability": -3}]}}, "probability -3"),
        ({"rules": {"a": [{"threshold": 0.5, "probability": math.nan}]}}, "probability nan"),
        ({"rules": {"a": [{"threshold": 0.5, "probability": 0.5}]}}, "have the sum 0.5"),
        ({"rules": {"a": [{"threshold": 0.5, "probability": 1}, {"threshold": 0.6, "probability": 1}]}}, "the sum 2"),
        ({"rules": {"a": [{"threshold": math.nan, "probability": 1}]}}, "'a' is NaN"),
        ({"settings": {"costs": {"false_positive": math.inf}}}, "costs.false_positive"),
        ({"settings": {"tolerance": math.nan}}, "tolerance"),
        ({"bins": {"g": [{"name": "x", "low": None, "high": 1.0}]}}, "do not follow each other: x"),
        ({"bins": {"g": [{"name": "x", "low": None, "high": None}, {"name": "y", "low": 5, "high": 1}]}}, "x, y"),
    ],
)
def test_stored_policies_that_do_not_decide_are_refused(changes, message):
    assert ThresholdPolicy.from_dict(stored()).rules == {"a": ((0.5, 1.0),)}
    with pytest.raises(InputError, match=message) as refused:
        ThresholdPolicy.from_dict(stored(**changes))
    assert refused.value.hint


def test_a_policy_that_does_not_decide_cannot_be_made():
    with pytest.raises(InputError, match=r"have the sum 0\.9"):
        ThresholdPolicy({"a": ((0.5, 0.5), (0.6, 0.4))}, ("g",))


def test_policies_of_earlier_versions_decide_as_before():
    """They have no bins and thresholds at scores: a score that differs in its last digits reaches one elsewhere."""
    policy = ThresholdPolicy.from_dict(stored())
    assert (policy.bins, policy.between_scores) == (None, False)
    assert policy.to_dict() == stored() | {"settings": {}, "expected": {}}
    assert Rules(stored()).decide(np.array([0.4999999, 0.49]), ["a", "a"]).tolist() == [1, 0]


def test_columns_are_selected_by_name():
    policy = ThresholdPolicy({"F, 1": ((0.2, 1.0),), "M, 1": ((0.8, 1.0),)}, ("sex", "old"))
    frame = pd.DataFrame({"old": [1, 1], "town": ["x", "y"], "sex": ["F", "M"]})
    for features in (frame, frame[["sex", "old"]], dict(frame.items()), frame.to_dict("list")):
        assert policy.predict([0.5, 0.5], features).tolist() == [1, 0]
    assert policy.predict([0.5, 0.5], [["F", 1], ["M", 1]]).tolist() == [1, 0]
    single = ThresholdPolicy({"F": ((0.2, 1.0),), "M": ((0.8, 1.0),)}, ("sex",))
    assert single.predict([0.5, 0.5], frame).tolist() == single.predict([0.5, 0.5], frame["sex"]).tolist() == [1, 0]
    assert single.predict([0.5, 0.5], frame["sex"].to_numpy()).tolist() == [1, 0]


@pytest.mark.parametrize(
    "features",
    [
        pd.DataFrame({"gender": ["F"], "old": [1]}),
        {"sex": ["F"]},
        pd.Series(["F"], name="town"),
        pd.DataFrame([["F", "F", 1]], columns=["sex", "sex", "old"]),
    ],
    ids=["another name", "one of two", "another column", "twice"],
)
def test_absent_columns_are_named(features):
    policy = ThresholdPolicy({"F, 1": ((0.2, 1.0),)}, ("sex", "old"))
    with pytest.raises(InputError, match=r"sex|old") as refused:
        policy.predict([0.5], features)
    assert refused.value.hint


def test_columns_without_names_are_taken_in_their_order():
    y, score = [0, 1, 0, 1], [0.1, 0.9, 0.4, 0.8]
    policy = optimize_thresholds(y, score, list("aabb"), min_group_size=0)
    named = pd.DataFrame({"sex": list("aabb")})
    assert policy.predict(score, named["sex"]).tolist() == policy.predict(score, named).tolist() == y


def test_a_policy_finds_the_bin_of_a_number_exactly():
    random = np.random.default_rng(0)
    ages = pd.Series(random.uniform(1e6, 1e6 + 1, 4000), name="age")  # edges have more digits than are read
    edges = np.quantile(ages, [0.3, 0.6])
    y, score = random.integers(0, 2, 4000), random.random(4000)
    groups = bin_numbers(ages, edges)
    policy = optimize_thresholds(y, score, groups, randomized=False)
    assert [item.high for item in policy.bins["age"]] == [*np.sort(edges), np.inf]
    read = ThresholdPolicy.from_dict(json.loads(json.dumps(policy.to_dict(), allow_nan=False)))
    assert read == policy
    expected = policy.predict(score, groups).tolist()
    for numbers in (ages, ages.to_frame(), ages.to_numpy(), ages.tolist()):
        assert read.predict(score, numbers).tolist() == expected
    names = Rules(policy.to_dict()).names.of_values([ages.tolist()])
    assert names == groups.tolist()
    assert Rules(policy.to_dict()).decide(score, names).tolist() == expected


def test_bins_are_kept_beside_other_columns_and_without_rows():
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"sex": random.choice(["f", "m"], 300), "age": random.choice([20, 35.0, None], 300)})
    groups = frame.assign(age=bin_numbers(frame["age"], [25, 30, 60]))
    policy = optimize_thresholds(random.integers(0, 2, 300), random.random(300), groups)
    assert [item.name for item in policy.bins["age"]] == ["below 25", "25 to 30", "30 to 60", "60 and above"]
    assert "sex" not in policy.bins
    assert policy.expected_rate([0.5] * 300, frame).tolist() == policy.expected_rate([0.5] * 300, groups).tolist()


def test_texts_that_read_like_bins_are_texts():
    groups = ["below 25", "25 and above"] * 20
    policy = optimize_thresholds(
        [0, 1] * 20, np.arange(40) / 40, pd.Series(groups, name="band"), min_group_size=0, randomized=False
    )
    assert policy.bins == {}
    names = Rules(json.loads(json.dumps(policy.to_dict()))).names
    assert names.known("band") == ("25 and above", "below 25")
    assert names.of_values([["below 25", "30", 30.0]]) == ["below 25", "30", "30"]
    assert names.of_cells({"band": ["below 25", "30"]}) == ["below 25", "30"]


@pytest.mark.parametrize(
    "groups",
    [
        pd.cut(np.arange(40) % 30, [0, 10, 20, 30], right=False),
        pd.cut(np.arange(40) % 30, 3),
        pd.Series(pd.to_datetime(["2024-01-01", "2024-06-01"] * 20)),
        pd.cut(pd.Series(pd.date_range("2024-01-01", periods=40)), 2),
        pd.Series(pd.period_range("2024-01", periods=2, freq="M").tolist() * 20),
    ],
    ids=["intervals", "equal intervals", "timestamps", "intervals of time", "periods"],
)
def test_groups_of_any_type_can_be_stored(groups):
    y, score = np.tile([0, 1], 20), np.arange(40) / 40
    policy = optimize_thresholds(y, score, groups, min_group_size=0, constraint="demographic_parity")
    read = ThresholdPolicy.from_dict(json.loads(json.dumps(policy.to_dict(), allow_nan=False)))
    assert read == policy
    assert read.expected_rate(score, groups).tolist() == policy.expected_rate(score, groups).tolist()
    text = json.dumps(group_metrics(y, (score > 0.5).astype(int), groups).to_dict(), allow_nan=False)
    assert next(iter(policy.rules)) in text


def test_categories_without_rows_are_no_groups():
    column = pd.Categorical.from_codes([5, 19_000, -1] * 20, categories=[f"level {i}" for i in range(20_000)])
    policy = optimize_thresholds([0, 1, 1] * 20, np.arange(60) / 60, column, min_group_size=0)
    assert list(policy.rules) == ["level 5", "level 19000", "(missing)"]
    assert len(group_metrics([0, 1, 1] * 20, [0, 1, 0] * 20, column).by_group) == 3


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
        optimize_thresholds([0, 1, 1, 0] * 2, np.arange(8) / 8, frame, min_group_size=0)
    assert refused.value.hint


def test_scores_that_are_no_numbers_are_refused():
    for score in ([math.nan], [math.inf], ["high"]):
        with pytest.raises(InputError):
            POLICY.expected_rate(score, ["a"])
    with pytest.raises(InputError, match="has 2 rows"):
        POLICY.expected_rate([0.5], ["a", "b"])
