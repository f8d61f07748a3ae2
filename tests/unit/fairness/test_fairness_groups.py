"""Groups: labels of every type, missing ones, intersections, numbers in bins."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError, PlumblineError
from core.fairness import bin_numbers, label_text
from core.fairness.metrics.groups import MAX_GROUPS, group_rows

TODAY = datetime.date(2024, 1, 2)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (["b", "a", "b"], ["a", "b"]),
        ([10, 9, 10], [9, 10]),
        ([2.5, -1.0, 2.5], [-1.0, 2.5]),
        ([True, False, True], [False, True]),
        (np.array(["b", "a"]), ["a", "b"]),
        (np.array([[2], [1]]), [1, 2]),
        (pd.Series(["b", None, "a"]), ["a", "b", "(missing)"]),
        (pd.Series([True, None], dtype=object), [True, "(missing)"]),
        (pd.Series([2, None], dtype="Int64"), [2, "(missing)"]),
        (pd.Series([1.0, np.nan]), [1.0, "(missing)"]),
        (pd.Categorical(["low", "high", None], ["low", "mid", "high"], ordered=True), ["low", "high", "(missing)"]),
        ([TODAY, None], [TODAY, "(missing)"]),
        (["a", 2, "b", 1], [1, 2, "a", "b"]),
        ([1, "1", 1.0], [1]),
        (["(missing)", None, np.nan], ["(missing)"]),
        ([None, None], ["(missing)"]),
        ([["a", 1], ["b", 1]], [("a", 1), ("b", 1)]),
        ({"x": ["a", "b"], "y": [None, 1]}, [("a", "(missing)"), ("b", 1.0)]),
    ],
)
def test_labels_are_sorted_and_missing_comes_last(values, labels):
    assert group_rows(values).labels.tolist() == labels


@given(st.lists(st.one_of(st.none(), st.integers(-3, 3), st.text("ab", max_size=2), st.booleans()), min_size=1))
@settings(max_examples=50, deadline=None)
def test_each_row_is_in_the_group_of_its_label(values):
    grouping = group_rows(pd.Series(values, dtype=object))
    assert len(set(map(label_text, grouping.labels))) == len(grouping)
    assert np.bincount(grouping.codes, minlength=len(grouping)).min() > 0
    for value, code in zip(values, grouping.codes, strict=True):
        # True is 1 to a hash, whichever comes first.
        same = {label_text(value), label_text(int(value)) if isinstance(value, bool) else label_text(value)}
        same |= {label_text(bool(value))} if value in (0, 1) and not isinstance(value, str) else set()
        assert label_text(grouping.labels[code]) in same


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (1, "1"),
        (1.0, "1"),
        (np.float64(1), "1"),
        ("1", "1"),
        (1.5, "1.5"),
        (-0.0, "0"),
        (True, "True"),
        (None, "(missing)"),
        (float("nan"), "(missing)"),
        (pd.NA, "(missing)"),
        (pd.NaT, "(missing)"),
        (("a", None, 2.0), "a, (missing), 2"),
        (np.int8(3), "3"),
        ("", ""),
        (TODAY, "2024-01-02"),
        (float("inf"), "inf"),
    ],
)
def test_labels_read_the_same_whatever_their_type(label, text):
    assert label_text(label) == text


def test_intersections_are_those_that_have_rows():
    frame = pd.DataFrame({"sex": ["F", "M", "F", "M"], "age": [30, 30, 40, 30]})
    grouping = group_rows(frame)
    assert grouping.labels.tolist() == [("F", 30), ("F", 40), ("M", 30)]
    assert grouping.labels.names == ["sex", "age"]
    assert grouping.codes.tolist() == [0, 2, 1, 2]
    assert grouping.levels[0].tolist() == [0, 0, 0]


def test_control_features_come_first():
    grouping = group_rows(["a", "b", "a", "a"], pd.Series(["x", "x", "y", None], name="dept"))
    assert grouping.labels.names == ["dept", "sensitive_feature_0"]
    assert grouping.labels.tolist() == [("x", "a"), ("x", "b"), ("y", "a"), ("(missing)", "a")]
    codes, levels = grouping.levels
    assert codes.tolist() == [0, 0, 1, 2]
    assert levels.tolist() == ["x", "y", "(missing)"]


def test_columns_without_a_name_get_one():
    assert group_rows(pd.Series(["a"])).labels.names == ["sensitive_feature_0"]
    assert group_rows(pd.Series(["a"], name=0)).labels.names == ["0"]
    assert group_rows(np.array([["a", "b"]])).labels.names == ["sensitive_feature_0", "sensitive_feature_1"]


def test_an_index_does_not_move_rows():
    series = pd.Series(["a", "b", "c"], index=[7, 3, 7])
    assert group_rows({"x": series, "y": ["u", "v", "u"]}).codes.tolist() == [0, 1, 2]


@pytest.mark.parametrize("columns", [1, 2, 4])
def test_many_columns_give_the_same_groups_as_pandas(columns):
    random = np.random.default_rng(columns)
    frame = pd.DataFrame({name: random.choice(list("uvwxyz")[: 6 - columns], 500) for name in "abcd"[:columns]})
    grouping = group_rows(frame)
    expected = frame.groupby(list(frame.columns)).ngroup()
    assert grouping.codes.tolist() == expected.tolist()


def test_as_many_groups_as_can_be_compared():
    assert len(group_rows(np.arange(MAX_GROUPS))) == MAX_GROUPS
    for values in (
        np.arange(MAX_GROUPS + 1),
        np.arange(MAX_GROUPS * 20),
        np.arange(6000).reshape(-1, 2),
        {str(i): np.arange(9000) for i in range(5)},
    ):
        with pytest.raises(InputError, match="groups") as refused:
            group_rows(values)
        assert refused.value.hint


@pytest.mark.parametrize("values", [[0, 0, 5838586], [0, 0, 0, 1234567.8], [-5838586, 0, 0], [0.12345678, 0.12345679]])
def test_rounded_edges_still_separate(values):
    """An edge that is rounded up past the largest number, or down to the smallest, would make one group."""
    assert bin_numbers(values, 2).nunique() == 2


@given(st.lists(st.one_of(st.floats(-1e9, 1e9), st.integers(-3, 3), st.none()), min_size=1), st.integers(2, 6))
@settings(max_examples=50, deadline=None)
def test_bins_are_at_most_so_many_and_in_order(values, bins):
    numbers = pd.Series(values, dtype=float)
    binned = bin_numbers(numbers, bins)
    assert binned.isna().equals(numbers.isna())
    assert binned.nunique() <= bins
    assert binned.cat.ordered
    if numbers.nunique() > 1:
        assert binned.nunique() > 1
    ranges = numbers.groupby(binned.cat.codes).agg(["min", "max"]).drop(index=-1, errors="ignore")
    assert (ranges["max"].to_numpy()[:-1] < ranges["min"].to_numpy()[1:]).all()


def test_bins_by_quantiles_are_of_about_equal_size():
    bins = bin_numbers(np.random.default_rng(0).normal(size=1000), 4)
    assert bins.value_counts().tolist() == [250] * 4


def test_edges_keep_their_names_whatever_the_rows():
    assert bin_numbers([30, 40, 50], [25]).tolist() == ["25 and above"] * 3
    assert bin_numbers([30, 70], [25, 60]).tolist() == ["25 to 60", "60 and above"]
    assert bin_numbers([1, 2], [25, 60]).tolist() == ["below 25"] * 2
    assert bin_numbers([24.9, 25, None], (60, 25)).tolist() == ["below 25", "25 to 60", np.nan]


def test_most_rows_at_one_value_are_one_group():
    assert bin_numbers([0] * 50 + list(range(1, 10))).value_counts().to_dict() == {"below 1": 50, "1 and above": 9}


def test_one_value_is_one_group():
    assert bin_numbers([5, 5, None]).tolist() == ["5", "5", np.nan]
    assert bin_numbers(pd.Series([5, 5], name="age")).name == "age"
    assert bin_numbers([None, None]).isna().all()


def test_names_of_close_edges_differ():
    bins = bin_numbers(1e6 + np.arange(8) / 1000, 4)
    assert bins.nunique() == 4


@pytest.mark.parametrize(("values", "bins"), [(["a", "b"], 4), ([1, 2], 1), ([1, 2], 0)])
def test_what_makes_no_bins_is_refused(values, bins):
    with pytest.raises(PlumblineError) as refused:
        bin_numbers(values, bins)
    assert refused.value.hint
