"""The AutoML page's own charts. Each title states what the chart shows; colours come from the theme."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from core.automl import LEARNERS
from pages._ui import theme
from pages._ui.charts import HEIGHT

__all__ = ["best_so_far", "errors", "residuals"]


def best_so_far(trials: pd.DataFrame, metric: str, *, larger_is_better: bool) -> None:
    """Draw each trial's score as a dot and the best so far as a line (columns: elapsed_s, score, best, learner)."""
    color = alt.Color(
        "learner:N",
        scale=alt.Scale(domain=list(LEARNERS.values()), range=theme.categorical()),
        legend=alt.Legend(title=None, orient="bottom"),
    )
    x = alt.X("elapsed_s:Q", title="Elapsed (s)")
    # A failed first trial would flatten all others: the axis follows the better half.
    edge = trials["score"].quantile(0.25 if larger_is_better else 0.75)
    best = trials["best"].iloc[-1]
    room = abs(best - edge) or abs(best) * 0.01 or 0.01
    domain = [edge - 0.2 * room, best + 0.2 * room] if larger_is_better else [best - 0.2 * room, edge + 0.2 * room]
    y = alt.Y("score:Q", title=metric, scale=alt.Scale(domain=sorted(domain), clamp=True, nice=False))
    dots = (
        alt.Chart(trials)
        .mark_circle(size=45, opacity=0.6)
        .encode(
            x=x,
            y=y,
            color=color,
            tooltip=["learner:N", alt.Tooltip("score:Q", format=".4f"), alt.Tooltip("elapsed_s:Q", format=".1f")],
        )
    )
    line = (
        alt.Chart(trials)
        .mark_line(interpolate="step-after", color=theme.accent(), strokeWidth=2)
        .encode(x=x, y=alt.Y("best:Q", scale=alt.Scale(domain=sorted(domain), clamp=True, nice=False)))
    )
    st.altair_chart(
        (line + dots).properties(height=260),
        alt=f"Best {metric} so far {best:.4f} after {len(trials)} trials",
    )


def residuals(points: pd.DataFrame, title: str) -> None:
    """Draw predicted against actual values (columns: actual, predicted)."""
    low = float(points.min().min())
    high = float(points.max().max())
    scale = alt.Scale(domain=[low, high], nice=True)
    dots = (
        alt.Chart(points)
        .mark_circle(size=25, opacity=0.4, color=theme.accent())
        .encode(
            x=alt.X("predicted:Q", title="Predicted", scale=scale),
            y=alt.Y("actual:Q", title="Actual", scale=scale),
            tooltip=["actual:Q", "predicted:Q"],
        )
    )
    diagonal = (
        alt.Chart(pd.DataFrame({"predicted": [low, high], "actual": [low, high]}))
        .mark_line(strokeDash=[4, 4], color=theme.muted())
        .encode(x="predicted:Q", y="actual:Q")
    )
    st.altair_chart((dots + diagonal).properties(height=HEIGHT, title=title), alt=title)


def errors(points: pd.DataFrame, title: str) -> None:
    """Draw the errors against the predicted values (columns: actual, predicted)."""
    table = points.assign(error=points["actual"] - points["predicted"])
    dots = (
        alt.Chart(table)
        .mark_circle(size=25, opacity=0.4, color=theme.accent())
        .encode(
            x=alt.X("predicted:Q", title="Predicted", scale=alt.Scale(zero=False)),
            y=alt.Y("error:Q", title="Actual minus predicted"),
            tooltip=["actual:Q", "predicted:Q", "error:Q"],
        )
    )
    zero = (
        alt.Chart(pd.DataFrame({"error": [0.0]})).mark_rule(strokeDash=[4, 4], color=theme.muted()).encode(y="error:Q")
    )
    st.altair_chart((dots + zero).properties(height=HEIGHT, title=title), alt=title)
