"""Cost or profit at each threshold, with its interval."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from core.charts import fitted
from core.decisions import DecisionCurve
from pages._ui import numbers, theme
from pages._ui.charts import HEIGHT
from pages.decide import costs as costs_form

__all__ = ["show"]

_POINTS = 300


def show(curve: DecisionCurve, threshold: float) -> None:
    """Draw the curve with the chosen threshold on it."""
    scores = curve.rows.score
    low, high = float(scores.min()), float(scores.max())
    table, costs = curve.table, curve.costs
    keep = np.unique(np.linspace(0, len(table) - 1, _POINTS).round().astype(int))
    shown = pd.DataFrame(
        {
            "threshold": table["threshold"].iloc[keep].clip(low, high),
            "selected": 100 * curve.selected[keep],
            **{
                name: [costs_form.as_amount(value, costs) for value in table[name].iloc[keep]]
                for name in ("cost", "low", "high")
            },
        }
    )
    word = "Profit" if costs_form.is_profit(costs) else "Cost"
    x = alt.X("threshold:Q", title="Threshold", scale=alt.Scale(domain=[low, high], nice=False))
    axis = f"{word} per 1,000 rows"
    base = alt.Chart(shown)
    layers = [
        base.mark_line(color=theme.accent(), strokeWidth=2).encode(
            x=x,
            y=alt.Y("cost:Q", title=axis, scale=alt.Scale(zero=False)),
            tooltip=[
                alt.Tooltip("threshold:Q", format=".4f", title="threshold"),
                alt.Tooltip("cost:Q", format=",.1f", title=word.lower()),
                alt.Tooltip("low:Q", format=",.1f", title="95% from"),
                alt.Tooltip("high:Q", format=",.1f", title="to"),
                alt.Tooltip("selected:Q", format=".1f", title="selected (%)"),
            ],
        )
    ]
    if not curve.reason:
        layers.insert(0, base.mark_area(color=theme.accent(), opacity=0.18).encode(x=x, y="low:Q", y2="high:Q"))
    chosen = pd.DataFrame({"threshold": [min(max(threshold, low), high)]})
    layers.append(
        alt.Chart(chosen).mark_rule(color=theme.categorical()[1], strokeWidth=2, strokeDash=[5, 4]).encode(x=x)
    )
    best = curve.best
    heading = f"{axis} at each threshold, with 95% intervals"
    value = numbers.rounded(costs_form.as_amount(best.cost, costs))
    st.altair_chart(
        alt.layer(*layers).properties(height=HEIGHT, title=fitted(heading)),
        alt=f"{heading}: best at {best.threshold:.4g}, {value}",
    )
