"""The chart of a search: every trial where it lies or as a marked arrow, the winner, time from its start."""

from __future__ import annotations

import json

import altair as alt
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.automl import METRICS
from pages.automl import live, search_marks
from pages.automl.score_axis import score_axis
from pages.automl.search_chart import Baseline, Winner

CHURN = [0.9337, 0.9412, 0.9466, 0.9471, 0.9490, 0.9502, 0.9515]  # a poor first trial, and a linear model that wins


def trials(scores, *, larger=True):
    table = pd.DataFrame({"score": scores, "elapsed_s": [26.0 + 4 * index for index in range(len(scores))]})
    best = table["score"].cummax() if larger else table["score"].cummin()
    return table.assign(best=best, learner="LightGBM", trial=range(1, len(scores) + 1), status="finished")


def drawn(table, metric="roc_auc", winner=None, baselines=(), axis="elapsed_s"):
    """Return the chart's layers, the captions, and the chart in words."""

    def script(table, metric, winner, baselines, axis):
        import streamlit as st

        from core.automl import METRICS
        from pages.automl import search_chart

        st.session_state.setdefault("automl-chart-axis", axis)
        search_chart.draw(table, METRICS[metric], winner, baselines)

    arguments = (table, metric, winner, baselines, axis)
    test = AppTest.from_function(script, args=arguments, default_timeout=30).run()
    assert not test.exception, test.exception
    (chart,) = test.get("vega_lite_chart")
    return json.loads(chart.proto.spec)["layer"], [caption.value for caption in test.caption], chart.proto.alt


@pytest.mark.parametrize(("metric", "better"), [("roc_auc", 0.99), ("rmse", 0.1)])
@pytest.mark.parametrize("elapsed_s", [20.0, 31.0, 90.0])
def test_the_best_so_far_never_gets_worse_whenever_the_winner_was_there(metric, better, elapsed_s):
    larger = METRICS[metric].larger_is_better
    table = trials(CHURN if larger else CHURN[::-1], larger=larger)
    marked = pd.DataFrame({"kind": ["winner"], "score": [better], "elapsed_s": [elapsed_s]})
    line = search_marks.best_line(table, marked, 100.0, METRICS[metric], alt.X("elapsed_s:Q"), alt.Scale(), "elapsed_s")
    steps = line.data.sort_values("elapsed_s", kind="stable")
    assert steps["best"].is_monotonic_increasing if larger else steps["best"].is_monotonic_decreasing
    assert steps.loc[steps["elapsed_s"] >= elapsed_s, "best"].eq(better).all()
    assert steps["elapsed_s"].iloc[-1] == 100.0


def marks(layers):
    return [layer["mark"]["type"] for layer in layers]


def test_trials_are_not_moved_and_the_winner_is_there():
    layers, captions, _ = drawn(trials(CHURN), winner=Winner("Linear model", 0.9555, 31.0))
    assert marks(layers) == ["line", "point", "text", "text"]
    assert captions == []
    for layer in layers:
        low, high = layer["encoding"]["y"]["scale"]["domain"]
        assert low < min(CHURN)
        assert high > 0.9555
        assert "clamp" not in layer["encoding"]["y"]["scale"]
        assert layer["encoding"]["x"]["scale"]["domain"][0] == 0
    assert layers[2]["mark"]["text"] == "★"


@pytest.mark.parametrize(
    ("scores", "metric", "shape"),
    [
        ([0.1, *CHURN], "roc_auc", "triangle-down"),
        ([90.0, 5.1, 5.0, 4.9, 4.8, 4.85, 4.8, 4.7], "rmse", "triangle-up"),
    ],
)
def test_a_far_worse_trial_is_an_arrow_with_its_score(scores, metric, shape):
    layers, captions, _ = drawn(trials(scores, larger=METRICS[metric].larger_is_better), metric)
    assert marks(layers) == ["line", "point", "point", "text"]
    assert layers[2]["mark"]["shape"] == shape
    assert layers[3]["encoding"]["text"]["field"] == "score"
    assert captions == [
        f"1 trial is far worse and drawn as an arrow at the edge of the axis (scores {scores[0]:,.4g})."
    ]


@pytest.mark.parametrize("scores", [[0.9], [0.9, 0.9, 0.9], CHURN, [0.2, *CHURN], [0.2, 0.3, 0.9], [5.0, 1e6, 7.0]])
@pytest.mark.parametrize("larger", [True, False])
def test_the_axis_holds_the_better_half_and_counts_the_others(scores, larger):
    series = pd.Series(scores)
    best = series.max() if larger else series.min()
    axis = score_axis(series, best, larger_is_better=larger)
    inside = series.between(axis.low, axis.high)
    assert axis.low < best < axis.high
    assert (~inside).sum() == axis.beyond
    assert inside.mean() >= 0.5


def test_of_very_many_trials_all_gains_are_drawn():
    table = trials([0.5 + 0.0001 * (index % 700) for index in range(3_000)])
    kept = search_marks.thinned(table)
    assert len(kept) < 2_000
    assert set(table.loc[table["best"].ne(table["best"].shift()), "trial"]) <= set(kept["trial"])


MIXED = trials(CHURN).assign(
    learner=["LightGBM", "Random forest", "LightGBM", "LightGBM", "Random forest", "LightGBM", "LightGBM"],
    status=["failed", "finished", "pruned", "finished", "timed_out", "finished", "finished"],
)
MIXED.loc[MIXED["status"].isin(["failed", "timed_out"]), "score"] = None


@pytest.mark.parametrize("axis", ["elapsed_s", "ended"])
def test_every_trial_is_drawn_as_what_it_is_and_the_curve_begins_at_guessing(axis):
    baselines = [Baseline("Guessing", 0.5, 2.0), Baseline("Linear model", 0.945, 31.0)]
    layers, captions, words = drawn(MIXED, baselines=baselines, axis=axis)
    points = [layer for layer in layers if layer["mark"]["type"] == "point"]
    filled, hollow, crosses, linear, guessing = points
    assert (filled["mark"]["filled"], hollow["mark"]["filled"]) == (True, False)
    assert len(crosses["mark"]["shape"]) > len("triangle-down"), "a path"
    assert linear["mark"]["shape"] == "circle"
    assert guessing["mark"]["shape"] == "triangle-down"
    assert {layer["encoding"]["x"]["field"] for layer in layers} == {axis}
    assert filled["encoding"]["shape"]["field"] == filled["encoding"]["color"]["field"] == "learner"
    assert "Hollow: pruned" in captions[0]
    assert "without a score" in captions[0]
    assert "Guessing 0.5, Linear model 0.945, best trial 0.9515, 1 failed, 1 pruned, 1 timed out" in words.replace(
        "1 pruned, 1 failed", "1 failed, 1 pruned"
    )


def test_the_curve_begins_with_the_baselines_before_any_trial():
    baselines = [Baseline("Guessing", 0.5, 2.0), Baseline("Linear model", 0.8, 9.0)]
    for table in (MIXED.head(0), live.trials([]).rename(columns={"best_score": "best"})):
        layers, _, words = drawn(table, winner=Winner("Linear model", 0.8, 9.0), baselines=baselines)
        assert marks(layers)[0] == "line"
        assert "0 trials" in words


def test_the_best_so_far_begins_at_guessing():
    marked = pd.DataFrame({"kind": ["Guessing"], "score": [0.5], "elapsed_s": [2.0]})
    line = search_marks.best_line(
        trials(CHURN), marked, 100.0, METRICS["roc_auc"], alt.X("elapsed_s:Q"), alt.Scale(), "elapsed_s"
    )
    assert line.data[["elapsed_s", "best"]].iloc[:2].to_numpy().tolist() == [[2.0, 0.5], [26.0, 0.9337]]
