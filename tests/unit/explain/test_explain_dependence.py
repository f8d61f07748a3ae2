"""Partial dependence: agreement with scikit-learn, known curves, and every kind of column."""

import numpy as np
import pandas as pd
import pytest
from sklearn.inspection import partial_dependence

from core.explain._dependence import dependence
from core.explain._grids import make_grid
from core.explain._subject import of_score
from tests.unit.explain.explain_models import odd_result, subject_of


def curve(result, frame, column, n=100):
    subject = subject_of(result)
    X = subject.encode(frame[:n])
    return dependence(subject, X, frame[:n], column, np.arange(n), spread=frame[column])


@pytest.mark.parametrize("learner", ["lgbm", "extra_tree", "linear"])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_agrees_with_scikit_learns_on_the_same_rows(learner, task):
    result, frame = odd_result(learner, task)
    found = curve(result, frame, "a b")
    rows = frame.loc[:99, result.features].astype({"a b": float})
    expected = partial_dependence(
        result.model,
        rows,
        ["a b"],
        custom_values={"a b": np.array(found.values)},
        kind="both",
        response_method="auto" if task == "regression" else "predict_proba",
    )
    # scikit-learn has one output of two classes, the second.
    average = np.array(found.average).T
    assert average == pytest.approx(expected["average"], rel=1e-5, abs=2e-6)
    lines = np.array(found.lines).transpose(2, 0, 1)
    assert lines == pytest.approx(expected["individual"][:, :30], rel=1e-5, abs=2e-6)
    assert found.line_rows == list(range(30))


def test_a_monotone_function_of_one_column_has_its_own_curve():
    frame = pd.DataFrame({"a": np.linspace(0, 1, 200), "b": np.tile([0.0, 1.0], 100)})
    subject = of_score(lambda x: x["a"] ** 3 + 2 * x["b"], ["a", "b"], [0])
    found = dependence(subject, subject.encode(frame), frame, "a", np.arange(200))
    average = np.array(found.average)[:, 0]
    assert average == pytest.approx(np.array(found.values) ** 3 + 1, abs=1e-6)
    assert (np.diff(average) > 0).all()
    # The rows differ by b alone: the mean of 0 and 2 has the interval of their spread.
    half = 1.959964 * np.std([0, 2] * 100, ddof=1) / np.sqrt(200)
    assert np.array(found.high)[:, 0] - average == pytest.approx(np.full(len(average), half), abs=1e-5)
    assert np.array(found.average)[:, 0] - np.array(found.low)[:, 0] == pytest.approx(
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
    found = curve(result, frame, column)
    assert found.kind == kind
    assert isinstance(found.values[0], first)
    assert len(found.values) == len(found.average) == len(found.low) == len(found.high) >= 2
    assert found.missing == frame[column].isna().sum() > 0
    emptied = frame[:100].assign(**{column: pd.Series([None] * 100, dtype=frame[column].dtype)})
    expected = result.model.predict_proba(emptied)[:, 1].mean()
    assert found.missing_average == pytest.approx([expected], abs=1e-6)
    rows = sum(found.counts) + found.others + found.missing
    assert rows == len(frame)
    assert len(found.edges) == (len(found.counts) + 1 if kind in ("number", "date") else 0)


def test_dates_lie_within_the_edges_of_their_histogram():
    result, frame = odd_result("lgbm", "binary")
    for column in ("when", "zoned"):
        found = curve(result, frame, column)
        assert found.values == sorted(found.values)
        assert (found.values[0], found.values[-1]) == (found.edges[0], found.edges[-1])


def test_a_category_is_what_the_model_says_of_it():
    result, frame = odd_result("linear", "binary")
    found = curve(result, frame, "大小")
    for value, average in zip(found.values, found.average, strict=True):
        expected = result.model.predict_proba(frame[:100].assign(大小=value))[:, 1].mean()
        assert average == pytest.approx([expected], abs=1e-6)
    assert found.counts == sorted(found.counts, reverse=True)


def test_a_column_of_names_has_no_curve_but_a_reason():
    result, frame = odd_result("lgbm", "binary")
    frame["label"] = [f"name {place}" for place in range(len(frame))]
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
    subject = of_score(lambda x: x["a"] * 1e-12, ["a"], [0])
    found = dependence(subject, subject.encode(frame), frame, "a", np.arange(50))
    assert np.array(found.average)[:, 0] == pytest.approx(np.array(found.values) * 1e-12, rel=1e-5)


def test_integers_and_text_keep_their_type_in_json():
    grid = make_grid(pd.Series([3, 1, 2] * 10))
    assert grid.values.dtype == np.int64
    frame = pd.DataFrame({"n": [3, 1, 2] * 10})
    subject = of_score(lambda x: x["n"], ["n"], [0])
    found = dependence(subject, subject.encode(frame), frame, "n", np.arange(30))
    assert found.values == [1, 2, 3]
    assert found.average == [[1], [2], [3]]
