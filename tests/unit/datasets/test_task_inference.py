"""The task follows from the target's values: two classes, several, or a quantity."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.datasets import infer_task
from core.errors import InputError


@pytest.mark.parametrize(
    "values",
    [
        ["yes", "no"],
        ["yes", "no", None],
        [0, 1],
        [0.5, 1.7],
        [1e300, -1e300],
        [True, False],
        [True, None],
        ["only"],
        [7],
        pd.Categorical(["a", "b"], categories=["a", "b", "never"]),
        pd.Series([True, False, None], dtype="boolean"),
        pd.Series([0, 1, None], dtype="Int64"),
        pd.to_datetime(["2020-01-01", "2021-01-01"]),
    ],
)
def test_two_values_or_one_are_binary(values: object) -> None:
    assert infer_task(pd.Series(values)) == "binary"
    assert infer_task(pd.Series(values).repeat(50)) == "binary"


@pytest.mark.parametrize(
    "values",
    [
        ["a", "b", "c"],
        ["1", "2", "3"],
        pd.Categorical(["a", "b", "c"]),
        pd.Categorical([0.5, 1.5, 2.5]),
        pd.Series(["a", "b", "c"], dtype="string"),
        [f"label {i}" for i in range(500)],
    ],
)
def test_more_values_of_text_or_categories_are_classes(values: object) -> None:
    assert infer_task(pd.Series(values)) == "multiclass"


@pytest.mark.parametrize(
    ("distinct", "rows_per_class", "task"),
    [
        (3, 5, "multiclass"),
        (20, 5, "multiclass"),
        (20, 4, "regression"),
        (21, 100, "regression"),
        (3, 4, "regression"),
        (3, 1, "regression"),
    ],
)
@pytest.mark.parametrize("dtype", ["int64", "float64", "Int64", "uint8", "float32"])
def test_few_whole_numbers_that_repeat_are_classes(distinct: int, rows_per_class: int, task: str, dtype: str) -> None:
    series = pd.Series(np.tile(np.arange(distinct), rows_per_class)).astype(dtype)
    assert infer_task(series) == task
    # Missing cells take no part: as many again change nothing.
    gaps = pd.concat([series.astype("float64"), pd.Series(np.full(len(series), np.nan))])
    assert infer_task(gaps) == task


@pytest.mark.parametrize(
    "values",
    [
        np.tile([0.5, 1.0, 1.5], 100),
        np.random.default_rng(0).normal(size=1_000),
        np.random.default_rng(0).integers(0, 1_000, 1_000),
        np.tile([1.0, 2.0, np.inf, 0.25], 100),
        pd.to_timedelta([1, 2, 3], unit="h").total_seconds() / 86_400,
    ],
)
def test_other_numbers_are_a_quantity(values: object) -> None:
    assert infer_task(pd.Series(values)) == "regression"


@pytest.mark.parametrize(
    "values",
    [
        pd.date_range("2020-01-01", periods=3),
        pd.date_range("2020-01-01", periods=3, tz="UTC"),
        pd.to_timedelta([1, 2, 3], unit="D"),
    ],
)
def test_dates_cannot_be_predicted(values: object) -> None:
    with pytest.raises(InputError, match="'due' holds dates") as caught:
        infer_task(pd.Series(values, name="due"))
    assert "number" in caught.value.hint


@pytest.mark.parametrize("values", [[], [None, None], [np.nan]])
def test_a_target_without_values_is_refused(values: list[object]) -> None:
    with pytest.raises(InputError, match="'y' has no values") as caught:
        infer_task(pd.Series(values, name="y", dtype=object))
    assert caught.value.hint


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from([0, 1, 2, 3, 0.5]), min_size=1, max_size=80),
    st.randoms(use_true_random=False),
)
def test_order_and_index_do_not_matter(values: list[float], random: object) -> None:
    task = infer_task(pd.Series(values))
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert infer_task(pd.Series(shuffled, index=range(7, 7 + len(values)))) == task
    assert (task == "binary") == (len(set(values)) <= 2)


def test_the_series_is_left_as_it_was() -> None:
    series = pd.Series([1.0, None, 3.0, datetime.date(2020, 1, 1)], dtype=object)
    before = series.copy()
    infer_task(series)
    pd.testing.assert_series_equal(series, before)
