"""The chart of a search: every trial where it lies or as a marked arrow, the winner, time from its start."""

from __future__ import annotations

import json

import altair as alt
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.automl import METRICS
from pages.automl import search_chart
from pages.automl.search_chart import Winner, score_axis

CHURN = [0.9337, 0.9412, 0.9466, 0.9471, 0.9490, 0.9502, 0.9515]  # a poor first trial, and a linear model that wins


def trials(scores, *, larger=True):
    table = pd.DataFrame({"score": scores, "elapsed_s": [26.0 + 4 * index for index in range(len(scores))]})
    best = table["score"].cummax() if larger else table["score"].cummin()
    return table.assign(best=best, learner="LightGBM", trial=range(1, len(scores) + 1), status="finished")


def drawn(table, metric="roc_auc", winner=None):
    """Return the chart's layers, their rows by layer, and the captions."""

    def script(table, metric, winner):
        from core.automl import METRICS
        from pages.automl import search_chart

        search_chart.draw(table, METRICS[metric], winner)

    test = AppTest.from_function(script, args=(table, metric, winner), default_timeout=30).run()
    assert not test.exception, test.exception
    (chart,) = test.get("vega_lite_chart")
    return json.loads(chart.proto.spec)["layer"], [caption.value for caption in test.caption]


@pytest.mark.parametrize(("metric", "better"), [("roc_auc", 0.99), ("rmse", 0.1)])
@pytest.mark.parametrize("elapsed_s", [20.0, 31.0, 90.0])
def test_the_best_so_far_never_gets_worse_whenever_the_winner_was_there(metric, better, elapsed_s):
    larger = METRICS[metric].larger_is_better
    table, winner = trials(CHURN if larger else CHURN[::-1], larger=larger), (elapsed_s, better)
    line = search_chart._line(table, winner, 100.0, METRICS[metric], alt.X("elapsed_s:Q"), alt.Scale())
    steps = line.data.sort_values("elapsed_s", kind="stable")
    assert steps["best"].is_monotonic_increasing if larger else steps["best"].is_monotonic_decreasing
    assert steps.loc[steps["elapsed_s"] >= elapsed_s, "best"].eq(better).all()
    assert steps["elapsed_s"].iloc[-1] == 100.0


def marks(layers):
    return [layer["mark"]["type"] for layer in layers]


def test_trials_are_not_moved_and_the_winner_is_there():
    layers, captions = drawn(trials(CHURN), winner=Winner("Linear model", 0.9555, 31.0))
    assert marks(layers) == ["line", "circle", "text", "text"]
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
    layers, captions = drawn(trials(scores, larger=METRICS[metric].larger_is_better), metric)
    assert marks(layers) == ["line", "circle", "point", "text"]
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
    kept = search_chart._thinned(table)
    assert len(kept) < 2_000
    assert set(table.loc[table["best"].ne(table["best"].shift()), "trial"]) <= set(kept["trial"])
