"""Charts that several pages draw. Each title says what the chart shows; colors come from the theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from pages._ui import frame, theme
from pages._ui.tables import TargetSummary
from pages._ui.titles import fitted

__all__ = ["HEIGHT", "calibration", "confusion", "curve", "group_intervals", "intervals", "target"]

HEIGHT = 300


def intervals(estimates: Mapping[str, Mapping[str, Any]], metric: str) -> None:
    """Draw one metric of several models as dots with their 95% intervals; the first model is in focus."""
    first = next(iter(estimates))
    table = pd.DataFrame([{"model": name, **item} for name, item in estimates.items()])
    color = alt.condition(alt.datum.model == first, alt.value(theme.accent()), alt.value(theme.muted()))
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
        tooltip=["model:N", *(alt.Tooltip(f"{name}:Q", format=",.4f") for name in ("value", "low", "high"))],
    )
    values = ", ".join(f"{row.model} {row.value:.4f}" for row in table.itertuples())
    st.altair_chart((lines + dots).properties(height=alt.Step(34)), alt=f"{metric}: {values}")


def curve(
    x: Sequence[float], y: Sequence[float], *, x_title: str, y_title: str, title: str, chance: float | str | None = None
) -> None:
    """Draw a curve in the unit square; `chance` is a level, or "diagonal"."""
    scale = alt.Scale(domain=[0, 1])
    axes = {"x": alt.X("x:Q", title=x_title, scale=scale), "y": alt.Y("y:Q", title=y_title, scale=scale)}
    points = pd.DataFrame({"x": x, "y": y, "position": range(len(x))})
    layers = [alt.Chart(points).mark_line(color=theme.accent(), strokeWidth=2).encode(**axes, order="position:Q")]
    if chance is not None:
        ends = [0.0, 1.0] if chance == "diagonal" else [float(chance)] * 2
        reference = pd.DataFrame({"x": [0.0, 1.0], "y": ends})
        layers.append(alt.Chart(reference).mark_line(strokeDash=[4, 4], color=theme.muted()).encode(**axes))
    st.altair_chart(alt.layer(*layers).properties(height=HEIGHT, title=fitted(title)), alt=title)


def calibration(points: pd.DataFrame, title: str) -> None:
    """Draw predicted against observed shares by bin (columns: predicted, observed, low, high, n)."""
    scale = alt.Scale(domain=[0, 1])
    x = alt.X("predicted:Q", title="Predicted probability", scale=scale)
    base = alt.Chart(points)
    bars = base.mark_rule(color=theme.accent()).encode(x=x, y=alt.Y("low:Q", title="Observed share"), y2="high:Q")
    dots = base.mark_point(filled=True, size=60, color=theme.accent()).encode(
        x=x,
        y=alt.Y("observed:Q", scale=scale, title="Observed share"),
        tooltip=[
            alt.Tooltip("predicted:Q", format=".3f"),
            alt.Tooltip("observed:Q", format=".3f"),
            alt.Tooltip("n:Q", format=",", title="rows"),
        ],
    )
    diagonal = (
        alt.Chart(pd.DataFrame({"predicted": [0.0, 1.0], "observed": [0.0, 1.0]}))
        .mark_line(strokeDash=[4, 4], color=theme.muted())
        .encode(x="predicted:Q", y="observed:Q")
    )
    st.altair_chart((diagonal + bars + dots).properties(height=HEIGHT, title=fitted(title)), alt=title)


def confusion(labels: Sequence[str], counts: Sequence[Sequence[int]], title: str) -> None:
    """Draw a confusion matrix: rows are actual classes, shaded by their share of the row."""
    rows = []
    for true, line in zip(labels, counts, strict=True):
        total = sum(line) or 1
        rows += [
            {"Actual": true, "Predicted": predicted, "Rows": count, "Share": count / total}
            for predicted, count in zip(labels, line, strict=True)
        ]
    table = pd.DataFrame(rows)
    order = list(labels)
    base = alt.Chart(table).encode(
        x=alt.X("Predicted:N", sort=order, axis=alt.Axis(labelAngle=0, labelLimit=140, orient="top")),
        y=alt.Y("Actual:N", sort=order, axis=alt.Axis(labelLimit=140)),
    )
    squares = base.mark_rect().encode(
        color=alt.Color("Share:Q", scale=alt.Scale(range=theme.sequential(), domain=[0, 1]), legend=None),
        tooltip=[
            "Actual:N",
            "Predicted:N",
            alt.Tooltip("Rows:Q", format=","),
            alt.Tooltip("Share:Q", format=".1%", title="of the actual class"),
        ],
    )
    layers = [squares]
    if len(order) <= 12:
        light, dark = theme.on_sequential()
        layers.append(
            base.mark_text(fontSize=13).encode(
                text=alt.Text("Rows:Q", format=","),
                color=alt.condition(f"datum.Share > {theme.strong_from()}", alt.value(dark), alt.value(light)),
            )
        )
    st.altair_chart(alt.layer(*layers).properties(height=HEIGHT, title=fitted(title)), alt=title)


def group_intervals(table: pd.DataFrame, title: str, *, percent: bool) -> None:
    """Draw a metric of each group as a dot on its interval, the highest first; small groups are gray.

    Columns: group, value, low, high, n, small. At most 40 groups are drawn.
    """
    shown = table[table["value"].notna()].sort_values("value", ascending=False).head(40).copy()
    if shown.empty:
        st.caption(f"{title} is not known for any group.")
        return
    scale = 100.0 if percent else 1.0
    for name in ("value", "low", "high"):
        shown[name] = shown[name].astype(float) * scale
    shown["position"] = range(len(shown))
    shown["few rows"] = shown["small"].map({True: "yes", False: "no"})
    unit = " (%)" if percent else ""
    color = alt.condition("datum.small", alt.value(theme.muted()), alt.value(theme.accent()))
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
            *(alt.Tooltip(f"{name}:Q", format=",.4g") for name in ("value", "low", "high")),
            alt.Tooltip("n:Q", format=",", title="rows"),
            "few rows:N",
        ],
    )
    values = ", ".join(f"{row.group} {row.value:.3g}" for row in shown.itertuples())
    heading = f"{title} by group, with 95% intervals"
    st.altair_chart((lines + dots).properties(height=alt.Step(30), title=fitted(heading)), alt=f"{heading}: {values}")
    if len(table) > len(shown):
        st.caption(f"The chart shows {len(shown)} of {len(table):,} groups; the table has all.")


def target(summary: TargetSummary, name: str) -> None:
    """Draw the share of each class, or describe the numbers."""
    known = summary.rows - summary.missing
    missing = f"; {summary.missing:,} rows without one are left out" if summary.missing else ""
    if summary.task == "regression":
        st.caption(f"{frame.plain(name)} is a number with {summary.distinct:,} distinct values{missing}.")
        return
    table = pd.DataFrame({"Class": list(summary.counts), "Rows": list(summary.counts.values())})
    table["Share"] = table["Rows"] / max(known, 1)
    table["Order"] = range(len(table))
    chart = (
        alt.Chart(table)
        .mark_bar(height=22)
        .encode(
            x=alt.X("Rows:Q", stack="normalize", axis=None),
            color=alt.Color(
                "Class:N",
                scale=alt.Scale(domain=list(table["Class"]), range=theme.categorical()),
                legend=alt.Legend(orient="bottom", title=None, labelLimit=240),
            ),
            order="Order:Q",
            tooltip=["Class:N", alt.Tooltip("Rows:Q", format=","), alt.Tooltip("Share:Q", format=".1%")],
        )
        .properties(height=84)
    )
    shares = ", ".join(f"{name} {share:.1%}" for name, share in zip(table["Class"], table["Share"], strict=True))
    st.altair_chart(chart, alt=f"Share of each class: {shares}")
    rest = summary.distinct - len(table)
    more = f", and {rest:,} more classes" if rest > 0 else ""
    st.caption(f"{known:,} rows: {frame.plain(shares)}{more}{missing}.")
