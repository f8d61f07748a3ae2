"""The sampled SHAP values of any function: exact where theory says so."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.explain._sampler import sampling_contributor
from core.explain._subject import of_score

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
        for place, name in enumerate(order):
            total[name] += value(order[: place + 1]) - value(order[:place])
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
    subject = of_score(function, NAMES, [0])
    found = sampling_contributor(subject, subject.encode(background), space="prediction", pairs=1)
    values = found.values(subject.encode(rows))[:, :, 0]
    for place in range(len(rows)):
        assert values[place] == pytest.approx(brute_force(function, rows.iloc[place], background))


def test_three_columns_at_once_come_near_with_many_orders():
    def function(x):
        return x["a"] * x["b"] * x["c"] + x["d"]

    background, rows = table(10), table(3, seed=2)
    subject = of_score(function, NAMES, [0])
    found = sampling_contributor(subject, subject.encode(background), space="prediction", pairs=100)
    values = found.values(subject.encode(rows))[:, :, 0]
    for place in range(len(rows)):
        assert values[place] == pytest.approx(brute_force(function, rows.iloc[place], background), abs=0.1)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), pairs=st.integers(1, 3))
def test_values_always_add_up_and_an_unused_column_has_none(seed, pairs):
    random = np.random.default_rng(seed)
    weights = random.normal(size=(3, 2))

    def function(x):
        mixed = [sum(w * x[name].to_numpy() for w, name in zip(each, "abc", strict=True)) for each in weights.T]
        return np.tanh(np.column_stack(mixed)).cumsum(axis=1)

    background, rows = table(6, seed), table(3, seed + 1)
    subject = of_score(function, NAMES, [0, 1])
    found = sampling_contributor(subject, subject.encode(background), space="prediction", pairs=pairs, seed=seed)
    values = found.values(subject.encode(rows))
    assert found.base + values.sum(axis=1) == pytest.approx(function(rows))
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
    subject = of_score(function, list(frame), [0])
    X = subject.encode(frame)
    found = sampling_contributor(subject, X, space="prediction")
    assert found.base + found.values(X).sum(axis=1) == pytest.approx(function(frame).to_numpy()[:, None])
    assert all(dtypes == frame.dtypes.to_dict() for dtypes in seen)


def test_one_column_is_all():
    subject = of_score(lambda x: x["a"] ** 2, ["a"], [0])
    X = subject.encode(pd.DataFrame({"a": [1.0, 3.0]}))
    assert sampling_contributor(subject, X, space="prediction").values(X).ravel().tolist() == [-4, 4]
