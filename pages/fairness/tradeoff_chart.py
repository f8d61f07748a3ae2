"""The chart of what each difference between groups costs, with the rule on it."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from core.fairness import ThresholdPolicy
from pages._ui import theme

__all__ = ["show"]


def show(curve: pd.DataFrame, policy: ThresholdPolicy, objective: str) -> None:
    """Draw the cost of each difference, with the rule on it."""
    points = curve.assign(points=100 * curve["disparity"])
    x = alt.X("points:Q", title="Difference between groups (points)")
    y = alt.Y("objective:Q", title=objective.capitalize(), scale=alt.Scale(zero=False))
    line = (
        alt.Chart(points[~points["dominated"]])
        .mark_line(point=True, color=theme.accent())
        .encode(x=x, y=y, tooltip=[alt.Tooltip("points:Q", format=".2f"), alt.Tooltip("objective:Q", format=".4f")])
    )
    own = pd.DataFrame({"points": [100 * policy.expected["violation"]], "objective": [policy.expected["objective"]]})
    dot = alt.Chart(own).mark_point(filled=True, size=160, color=theme.categorical()[1], opacity=1).encode(x=x, y=y)
    heading = "Cost of each difference"
    st.altair_chart(
        (line + dot).properties(height=240, title=heading), alt=f"{heading}: {objective} against difference"
    )
    dominated = int(points["dominated"].sum())
    if dominated:
        left_out = "1 point that another beats" if dominated == 1 else f"{dominated} points that others beat"
        st.caption(f"Left out: {left_out} in both.")
