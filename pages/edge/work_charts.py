"""Charts of the time of operators, and of the limits of the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import altair as alt
import pandas as pd
import streamlit as st

from core.edge.latency import Roof, Roofline
from pages._ui import theme
from pages.edge.charts import HEIGHT, few_ticks, variant_color

__all__ = ["operators", "roofline"]


def operators(table: pd.DataFrame, title: str) -> None:
    """Draw the share of time of each operator, the longest first.

    Parameters
    ----------
    table : DataFrame
        One row per operator: operator, share, calls, mean_us.
    title : str
        Title of the chart.
    """
    table = table.sort_values("share", ascending=False).head(12)
    table = table.assign(percent=100 * table["share"])
    chart = (
        alt.Chart(table)
        .mark_bar(color=theme.accent(), height={"band": 0.7})
        .encode(
            x=alt.X("percent:Q", title="Time (%)"),
            y=alt.Y("operator:N", sort="-x", title=None, axis=alt.Axis(labelLimit=220)),
            tooltip=[
                "operator:N",
                alt.Tooltip("percent:Q", format=".1f", title="time (%)"),
                alt.Tooltip("calls:Q", format=","),
                alt.Tooltip("mean_us:Q", format=",.1f", title="per call (µs)"),
            ],
        )
        .properties(height=alt.Step(26), title=title)
    )
    st.altair_chart(chart, alt=title)


def roofline(roof: Roof, lines: Mapping[str, Roofline], title: str) -> None:
    """Draw the limits of the machine, and each variant below them.

    Parameters
    ----------
    roof : Roof
        Limits of the machine.
    lines : mapping of str to Roofline
        Comparison by variant.
    title : str
        Title of the chart.
    """
    ridge = roof.gflops / roof.read_gb_s
    intensities = [ridge, *(line.intensity for line in lines.values())]
    begin, end = min(intensities) / 4, max(intensities) * 4
    limit = pd.DataFrame({"intensity": [begin, ridge, end]})
    limit["gflops"] = (limit["intensity"] * roof.read_gb_s).clip(upper=roof.gflops)
    points = pd.DataFrame(
        [{"variant": name, **asdict(line), "percent": 100 * line.share} for name, line in lines.items()]
    )
    x = alt.X(
        "intensity:Q",
        title="Operations per byte, logarithmic",
        scale=alt.Scale(type="log", nice=False),
        axis=few_ticks(),
    )
    y = alt.Y("gflops:Q", title="GFLOP/s, logarithmic", scale=alt.Scale(type="log"), axis=few_ticks())
    roofs = alt.Chart(limit).mark_line(color=theme.muted(), strokeWidth=2).encode(x=x, y=y)
    base = alt.Chart(points).encode(x=x, y=y, color=variant_color(lines))
    dots = base.mark_point(filled=True, size=120, opacity=1).encode(
        tooltip=[
            "variant:N",
            alt.Tooltip("gflops:Q", format=",.1f"),
            alt.Tooltip("percent:Q", format=".1f", title="of the limit (%)"),
            alt.Tooltip("roof_ms:Q", format=".4~g", title="at the limit (ms)"),
        ],
    )
    summary = ", ".join(f"{row.variant} {row.percent:.0f}%" for row in points.itertuples())
    st.altair_chart((roofs + dots).properties(height=HEIGHT, title=title), alt=f"{title}: {summary}")
