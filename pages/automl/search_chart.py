"""How a search came to its winner: every trial's score over time, the best so far, and the winner."""

from __future__ import annotations

from dataclasses import dataclass

import altair as alt
import pandas as pd
import streamlit as st

from core.automl import LEARNERS, Metric
from core.charts import legend_columns
from pages._ui import theme

__all__ = ["ScoreAxis", "Winner", "draw", "score_axis"]

_DOTS = 1_000
_WHOLE = 4.0  # times the spread of the better trials, up to which the axis holds all of them
_LABELS = 6
_HEIGHT = 280


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


@dataclass(frozen=True)
class ScoreAxis:
    """The range of scores that the chart has.

    Parameters
    ----------
    low, high : float
        Ends of the axis.
    beyond : int
        Number of trials outside, drawn as arrows at its end.
    """

    low: float
    high: float
    beyond: int


def score_axis(scores: pd.Series, best: float, *, larger_is_better: bool) -> ScoreAxis:
    """Return the range that shows all trials, or the better ones where others would flatten them.

    Parameters
    ----------
    scores : Series
        Scores of the trials.
    best : float
        Score of the best model.
    larger_is_better : bool
        Direction of the metric.

    Examples
    --------
    >>> score_axis(pd.Series([0.90, 0.93, 0.94, 0.95]), 0.95, larger_is_better=True)
    ScoreAxis(low=0.895, high=0.955, beyond=0)
    >>> score_axis(pd.Series([0.10, 0.93, 0.94, 0.95, 0.95]), 0.95, larger_is_better=True).beyond
    1
    """
    sign = 1.0 if larger_is_better else -1.0
    losses = sign * best - sign * scores  # how much worse than the best model
    spread = max(0.0, float(losses.quantile(0.75))) or max(0.0, float(losses.max())) or abs(best) * 0.01 or 0.01
    depth = max(0.0, float(losses[losses <= _WHOLE * spread].max()))
    ends = [sign * best - depth, sign * best - min(0.0, float(losses.min()))]
    margin = 0.1 * (ends[1] - ends[0]) or abs(best) * 0.01 or 0.01
    low, high = sorted(sign * end for end in (ends[0] - margin, ends[1] + margin))
    return ScoreAxis(round(low, 12), round(high, 12), int((losses > depth + margin).sum()))


def draw(trials: pd.DataFrame, metric: Metric, winner: Winner | None = None) -> None:
    """Draw the trials that have a score.

    Parameters
    ----------
    trials : DataFrame
        elapsed_s, score, best (so far), learner, trial, status; in the order in which they ended.
    metric : Metric
        Metric of the scores.
    winner : Winner, optional
        The model that won; None while the search runs.
    """
    best = float(trials["best"].iloc[-1]) if winner is None else winner.score
    axis = score_axis(trials["score"], best, larger_is_better=metric.larger_is_better)
    inside = trials["score"].between(axis.low, axis.high)
    end = max([float(trials["elapsed_s"].max()), *([] if winner is None else [winner.elapsed_s])])
    x = alt.X("elapsed_s:Q", title="Elapsed (s)", scale=alt.Scale(domain=[0, end * 1.02 or 1], nice=False))
    y_scale = alt.Scale(domain=[axis.low, axis.high], nice=False)
    y = alt.Y("score:Q", title=f"{metric.title}, CV mean", scale=y_scale)
    final = None if winner is None else (winner.elapsed_s, winner.score)
    layers = [_line(trials, final, end, metric, x, y_scale), _dots(_thinned(trials[inside]), x, y)]
    beyond = trials[~inside]
    if len(beyond):
        edge = axis.low if metric.larger_is_better else axis.high
        layers += _arrows(beyond.assign(edge=edge), x, y_scale, down=metric.larger_is_better)
    if winner is not None:
        layers += _star(winner, end, x, y)
    last = "" if winner is None else f", winner {winner.title} {winner.score:,.4g}"
    st.altair_chart(
        alt.layer(*layers).properties(height=_HEIGHT),
        alt=f"{metric.title} of {len(trials):,} trials over time, best trial {trials['best'].iloc[-1]:,.4g}{last}",
    )
    _caption(beyond, int(inside.sum()))


def _caption(beyond: pd.DataFrame, inside: int) -> None:
    notes = []
    if len(beyond):
        count = "1 trial is" if len(beyond) == 1 else f"{len(beyond):,} trials are"
        span = f"{beyond['score'].min():,.4g}"
        if len(beyond) > 1:
            span += f" to {beyond['score'].max():,.4g}"
        notes.append(f"{count} far worse and drawn as an arrow at the edge of the axis (scores {span}).")
    if inside > _DOTS:
        notes.append("Of so many trials all gains and an even share of the others are drawn.")
    if notes:
        st.caption(" ".join(notes))


def _thinned(trials: pd.DataFrame) -> pd.DataFrame:
    """Return all gains and an even share of the other trials, where there are very many."""
    step = len(trials) // _DOTS + 1
    gain = trials["best"].ne(trials["best"].shift())
    return trials[gain | (pd.RangeIndex(len(trials)) % step == 0)]


def _color() -> alt.Color:
    return alt.Color(
        "learner:N",
        scale=alt.Scale(domain=[learner.title for learner in LEARNERS.values()], range=theme.categorical()),
        legend=alt.Legend(title=None, orient="bottom", columns=legend_columns(len(LEARNERS))),
    )


def _tooltip() -> list[str | alt.Tooltip]:
    score = alt.Tooltip("score:Q", format=",.5~g")
    return ["trial:Q", "learner:N", score, "status:N", alt.Tooltip("elapsed_s:Q", format=".1f", title="elapsed (s)")]


def _line(
    trials: pd.DataFrame, final: tuple[float, float] | None, end: float, metric: Metric, x: alt.X, scale: alt.Scale
) -> alt.Chart:
    """Return the best score so far, to the end of the search; `final` is time and score of the winner."""
    steps = trials[["elapsed_s", "best"]].reset_index(drop=True)
    if final is not None:
        steps.loc[len(steps)] = final
    steps = steps.sort_values("elapsed_s", kind="stable")
    steps["best"] = steps["best"].cummax() if metric.larger_is_better else steps["best"].cummin()
    steps = steps[steps["best"].ne(steps["best"].shift())]
    steps = pd.concat([steps, pd.DataFrame({"elapsed_s": [end], "best": [steps["best"].iloc[-1]]})])
    line: alt.Chart = (
        alt.Chart(steps)
        .mark_line(interpolate="step-after", color=theme.accent(), strokeWidth=2, clip=True)
        .encode(x=x, y=alt.Y("best:Q", scale=scale))
    )
    return line


def _dots(trials: pd.DataFrame, x: alt.X, y: alt.Y) -> alt.Chart:
    dots: alt.Chart = alt.Chart(trials).mark_circle(size=45, opacity=0.6)
    return dots.encode(x=x, y=y, color=_color(), tooltip=_tooltip())


def _arrows(trials: pd.DataFrame, x: alt.X, scale: alt.Scale, *, down: bool) -> list[alt.Chart]:
    """Return an arrow for each trial outside of the axis, with its score where there are few."""
    base = alt.Chart(trials).encode(x=x, y=alt.Y("edge:Q", scale=scale))
    shape, offset = ("triangle-down", -8) if down else ("triangle-up", 8)
    arrows = base.mark_point(shape=shape, filled=True, size=70, opacity=0.9, yOffset=offset).encode(
        color=_color(), tooltip=_tooltip()
    )
    if len(trials) > _LABELS:
        return [arrows]
    text = base.mark_text(align="left", dx=8, dy=offset, fontSize=11, color=theme.text()).encode(
        text=alt.Text("score:Q", format=",.4~g")
    )
    return [arrows, text]


def _star(winner: Winner, end: float, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    row = pd.DataFrame(
        {
            "elapsed_s": [winner.elapsed_s],
            "score": [winner.score],
            "label": [f"{winner.title} {winner.score:,.4g}"],
        }
    )
    late = winner.elapsed_s > end / 2
    base = alt.Chart(row).encode(x=x, y=y)
    star = base.mark_text(text="★", fontSize=20, color=theme.accent()).encode(tooltip=["label:N"])
    label = base.mark_text(
        align="right" if late else "left", dx=-12 if late else 12, dy=-10, fontWeight="bold", color=theme.text()
    ).encode(text="label:N")
    return [star, label]
