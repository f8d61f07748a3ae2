"""The sampled SHAP values of any function: exact where theory says so."""

import time
import tracemalloc
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import LimitError
from core.explain import ExplainSettings, explain, explain_row, sampling
from core.explain.deadline import Deadline
from core.explain.explained_model import explained_function
from core.explain.sampling import OutOfTimeError, sampling_explainer
from core.explain.single_rows import choose_effort
from core.explain.speed import Speed
from tests.unit.explain.explain_models import function_model, result_of

NAMES = ["a", "b", "c", "d"]


def table(rows, seed=0):
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(rows, 4)), columns=NAMES)


def brute_force(function, row, background):
    """Shapley values over all orders, with the mean over the background as the value of a coalition."""

    def value(known):
        mixed = background.copy()
        for name in known:
            mixed[name] = row[name]
        return float(np.mean(function(mixed)))

    total = dict.fromkeys(NAMES, 0.0)
    orders = list(permutations(NAMES))
    for order in orders:
        for index, name in enumerate(order):
            total[name] += value(order[: index + 1]) - value(order[:index])
    return [total[name] / len(orders) for name in NAMES]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: 3 * x["a"] - x["b"] ** 2 + np.exp(x["c"]),
        lambda x: x["a"] * x["b"] - 2 * x["c"] * x["d"] + x["a"],
    ],
)
def test_sums_and_pairs_are_exact_with_one_pair_of_orders(function):
    background, rows = table(15), table(4, seed=1)
    model = explained_function(function, NAMES, [0])
    explainer = sampling_explainer(model, model.encode(background), space="prediction", pairs=1)
    values = explainer.values(model.encode(rows))[:, :, 0]
    for index in range(len(rows)):
        assert values[index] == pytest.approx(brute_force(function, rows.iloc[index], background))


def test_three_columns_at_once_come_near_with_many_orders():
    def function(x):
        return x["a"] * x["b"] * x["c"] + x["d"]

    background, rows = table(10), table(3, seed=2)
    model = explained_function(function, NAMES, [0])
    explainer = sampling_explainer(model, model.encode(background), space="prediction", pairs=100)
    values = explainer.values(model.encode(rows))[:, :, 0]
    for index in range(len(rows)):
        assert values[index] == pytest.approx(brute_force(function, rows.iloc[index], background), abs=0.1)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), pairs=st.integers(1, 3))
def test_values_always_add_up_and_an_unused_column_has_none(seed, pairs):
    random = np.random.default_rng(seed)
    weights = random.normal(size=(3, 2))

    def function(x):
        mixed = [sum(w * x[name].to_numpy() for w, name in zip(column, "abc", strict=True)) for column in weights.T]
        return np.tanh(np.column_stack(mixed)).cumsum(axis=1)

    background, rows = table(6, seed), table(3, seed + 1)
    model = explained_function(function, NAMES, [0, 1])
    explainer = sampling_explainer(model, model.encode(background), space="prediction", pairs=pairs, seed=seed)
    values = explainer.values(model.encode(rows))
    assert explainer.base + values.sum(axis=1) == pytest.approx(function(rows))
    assert np.abs(values[:, NAMES.index("d")]).max() < 1e-14  # means are summed in another order


def test_columns_of_any_type_keep_it_on_their_way():
    seen = []

    def function(x):
        seen.append(x.dtypes.to_dict())
        return x["n"].fillna(0).astype(float) + (x["t"] == "u") + x["b"].astype(float) + x["d"].dt.year

    frame = pd.DataFrame(
        {
            "n": pd.Series([1, None, 3], dtype="Int64"),
            "t": ["u", None, "v"],
            "b": [True, False, True],
            "d": pd.to_datetime(["2020-01-01", "2021-01-01", "2022-01-01"]),
        }
    )
    model = explained_function(function, list(frame), [0])
    X = model.encode(frame)
    explainer = sampling_explainer(model, X, space="prediction")
    assert explainer.base + explainer.values(X).sum(axis=1) == pytest.approx(function(frame).to_numpy()[:, None])
    assert all(dtypes == frame.dtypes.to_dict() for dtypes in seen)


def test_one_column_is_all():
    model = explained_function(lambda x: x["a"] ** 2, ["a"], [0])
    X = model.encode(pd.DataFrame({"a": [1.0, 3.0]}))
    assert sampling_explainer(model, X, space="prediction").values(X).ravel().tolist() == [-4, 4]


def whole_base(function, background):
    return float(np.mean(function(background)))


@pytest.mark.parametrize("cells", [1, 100, 130, 1_000])
def test_parts_of_the_steps_give_the_values_of_all_at_once(monkeypatch, cells):
    def function(x):
        return np.tanh(x["a"] * x["b"]) * x["c"] + x["d"] ** 2

    background, rows = table(12), table(5, seed=1)
    model = explained_function(function, NAMES, [0])
    known, X = model.encode(background), model.encode(rows)
    # 12 x 4 cells per step: one step, two, and one row of three at a time; all five rows at once is the reference.
    whole = sampling_explainer(model, known, space="prediction").values(X)
    monkeypatch.setattr(sampling, "MATRIX_CELLS", cells)
    parts = sampling_explainer(model, known, space="prediction").values(X)
    np.testing.assert_allclose(parts, whole, rtol=0, atol=1e-14)
    assert parts[:, :, 0].sum(axis=1) + whole_base(function, background) == pytest.approx(function(rows))


COLUMNS = 600
WIDE = pd.DataFrame(
    np.random.default_rng(5).normal(size=(60, COLUMNS)), columns=[f"c{index}" for index in range(COLUMNS)]
)


def summed(x):
    return x.to_numpy() @ np.linspace(-1, 1, COLUMNS)


@pytest.mark.nightly
def test_a_row_of_a_wide_table_needs_little_memory_and_adds_up():
    tracemalloc.start()
    try:
        shap = explain_row(summed, WIDE.iloc[[0]], WIDE, None, budget_s=60, pairs=1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 30e6  # all steps at once are 144 MB, and the frame of them as much again
    assert shap.outputs.ravel() == pytest.approx(summed(WIDE.iloc[[0]]))
    # Of a sum the values are exact: the coefficient times the distance from the mean of the references.
    drawn = WIDE.iloc[np.random.default_rng(0).permutation(60)[:50]]
    expected = np.linspace(-1, 1, COLUMNS) * (WIDE.iloc[0] - drawn.mean())
    assert shap.values[0, :, 0] == pytest.approx(expected.to_numpy())


def slow(x):
    time.sleep(4e-5 * len(x))
    return summed(x)


def test_a_row_takes_the_orders_that_there_is_time_for_and_else_says_so():
    began = time.monotonic()
    shap = explain_row(slow, WIDE.iloc[[0]], WIDE, None, budget_s=9)  # ten orders of 50 take 12 s and more
    assert time.monotonic() - began < 12
    assert int(shap.method.split()[1]) < 10
    assert shap.outputs.ravel() == pytest.approx(summed(WIDE.iloc[[0]]))
    began = time.monotonic()
    with pytest.raises(LimitError, match=r"longer than 0.2 s.*600 columns"):
        explain_row(slow, WIDE.iloc[[0]], WIDE, None, budget_s=0.2)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("seconds", "effort"), [(60.0, (5, 50)), (6.0, (2, 50)), (2.0, (1, 20)), (0.6, (1, 10)), (0.2, None)]
)
def test_the_effort_is_what_there_is_time_for(seconds, effort):
    """Two orders of 599 steps by 50 rows of 40 microseconds take 2.4 s."""
    assert choose_effort(Speed(0.0, 4e-5), 600, 5, 200, seconds) == effort


def test_a_speed_that_was_measured_wrongly_is_stopped_by_the_deadline():
    model = explained_function(slow, list(WIDE), [0])
    X = model.encode(WIDE)
    explainer = sampling_explainer(model, X[:20], space="prediction", deadline=Deadline.after(0.2))
    began = time.monotonic()
    with pytest.raises(OutOfTimeError):
        explainer.values(X[:1])
    assert time.monotonic() - began < 5


def test_an_explanation_of_a_wide_table_stays_within_its_budget():
    def function(x):
        time.sleep(4e-4 * len(x))
        return summed(x)

    frame = WIDE.assign(y=summed(WIDE))
    result = result_of(function_model(function), frame, "y", task="regression", metric="r2")
    began = time.monotonic()
    explanation = explain(result, frame, ExplainSettings(budget_s=2.0))
    assert time.monotonic() - began < 10  # one row alone takes 2 x 2 x 599 x 20 rows, 19 s
    assert explanation.shap is None
    left = [item for item in explanation.left_out if item["part"] == "shap"]
    assert [(item["what"], item["why"]) for item in left] == [("all rows", "time was short")]
