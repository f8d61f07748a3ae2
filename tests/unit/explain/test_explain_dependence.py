"""Partial dependence: agreement with scikit-learn, known curves, and every kind of column."""

import numpy as np
import pandas as pd
import pytest
from sklearn.inspection import partial_dependence

from core.explain.dependence import dependence
from core.explain.explained_model import explained_function
from core.explain.grids import make_grid
from tests.unit.explain.explain_models import model_of, odd_result


def curve(result, frame, column, n=100):
    model = model_of(result)
    X = model.encode(frame[:n])
    return dependence(model, X, frame[:n], column, np.arange(n), spread=frame[column])


@pytest.mark.parametrize("learner", ["lgbm", "extra_tree", "linear"])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_agrees_with_scikit_learns_on_the_same_rows(learner, task):
    result, frame = odd_result(learner, task)
    drawn = curve(result, frame, "a b")
    rows = frame.loc[:99, result.features].astype({"a b": float})
    expected = partial_dependence(
        result.model,
        rows,
        ["a b"],
        custom_values={"a b": np.array(drawn.values)},
        kind="both",
        response_method="auto" if task == "regression" else "predict_proba",
    )
    # scikit-learn has one output of two classes, the second.
    average = np.array(drawn.average).T
    assert average == pytest.approx(expected["average"], rel=1e-5, abs=2e-6)
    lines = np.array(drawn.lines).transpose(2, 0, 1)
    assert lines == pytest.approx(expected["individual"][:, :30], rel=1e-5, abs=2e-6)
    assert drawn.line_rows == list(range(30))


def test_a_monotone_function_of_one_column_has_its_own_curve():
    frame = pd.DataFrame({"a": np.linspace(0, 1, 200), "b": np.tile([0.0, 1.0], 100)})
    model = explained_function(lambda x: x["a"] ** 3 + 2 * x["b"], ["a", "b"], [0])
    curve = dependence(model, model.encode(frame), frame, "a", np.arange(200))
    average = np.array(curve.average)[:, 0]
    assert average == pytest.approx(np.array(curve.values) ** 3 + 1, abs=1e-6)
    assert (np.diff(average) > 0).all()
    # The rows differ by b alone: the mean of 0 and 2 has the interval of their spread.
    half = 1.959964 * np.std([0, 2] * 100, ddof=1) / np.sqrt(200)
    assert np.array(curve.high)[:, 0] - average == pytest.approx(np.full(len(average), half), abs=1e-5)
    assert np.array(curve.average)[:, 0] - np.array(curve.low)[:, 0] == pytest.approx(
        np.full(len(average), half), abs=1e-5
    )


@pytest.mark.parametrize(
    ("column", "kind", "first"),
    [
        ("größe (m²)", "number", float),
        ("a b", "number", float),
        ('say "hi"; drop', "boolean", bool),
        ("大小", "category", str),
        ("label", "category", str),
        ("when", "date", str),
        ("zoned", "date", str),
    ],
)
def test_every_kind_of_column_with_missing_cells(column, kind, first):
    result, frame = odd_result("lgbm", "binary")
    drawn = curve(result, frame, column)
    assert drawn.kind == kind
    assert isinstance(drawn.values[0], first)
    assert len(drawn.values) == len(drawn.average) == len(drawn.low) == len(drawn.high) >= 2
    assert drawn.missing == frame[column].isna().sum() > 0
    emptied = frame[:100].assign(**{column: pd.Series([None] * 100, dtype=frame[column].dtype)})
    expected = result.model.predict_proba(emptied)[:, 1].mean()
    assert drawn.missing_average == pytest.approx([expected], abs=1e-6)
    rows = sum(drawn.counts) + drawn.others + drawn.missing
    assert rows == len(frame)
    assert len(drawn.edges) == (len(drawn.counts) + 1 if kind in ("number", "date") else 0)


def test_dates_lie_within_the_edges_of_their_histogram():
    result, frame = odd_result("lgbm", "binary")
    for column in ("when", "zoned"):
        drawn = curve(result, frame, column)
        assert drawn.values == sorted(drawn.values)
        assert (drawn.values[0], drawn.values[-1]) == (
            drawn.edges[0],
            drawn.edges[-1],
        )


def test_a_category_is_what_the_model_says_of_it():
    result, frame = odd_result("linear", "binary")
    drawn = curve(result, frame, "大小")
    for value, average in zip(drawn.values, drawn.average, strict=True):
        expected = result.model.predict_proba(frame[:100].assign(大小=value))[:, 1].mean()
        assert average == pytest.approx([expected], abs=1e-6)
    assert drawn.counts == sorted(drawn.counts, reverse=True)


def test_a_column_of_names_has_no_curve_but_a_reason():
    result, frame = odd_result("lgbm", "binary")
    frame["label"] = [f"name {index}" for index in range(len(frame))]
    assert curve(result, frame, "label") == "nearly every value is different"


def test_grids_follow_the_rows_and_reach_rare_values():
    grid = make_grid(pd.Series(np.r_[np.zeros(950), np.arange(1, 51)]))
    assert grid.values.iloc[0] == 0
    assert len(grid.values) > 10, "one value of most rows must not hide the others"
    even = make_grid(pd.Series(np.arange(1001.0)))
    assert even.values.iloc[[0, -1]].tolist() == [10, 990]
    assert np.diff(even.values).std() < 1
    assert even.others == 20
    assert make_grid(pd.Series([np.nan, np.nan])) is None
    assert make_grid(pd.Series([1.0, np.inf, 2.0])).values.max() == 2


def test_small_numbers_keep_their_digits():
    frame = pd.DataFrame({"a": np.linspace(1, 2, 50)})
    model = explained_function(lambda x: x["a"] * 1e-12, ["a"], [0])
    curve = dependence(model, model.encode(frame), frame, "a", np.arange(50))
    assert np.array(curve.average)[:, 0] == pytest.approx(np.array(curve.values) * 1e-12, rel=1e-5)


def test_integers_and_text_keep_their_type_in_json():
    grid = make_grid(pd.Series([3, 1, 2] * 10))
    assert grid.values.dtype == np.int64
    frame = pd.DataFrame({"n": [3, 1, 2] * 10})
    model = explained_function(lambda x: x["n"], ["n"], [0])
    curve = dependence(model, model.encode(frame), frame, "n", np.arange(30))
    assert curve.values == [1, 2, 3]
    assert curve.average == [[1], [2], [3]]
