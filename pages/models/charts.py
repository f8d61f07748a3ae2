"""Charts of models: the difference of two, and the distribution of predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd
import streamlit as st

from core.charts import fitted
from core.evaluation import Estimate
from pages._ui import charts, theme

__all__ = ["difference", "histogram", "shares"]


def difference(gain: Estimate, about: str, axis: str) -> None:
    """Draw a paired difference as a dot on its interval, with a line at zero."""
    table = pd.DataFrame([{"of": about, "value": gain.value, "low": gain.low, "high": gain.high, "n": gain.n}])
    base = alt.Chart(table)
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(strokeDash=[4, 4], color=theme.muted()).encode(x="zero:Q")
    y = alt.Y("of:N", title=None, axis=alt.Axis(labelLimit=180))
    x = alt.X("low:Q", title=axis, scale=alt.Scale(padding=12), axis=alt.Axis(tickCount=8))
    lines = base.mark_rule(strokeWidth=3, color=theme.accent()).encode(y=y, x=x, x2="high:Q")
    dots = base.mark_point(filled=True, size=90, opacity=1, color=theme.accent()).encode(
        y=y,
        x="value:Q",
        tooltip=[
            *(alt.Tooltip(f"{part}:Q", format="+.4f") for part in ("value", "low", "high")),
            alt.Tooltip("n:Q", format=",", title="rows"),
        ],
    )
    alt_text = f"{axis}: {gain.value:+.4f}, no interval"
    if gain.low is not None and gain.high is not None:
        alt_text = f"{axis}: {gain.value:+.4f}, from {gain.low:+.4f} to {gain.high:+.4f}"
    st.altair_chart((zero + lines + dots).properties(height=alt.Step(40)), alt=alt_text)


def histogram(edges: Sequence[float], counts: Sequence[int], x_title: str, title: str) -> None:
    """Draw the number of rows in each bin."""
    table = pd.DataFrame({"from": edges[:-1], "to": edges[1:], "rows": counts})
    chart = (
        alt.Chart(table)
        .mark_bar(color=theme.accent())
        .encode(
            x=alt.X("from:Q", bin="binned", title=x_title, axis=alt.Axis(tickCount=8, format=",.4~g")),
            x2="to:Q",
            y=alt.Y("rows:Q", title="Rows"),
            tooltip=[
                alt.Tooltip("from:Q", format=",.4~g"),
                alt.Tooltip("to:Q", format=",.4~g"),
                alt.Tooltip("rows:Q", format=","),
            ],
        )
        .properties(height=charts.HEIGHT, title=fitted(title))
    )
    st.altair_chart(chart, alt=title)


def shares(counts: Mapping[str, int], title: str) -> None:
    """Draw the share of rows of each label, the most frequent first."""
    total = sum(counts.values()) or 1
    table = pd.DataFrame({"label": list(counts), "rows": list(counts.values())})
    table["percent"] = 100 * table["rows"] / total
    chart = (
        alt.Chart(table)
        .mark_bar(color=theme.accent(), height={"band": 0.7})
        .encode(
            x=alt.X("percent:Q", title="Rows (%)"),
            y=alt.Y("label:N", sort="-x", title=None, axis=alt.Axis(labelLimit=220)),
            tooltip=["label:N", alt.Tooltip("rows:Q", format=","), alt.Tooltip("percent:Q", format=".1f")],
        )
        .properties(height=alt.Step(34), title=fitted(title))
    )
    listed = ", ".join(f"{row.label} {row.percent:.1f}%" for row in table.itertuples())
    st.altair_chart(chart, alt=f"{title}: {listed}")
