"""Charts of estimates with their intervals: of models, of groups, of columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from core.charts.headings import fitted
from core.charts.palette import DrawnChart, Palette

__all__ = ["MAX_GROUPS", "bar_chart", "group_intervals_chart", "intervals_chart"]

MAX_GROUPS = 40
"""Groups that a chart draws at most."""

_MAX_BARS = 15
_LABEL = alt.Axis(labelLimit=200, labelFlush=False)
_VALUES = ("value", "low", "high")


def intervals_chart(estimates: Mapping[str, Mapping[str, Any]], metric: str, palette: Palette) -> DrawnChart:
    """Return one metric of several models as dots with their 95% intervals; the first model is in focus.

    Parameters
    ----------
    estimates : mapping
        value, low, high and n by the name of a model.
    metric : str
        Title of the metric.
    palette : Palette
        Colors.
    """
    first = next(iter(estimates))
    table = pd.DataFrame([{"model": name, **item} for name, item in estimates.items()])
    color = alt.condition(alt.datum.model == first, alt.value(palette.accent), alt.value(palette.muted))
    y = alt.Y("model:N", sort=alt.SortField("position"), title=None, axis=alt.Axis(labelLimit=160, labelFlush=False))
    table["position"] = range(len(table))
    base = alt.Chart(table)
    lines = base.mark_rule(strokeWidth=3).encode(
        y=y,
        x=alt.X("low:Q", title=metric, scale=alt.Scale(zero=False, padding=12), axis=alt.Axis(tickCount=8)),
        x2="high:Q",
        color=color,
    )
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(
        y=y,
        x="value:Q",
        color=color,
        tooltip=["model:N", *(alt.Tooltip(f"{name}:Q", format=",.4f") for name in _VALUES)],
    )
    values = ", ".join(f"{row.model} {row.value:.4f}" for row in table.itertuples())
    return DrawnChart((lines + dots).properties(height=alt.Step(34)), f"{metric}: {values}")


def group_intervals_chart(
    table: pd.DataFrame, title: str, palette: Palette, *, percent: bool, by: str = "group"
) -> DrawnChart:
    """Return a metric of each group as a dot on its interval, the highest first; small groups are gray.

    Parameters
    ----------
    table : DataFrame
        Columns group, value, low, high, n, small, with one value at least. At most 40 groups are drawn.
    title : str
        Title of the metric.
    palette : Palette
        Colors.
    percent : bool
        Whether the metric is a share, to be shown in percent.
    by : str, default="group"
        Words for what the groups are of, in the heading.
    """
    shown = table[table["value"].notna()].sort_values("value", ascending=False).head(MAX_GROUPS).copy()
    scale = 100.0 if percent else 1.0
    for name in _VALUES:
        shown[name] = shown[name].astype(float) * scale
    shown["position"] = range(len(shown))
    shown["few rows"] = shown["small"].map({True: "yes", False: "no"})
    unit = " (%)" if percent else ""
    color = alt.condition("datum.small", alt.value(palette.muted), alt.value(palette.accent))
    y = alt.Y("group:N", sort=alt.SortField("position"), title=None, axis=alt.Axis(labelLimit=180))
    base = alt.Chart(shown)
    x = alt.X("low:Q", title=title + unit, scale=alt.Scale(zero=False, padding=12))
    lines = base.mark_rule(strokeWidth=3).encode(y=y, x=x, x2="high:Q", color=color)
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(
        y=y,
        x="value:Q",
        color=color,
        tooltip=[
            "group:N",
            *(alt.Tooltip(f"{name}:Q", format=",.4g") for name in _VALUES),
            alt.Tooltip("n:Q", format=",", title="rows"),
            "few rows:N",
        ],
    )
    values = ", ".join(f"{row.group} {row.value:.3g}" for row in shown.itertuples())
    heading = f"{title} by {by}, with 95% intervals"
    chart = (lines + dots).properties(height=alt.Step(30), title=fitted(heading))
    return DrawnChart(chart, f"{heading}: {values}")


def bar_chart(
    table: pd.DataFrame, x_title: str, heading: str, palette: Palette, *, max_bars: int = _MAX_BARS
) -> DrawnChart:
    """Return bars with their 95% intervals, in the order of the table.

    Parameters
    ----------
    table : DataFrame
        Columns name, value, low, high, n.
    x_title, heading : str
        Titles of the axis and of the chart.
    palette : Palette
        Colors.
    max_bars : int, default=15
        Number of rows of the table that are drawn.
    """
    shown = table.head(max_bars).assign(position=range(min(max_bars, len(table))))
    y = alt.Y("name:N", sort=alt.SortField("position"), title=None, axis=_LABEL)
    base = alt.Chart(shown)
    tooltip = [
        "name:N",
        *(alt.Tooltip(f"{name}:Q", format=",.4g") for name in _VALUES),
        alt.Tooltip("n:Q", format=",", title="rows behind it"),
    ]
    bars = base.mark_bar(color=palette.accent, height=14).encode(
        y=y, x=alt.X("value:Q", title=x_title), tooltip=tooltip
    )
    lines = base.mark_rule(color=palette.muted, strokeWidth=2).encode(y=y, x="low:Q", x2="high:Q")
    summary = ", ".join(f"{row.name} {row.value:.3g}" for row in shown.itertuples(index=False))
    chart = (bars + lines).properties(height=alt.Step(26), title=fitted(heading))
    return DrawnChart(chart, f"{heading}: {summary}")
