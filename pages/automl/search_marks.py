"""The marks of the chart of a search: trials, baselines, the best so far, the winner."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from core.automl import LEARNERS, Metric
from core.charts import legend_columns
from pages._ui import theme
from pages.automl.score_axis import ScoreAxis

__all__ = ["CROWD", "MAX_DOTS", "arrows", "baseline_points", "best_line", "crosses", "dots", "star", "thinned"]

MAX_DOTS = 1_000
"""Number of trials up to which each one is drawn."""
_LABELS = 6
CROWD = 150
"""Number of trials from which points are small."""
_CROSS = "M-1,-1L1,1M-1,1L1,-1"
_HEXAGON = "M0.8,0.5L0,1L-0.8,0.5L-0.8,-0.5L0,-1L0.8,-0.5Z"
_HOURGLASS = "M-0.8,-0.9L0.8,-0.9L-0.8,0.9L0.8,0.9Z"
_SHAPES = ("circle", "square", "diamond", "cross", "triangle-right", "triangle-left", _HEXAGON, _HOURGLASS)


def thinned(trials: pd.DataFrame) -> pd.DataFrame:
    """Return all gains and an even share of the other trials, where there are very many."""
    step = len(trials) // MAX_DOTS + 1
    gain = trials["best"].ne(trials["best"].shift())
    return trials[gain | (pd.RangeIndex(len(trials)) % step == 0)]


def _legend(used: Sequence[str]) -> alt.Legend:
    return alt.Legend(title=None, orient="bottom", columns=legend_columns(len(used)), values=list(used))


def _color(used: Sequence[str]) -> alt.Color:
    titles = [learner.title for learner in LEARNERS.values()]
    return alt.Color("learner:N", scale=alt.Scale(domain=titles, range=theme.categorical()), legend=_legend(used))


def _shape(used: Sequence[str]) -> alt.Shape:
    titles = [learner.title for learner in LEARNERS.values()]
    shapes = [_SHAPES[index % len(_SHAPES)] for index in range(len(titles))]
    return alt.Shape("learner:N", scale=alt.Scale(domain=titles, range=shapes), legend=_legend(used))


def _tooltip() -> list[str | alt.Tooltip]:
    score = alt.Tooltip("score:Q", format=",.5~g")
    return ["trial:Q", "learner:N", score, "status:N", alt.Tooltip("elapsed_s:Q", format=".1f", title="elapsed (s)")]


def best_line(
    trials: pd.DataFrame, marked: pd.DataFrame, end: float, metric: Metric, x: alt.X, scale: alt.Scale, by: str
) -> alt.Chart:
    """Return the best score so far, from the first baseline to the end of the search."""
    own = trials.loc[trials["best"].notna(), [by, "best"]].astype(float)
    steps = pd.concat([own, marked[[by, "score"]].rename(columns={"score": "best"}).astype(float)])
    steps = steps.sort_values(by, kind="stable")
    steps["best"] = steps["best"].cummax() if metric.larger_is_better else steps["best"].cummin()
    steps = steps[steps["best"].ne(steps["best"].shift())]
    steps = pd.concat([steps, pd.DataFrame({by: [end], "best": [steps["best"].iloc[-1]]})])
    line: alt.Chart = (
        alt.Chart(steps)
        .mark_line(interpolate="step-after", color=theme.accent(), strokeWidth=2, clip=True)
        .encode(x=x, y=alt.Y("best:Q", title=f"{metric.title}, CV mean", scale=scale))
    )
    return line


def dots(
    trials: pd.DataFrame, x: alt.X, y: alt.Y, used: Sequence[str], *, filled: bool, crowded: bool = False
) -> alt.Chart:
    """Return a point for each trial, with a shape and a hue by learner."""
    points: alt.Chart = alt.Chart(trials).mark_point(size=26 if crowded else 50, opacity=0.7, filled=filled)
    return points.encode(x=x, y=y, color=_color(used), shape=_shape(used), tooltip=_tooltip())


def arrows(trials: pd.DataFrame, x: alt.X, scale: alt.Scale, used: Sequence[str], *, down: bool) -> list[alt.Chart]:
    """Return an arrow for each trial outside of the axis, with its score where there are few."""
    base = alt.Chart(trials).encode(x=x, y=alt.Y("edge:Q", scale=scale))
    shape, offset = ("triangle-down", -8) if down else ("triangle-up", 8)
    arrows = base.mark_point(shape=shape, filled=True, size=70, opacity=0.9, yOffset=offset).encode(
        color=_color(used), tooltip=_tooltip()
    )
    if len(trials) > _LABELS:
        return [arrows]
    text = base.mark_text(align="left", dx=8, dy=offset, fontSize=11, color=theme.text()).encode(
        text=alt.Text("score:Q", format=",.4~g")
    )
    return [arrows, text]


def crosses(trials: pd.DataFrame, x: alt.X, scale: alt.Scale, used: Sequence[str], *, down: bool) -> alt.Chart:
    """Return a cross at the edge for each trial that ended without a score."""
    marks: alt.Chart = alt.Chart(trials).mark_point(
        shape=_CROSS, filled=False, strokeWidth=2, size=60, yOffset=-8 if down else 8
    )
    tooltip = ["trial:Q", "learner:N", "status:N", "message:N"]
    return marks.encode(x=x, y=alt.Y("edge:Q", scale=scale), color=_color(used), tooltip=tooltip)


def baseline_points(
    points: pd.DataFrame, metric: Metric, axis: ScoreAxis, x: alt.X, scale: alt.Scale, end: float, by: str
) -> list[alt.Chart]:
    """Return the baselines with their names: rings, or arrows at the edge where the axis does not reach them."""
    layers: list[alt.Chart] = []
    down = metric.larger_is_better
    edge = axis.low if down else axis.high
    within = points["score"].between(axis.low, axis.high)
    shown = points.assign(y=points["score"].where(within, edge))
    for inside, late in [(inside, late) for inside in (True, False) for late in (True, False)]:
        rows = shown[(within == inside) & ((shown[by] > end / 2) == late)]
        if rows.empty:
            continue
        base = alt.Chart(rows).encode(
            x=x, y=alt.Y("y:Q", title=f"{metric.title}, CV mean", scale=scale), tooltip=["label:N"]
        )
        shape, offset = "circle", 0
        if not inside:
            shape, offset = ("triangle-down", -8) if down else ("triangle-up", 8)
        layers.append(
            base.mark_point(
                shape=shape, filled=not inside, size=70, strokeWidth=2, color=theme.muted(), opacity=1, yOffset=offset
            )
        )
        gap = 14 if inside == down else -14
        if not inside:
            gap *= 2  # above the arrows of trials and their scores
        layers += [
            base.mark_text(
                align="right" if late else "left",
                dx=-9 if late else 9,
                dy=gap,
                fontSize=12,
                fontStyle="italic",
                **style,
            ).encode(text="label:N")
            for style in (
                {"color": theme.ground(), "stroke": theme.ground(), "strokeWidth": 4},
                {"color": theme.text()},
            )
        ]
    return layers


def star(winner: pd.DataFrame, end: float, x: alt.X, y: alt.Y, by: str) -> list[alt.Chart]:
    """Return the winner with its name."""
    late = bool(winner[by].iloc[0] > end / 2)
    base = alt.Chart(winner).encode(x=x, y=y)
    mark = base.mark_text(text="★", fontSize=20, color=theme.accent()).encode(tooltip=["label:N"])
    label = base.mark_text(
        align="right" if late else "left", dx=-12 if late else 12, dy=-10, fontWeight="bold", color=theme.text()
    ).encode(text="label:N")
    return [mark, label]
