"""Whether more rows would help: the score by the number of training rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from core.automl import METRICS, LearningCurve, describe_curve
from core.charts import fitted
from pages._ui import frame, theme
from pages._ui.charts import HEIGHT

__all__ = ["show"]


def show(record: Mapping[str, Any]) -> None:
    """Draw the sentence and the curve; nothing for results of earlier versions, which have none."""
    if not record.get("learning_curve"):
        return
    curve = LearningCurve.from_dict(record["learning_curve"])
    st.markdown("**Would more rows help?**")
    st.markdown(frame.plain(describe_curve(curve)))
    if len(curve.points) < 2:
        return
    metric = METRICS[curve.metric]
    folds = pd.DataFrame(
        [
            {"rows": point.rows, "score": score, "fold": fold}
            for point in curve.points
            for fold, score in enumerate(point.scores, start=1)
        ]
    )
    means = pd.DataFrame([{"rows": point.rows, "score": point.score, "share": point.share} for point in curve.points])
    title = metric.title + ("" if metric.larger_is_better else " (smaller is better)")
    x = alt.X("rows:Q", title="Training rows", scale=alt.Scale(type="log", nice=False, padding=12))
    y = alt.Y("score:Q", title=f"{title}, cross-validation", scale=alt.Scale(zero=False))
    x = x.axis(values=means["rows"].tolist(), format=",d", labelOverlap=False)
    dots = (
        alt.Chart(folds)
        .mark_circle(size=25, opacity=0.5, color=theme.muted())
        .encode(x=x, y=y, tooltip=[alt.Tooltip("rows:Q", format=","), "fold:O", alt.Tooltip("score:Q", format=".4f")])
    )
    line = (
        alt.Chart(means)
        .mark_line(color=theme.accent(), strokeWidth=2, point=alt.OverlayMarkDef(size=70, color=theme.accent()))
        .encode(
            x=x,
            y=y,
            tooltip=[
                alt.Tooltip("rows:Q", format=",", title="training rows"),
                alt.Tooltip("share:Q", format=".0%", title="share of all"),
                alt.Tooltip("score:Q", format=".4f", title="mean"),
            ],
        )
    )
    values = ", ".join(f"{point.rows:,} rows {point.score:.4g}" for point in curve.points)
    heading = f"{metric.title} by the number of training rows"
    st.altair_chart(
        (dots + line).properties(height=HEIGHT, title=fitted(heading)),
        alt=f"{heading}: {values}",
    )
    missing = f" Some points are missing: {frame.plain(curve.reason)}." if curve.reason else ""
    st.caption(
        f"The line is the mean over {len(curve.points[-1].scores)} folds, each of which is a pale dot. Each fold is "
        f"scored on the same rows, whatever share of its training rows was learned from.{missing}"
    )
