"""TableEncoder: every kind of column, odd values, tables to predict that differ from training, and no leak."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from core.automl import AutoMLSettings, prepare
from core.datasets import load_sample
from core.errors import InputError
from core.features import TableEncoder, plan_columns


def encoded(train, rows=None):
    """The encoded rows as a table with the names of the features."""
    encoder = TableEncoder().fit(train)
    return pd.DataFrame(encoder.transform(train if rows is None else rows), columns=encoder.get_feature_names_out())


def planned_kinds(frame):
    return {item.name: item.kind for item in plan_columns(frame)}


def test_missing_number_becomes_the_training_median_with_a_flag():
    train = pd.DataFrame({"a": [1.0, 2.0, np.nan, 9.0], "b": [1, 2, 3, 5]})
    result = encoded(train, pd.DataFrame({"a": [np.nan, 4.0], "b": [7, np.nan]}))
    assert result["a"].tolist() == [2, 4]
    assert result["missingindicator_a"].tolist() == [1, 0]
    assert result["b"].tolist() == [7, 2.5]
    assert list(result) == ["a", "b", "missingindicator_a"], "no flag where training had nothing missing"


def test_category_gets_a_column_a_value_and_unseen_ones_none():
    train = pd.DataFrame({"c": ["red", "blue", None, "red"]})
    result = encoded(train, pd.DataFrame({"c": ["red", "green", None]}))
    assert result["c_red"].tolist() == [1, 0, 0]
    assert result["c_blue"].tolist() == [0, 0, 0]
    assert result["c_(missing)"].tolist() == [0, 0, 1]


def test_missing_category_that_training_never_had_is_unseen():
    assert encoded(pd.DataFrame({"c": list("abab")}), pd.DataFrame({"c": [None]})).to_numpy().tolist() == [[0, 0]]


def test_high_cardinality_is_ranked_by_frequency():
    values = [f"v{number:02}" for number in range(30) for _ in range(number + 1)]
    train = pd.DataFrame({"c": values})
    result = encoded(train, pd.DataFrame({"c": ["v29", "v28", "v00", "new", None]}))
    assert result.shape[1] == 1
    assert result.iloc[:, 0].tolist() == [0, 1, 29, -1, -1]


def test_features_do_not_grow_with_the_number_of_categories():
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"c": random.choice([f"v{number}" for number in range(400)], 2000)})
    assert encoded(frame).shape[1] == 1


def test_dates_become_seconds_and_parts():
    train = pd.DataFrame({"d": pd.to_datetime(["2024-02-29 13:00", "2023-01-01 00:00", None])})
    result = encoded(train)
    # Seconds since 1970 have ten digits, float32 has seven: they are centered.
    assert result["d: epoch"].iloc[0] - result["d: epoch"].iloc[1] == 1_709_211_600 - 1_672_531_200
    assert result.loc[0, ["d: year", "d: month", "d: day", "d: day_of_week", "d: hour"]].tolist() == [
        2024,
        2,
        29,
        3,
        13,
    ]
    assert result["missingindicator_d: year"].tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    "dates", [["2024-02-29T13:00:00", "nonsense"], pd.to_datetime(["2024-02-29T14:00:00+01:00", None], utc=True)]
)
def test_dates_to_predict_may_be_text_or_have_a_zone(dates):
    train = pd.DataFrame({"d": pd.to_datetime(["2024-02-29 13:00", "2023-01-01 00:00", None])})
    expected = encoded(train, train.iloc[[0, 2]])
    assert encoded(train, pd.DataFrame({"d": dates})).equals(expected)


@pytest.mark.parametrize("dtype", [bool, "boolean"])
def test_booleans_are_zero_and_one(dtype):
    train = pd.DataFrame({"b": pd.Series([True, False, True], dtype=dtype)})
    assert encoded(train)["b"].tolist() == [1, 0, 1]


def test_nullable_numbers_and_booleans_may_be_missing():
    train = pd.DataFrame({"i": pd.array([1, None, 4], "Int64"), "b": pd.array([True, None, True], "boolean")})
    result = encoded(train)
    assert result["i"].tolist() == [1, 2.5, 4]
    assert result["b"].tolist() == [1, 1, 1]
    assert result["missingindicator_b"].tolist() == [0, 1, 0]


def test_infinite_and_huge_numbers_are_missing():
    train = pd.DataFrame({"a": [1.0, np.inf, 3.0, -np.inf, 2.0, 1e300]})
    result = encoded(train)
    assert result["a"].tolist() == [1, 2, 3, 2, 2, 2]
    assert result["missingindicator_a"].tolist() == [0, 1, 0, 1, 0, 1]
    assert encoded(train, pd.DataFrame({"a": [-np.inf, 3.5]}))["a"].tolist() == [2, 3.5]


def test_column_of_nothing_but_infinities_is_left_out():
    encoder = TableEncoder().fit(pd.DataFrame({"a": [np.inf, -np.inf, 1e300], "b": [1, 2, 4]}))
    assert encoder.columns_ == ["b"]
    assert "'a' is left out" in encoder.findings()[0].message


def test_what_says_nothing_is_left_out_and_said_to_be():
    """Constants, empty columns, row numbers and names of rows: each with a finding that names it and why."""
    n = 60
    frame = pd.DataFrame(
        {
            "empty": [None] * n,
            "constant": ["x"] * n,
            "number": range(100, 100 + n),
            "key": [f"id-{hash((7, row))}" for row in range(n)],
            "kept": np.arange(n) % 7,
        }
    )
    encoder = TableEncoder().fit(frame)
    assert encoder.columns_ == ["kept"]
    reasons = {finding.column: finding.message for finding in encoder.findings()}
    assert set(reasons) == {"empty", "constant", "number", "key"}
    for name, reason in {
        "empty": "no values",
        "constant": "one value",
        "number": "numbers the rows",
        "key": "identifies the rows",
    }.items():
        assert f"'{name}'" in reasons[name]
        assert reason in reasons[name]


@pytest.mark.parametrize(
    "numbers",
    [
        np.arange(200),
        np.arange(1, 201),
        np.arange(5_000, 5_200),
        np.arange(0, 2_000, 10),
        np.delete(np.arange(230), np.arange(0, 230, 9)),
        np.arange(200.0),
        -np.arange(200),
    ],
    ids=["from 0", "from 1", "offset", "step 10", "gaps", "floats", "down"],
)
@pytest.mark.parametrize("share", [1.0, 0.8, 0.5])
@pytest.mark.parametrize("shuffled", [False, True])
def test_row_numbers_are_left_out_in_any_order_and_in_any_share_of_the_rows(numbers, share, shuffled):
    column = pd.Series(numbers).sample(frac=share, random_state=1)
    column = column if shuffled else column.sort_values()
    frame = pd.DataFrame({"number": column, "kept": np.arange(len(column)) % 7})
    assert TableEncoder().fit(frame).columns_ == ["kept"]


@pytest.mark.parametrize(
    "measure",
    [
        np.sort(np.random.default_rng(0).normal(size=200)),
        np.sort(np.random.default_rng(0).integers(0, 10**6, 200)),
        np.sort(np.random.default_rng(0).integers(20, 90, 200)),
        np.cumsum(np.random.default_rng(0).integers(1, 60, 200)),
        1_709_300_000 + np.cumsum(np.random.default_rng(0).integers(1, 3_600, 200)),
        np.arange(200) ** 2,
    ],
    ids=["reals", "amounts", "ages", "odometer", "moments", "squares"],
)
def test_a_sorted_measure_is_a_feature(measure):
    assert TableEncoder().fit(pd.DataFrame({"measure": measure})).columns_ == ["measure"]


def test_constant_with_gaps_is_kept_for_the_gaps():
    result = encoded(pd.DataFrame({"a": [5.0, np.nan, 5.0]}))
    assert result["missingindicator_a"].tolist() == [0, 1, 0]


def test_measured_numbers_are_kept_though_all_differ():
    frame = pd.DataFrame({"weight": np.random.default_rng(0).normal(size=100), "pay": np.arange(100) ** 2 % 7919})
    assert planned_kinds(frame) == {"weight": "number", "pay": "number"}


def test_order_and_further_columns_of_a_table_do_not_matter():
    frame = load_sample("german_credit").frame
    encoder = TableEncoder().fit(frame)
    shuffled = frame[list(reversed(frame.columns))].assign(more=1, extra="x")
    assert np.array_equal(encoder.transform(shuffled), encoder.transform(frame))


def test_index_of_a_table_does_not_matter():
    frame = load_sample("german_credit").frame
    other = frame.set_index(pd.Index(np.arange(len(frame)) % 3))
    assert np.array_equal(TableEncoder().fit(other).transform(other), TableEncoder().fit(frame).transform(frame))


def test_missing_column_is_named():
    frame = load_sample("german_credit").frame
    encoder = TableEncoder().fit(frame)
    with pytest.raises(InputError, match="has no column 'age', 'job'") as caught:
        encoder.transform(frame.drop(columns=["age", "job"]))
    assert str(len(frame.columns)) in caught.value.hint


def test_text_where_training_had_numbers_is_named():
    encoder = TableEncoder().fit(pd.DataFrame({"age": [1, 2, 4], "b": [1.5, 2.5, 1.5]}))
    with pytest.raises(InputError, match="'age' was numeric"):
        encoder.transform(pd.DataFrame({"age": ["12", "young"], "b": [1, 2]}))
    assert encoder.transform(pd.DataFrame({"age": ["12", None], "b": [1, 2]}))[:, 0].tolist() == [12, 2]


def test_table_without_a_usable_column_says_why():
    with pytest.raises(InputError, match=r"No column is left .*'a': it has only one value; 'b': it has no values"):
        TableEncoder().fit(pd.DataFrame({"a": [1, 1], "b": [None, None]}))


def test_unfitted_encoder_says_so():
    with pytest.raises((NotFittedError, AttributeError)):
        TableEncoder().transform(pd.DataFrame({"a": [1]}))


def test_rows_are_encoded_alone_as_among_others():
    """Nothing of the other rows of a table to predict may change a row's features."""
    frame = load_sample("german_credit").frame.drop(columns="credit")
    encoder = TableEncoder().fit(frame.iloc[:700])
    together = encoder.transform(frame.iloc[700:720])
    alone = np.vstack([encoder.transform(frame.iloc[[row]]) for row in range(700, 720)])
    assert np.array_equal(alone, together)


def test_test_rows_leave_no_trace_in_the_features():
    """Change every test row beyond recognition: encoder, training features and folds stay what they were."""
    frame = load_sample("german_credit").frame
    settings = AutoMLSettings(target="credit", max_trials=2)
    first = prepare(frame, settings)
    other = frame.copy()
    numbers = [name for name in frame.columns if frame[name].dtype.kind == "i"]
    other.loc[first.test_rows, numbers] = 10**6
    other.loc[first.test_rows, "purpose"] = "something never heard of"
    second = prepare(other, settings)
    assert np.array_equal(first.test_rows, second.test_rows)
    assert np.array_equal(first.data.X, second.data.X)
    assert not np.array_equal(first.X_test, second.X_test)
    assert list(first.encoder.get_feature_names_out()) == list(second.encoder.get_feature_names_out())
    expected = frame["duration_months"].iloc[first.train_rows].to_numpy()
    assert np.array_equal(
        first.data.X[:, list(first.encoder.get_feature_names_out()).index("duration_months")], expected
    )


def test_target_leaves_no_trace_in_the_features():
    frame = load_sample("german_credit").frame
    encoder = TableEncoder()
    features = frame.drop(columns="credit")
    right = encoder.fit(features, frame["credit"]).transform(features)
    wrong = TableEncoder().fit(features, frame["credit"].sample(frac=1, random_state=0)).transform(features)
    assert np.array_equal(right, wrong)
    prepared = prepare(frame, AutoMLSettings(target="credit", max_trials=2))
    assert not [name for name in prepared.encoder.get_feature_names_out() if name.startswith("credit_good")]
