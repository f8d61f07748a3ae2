"""How a search came to its winner: the baselines, every trial's score, the best so far, and the winner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd
import streamlit as st

from core.automl import LEARNERS, Metric
from pages._ui import numbers
from pages.automl import search_marks
from pages.automl.score_axis import ScoreAxis, score_axis

__all__ = ["Baseline", "Winner", "draw"]

_HEIGHT = 340
_AXES = {"elapsed_s": "Time", "ended": "Trials"}


@dataclass(frozen=True)
class Baseline:
    """Guessing or the linear model, as a point of the chart.

    Parameters
    ----------
    title : str
        Name of the baseline.
    score : float
        Mean of the metric over the folds.
    elapsed_s : float
        Seconds from the start to this score.
    """

    title: str
    score: float
    elapsed_s: float


@dataclass(frozen=True)
class Winner:
    """The model that won, which may be a blend or the linear model.

    Parameters
    ----------
    title : str
        Name of the model.
    score : float
        Mean of the metric over the folds.
    elapsed_s : float
        Seconds from the start to this model.
    """

    title: str
    score: float
    elapsed_s: float


def draw(
    trials: pd.DataFrame, metric: Metric, winner: Winner | None = None, baselines: Sequence[Baseline] = ()
) -> None:
    """Draw all trials, over time or by their number, whichever the reader chooses.

    Parameters
    ----------
    trials : DataFrame
        elapsed_s, score, best (so far), learner, trial, status; in the order in which they ended. Trials without a
        score are marked at the edge of the chart.
    metric : Metric
        Metric of the scores.
    winner : Winner, optional
        The model that won; None while the search runs.
    baselines : sequence of Baseline, optional
        The first points of the curve.
    """
    chosen = st.segmented_control(
        "Horizontal axis",
        list(_AXES),
        default="elapsed_s",
        format_func=_AXES.__getitem__,
        label_visibility="collapsed",
        key="automl-chart-axis",
    )
    by = chosen or "elapsed_s"
    trials = trials.assign(ended=range(1, len(trials) + 1), no_score=trials["score"].isna())
    marked = _marked(trials, winner, baselines)
    best = _best(trials, marked, metric)
    others = marked.loc[marked["kind"] == "Linear model", "score"] if len(trials) else marked["score"]
    scores = pd.concat([trials["score"].dropna(), others])
    axis = score_axis(scores, best if winner is None else winner.score, larger_is_better=metric.larger_is_better)
    end = max(float(trials[by].max()) if len(trials) else 0.0, float(marked[by].max()) if len(marked) else 0.0)
    title = "Elapsed (s)" if by == "elapsed_s" else "Trials that have ended"
    x = alt.X(f"{by}:Q", title=title, scale=alt.Scale(domain=[0, end * 1.02 or 1], nice=False))
    if by == "ended":
        x = x.axis(format="d", tickMinStep=1)
    layers = _layers(trials, marked, metric, axis, x, by, end)
    st.altair_chart(
        alt.layer(*layers).resolve_scale(shape="shared").properties(height=_HEIGHT),
        alt=_description(trials, marked, metric, by),
    )
    _caption(trials, axis)


def _marked(trials: pd.DataFrame, winner: Winner | None, baselines: Sequence[Baseline]) -> pd.DataFrame:
    """Return the baselines and the winner as rows."""
    points: list[Baseline | Winner] = [*baselines, *([] if winner is None else [winner])]
    return pd.DataFrame(
        {
            "kind": ["winner" if isinstance(point, Winner) else point.title for point in points],
            "label": [f"{point.title} {numbers.score(point.score)}" for point in points],
            "score": [point.score for point in points],
            "elapsed_s": [point.elapsed_s for point in points],
            "ended": [int((trials["elapsed_s"] <= point.elapsed_s).sum()) for point in points],
        }
    )


def _best(trials: pd.DataFrame, marked: pd.DataFrame, metric: Metric) -> float:
    scores = pd.concat([trials["best"].dropna().astype(float), marked["score"].astype(float)])
    return float(scores.max() if metric.larger_is_better else scores.min())


def _layers(
    trials: pd.DataFrame, marked: pd.DataFrame, metric: Metric, axis: ScoreAxis, x: alt.X, by: str, end: float
) -> list[alt.Chart]:
    y_scale = alt.Scale(domain=[axis.low, axis.high], nice=False)
    y = alt.Y("score:Q", title=f"{metric.title}, CV mean", scale=y_scale)
    edge = axis.low if metric.larger_is_better else axis.high
    inside = trials["score"].between(axis.low, axis.high)
    beyond, failed = trials[~inside & ~trials["no_score"]], trials[trials["no_score"]]
    used = [learner.title for learner in LEARNERS.values() if learner.title in set(trials["learner"])]
    layers = [search_marks.best_line(trials, marked, end, metric, x, y_scale, by)]
    pruned = trials["status"] != "finished"
    for rows, filled in ((trials[inside & ~pruned], True), (trials[inside & pruned], False)):
        if len(rows):
            layers.append(
                search_marks.dots(
                    search_marks.thinned(rows), x, y, used, filled=filled, crowded=len(trials) > search_marks.CROWD
                )
            )
    if len(beyond):
        layers += search_marks.arrows(beyond.assign(edge=edge), x, y_scale, used, down=metric.larger_is_better)
    if len(failed):
        layers.append(search_marks.crosses(failed.assign(edge=edge), x, y_scale, used, down=metric.larger_is_better))
    points = marked[marked["kind"] != "winner"]
    if len(points):
        layers += search_marks.baseline_points(points, metric, axis, x, y_scale, end, by)
    final = marked[marked["kind"] == "winner"]
    return layers + (search_marks.star(final, end, x, y, by) if len(final) else [])


def _description(trials: pd.DataFrame, marked: pd.DataFrame, metric: Metric, by: str) -> str:
    """Return the chart in words."""
    parts = [f"{metric.title} of {len(trials):,} trials {'over time' if by == 'elapsed_s' else 'in order'}"]
    parts += [label for kind, label in zip(marked["kind"], marked["label"], strict=True) if kind != "winner"]
    known = trials["best"].dropna()
    if len(known):
        parts.append(f"best trial {numbers.score(known.iloc[-1])}")
    for status, count in trials["status"].value_counts().items():
        if status != "finished":
            parts.append(f"{count:,} {str(status).replace('_', ' ')}")
    parts += [f"winner {label}" for label in marked.loc[marked["kind"] == "winner", "label"]]
    return ", ".join(parts)


def _caption(trials: pd.DataFrame, axis: ScoreAxis) -> None:
    notes = []
    inside = trials["score"].between(axis.low, axis.high)
    beyond = trials.loc[~inside & ~trials["no_score"], "score"]
    if len(beyond):
        count = "1 trial is" if len(beyond) == 1 else f"{len(beyond):,} trials are"
        span = f"{beyond.min():,.4g}"
        if len(beyond) > 1:
            span += f" to {beyond.max():,.4g}"
        notes.append(f"{count} far worse and drawn as an arrow at the edge of the axis (scores {span}).")
    if (inside & (trials["status"] != "finished")).any():
        notes.append("Hollow: pruned, its score is of its first folds.")
    if trials["no_score"].any():
        notes.append("A cross at the edge: ended without a score.")
    if inside.sum() > search_marks.MAX_DOTS:
        notes.append("Of so many trials all gains and an even share of the others are drawn.")
    if notes:
        st.caption(" ".join(notes))
