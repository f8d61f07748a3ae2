"""Charts of the sites: the gain of each over its own model, and the three models beside each other."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from core.charts import fitted, legend_columns
from pages._ui import numbers, theme
from pages.federated.site_evidence import MODELS

__all__ = ["MOST_SITES", "gains", "models"]

MOST_SITES = 40
"""Sites that a chart shows, at most."""
_STEP = 30
_LABEL = 150


def gains(table: pd.DataFrame, metric: str, title: str) -> None:
    """Draw the gain of each site as a dot on its interval; gray where 0 is inside, hollow without an interval."""
    shown = table.assign(interval=table["low"].notna()).astype({"low": float, "high": float})
    color = alt.condition("datum.sure", alt.value(theme.accent()), alt.value(theme.muted()))
    y = _sites(list(shown["site"]))
    x_title = f"Gain in {metric}: shared minus own model"
    x = alt.X("value:Q", title=x_title, scale=alt.Scale(zero=True, padding=12))
    tooltip = [
        "site:N",
        *(alt.Tooltip(f"{name}:Q", format="+,.3f") for name in ("value", "low", "high")),
        alt.Tooltip("n:Q", format=",", title="test rows"),
    ]
    base = alt.Chart(shown)
    lines = (
        base.transform_filter("datum.interval")
        .mark_rule(strokeWidth=3)
        .encode(y=y, x=alt.X("low:Q", title=x_title), x2="high:Q", color=color, tooltip=tooltip)
    )
    dots = base.transform_filter("datum.interval").mark_point(filled=True, size=90, opacity=1)
    hollow = base.transform_filter("!datum.interval").mark_point(filled=False, size=80, strokeWidth=2, opacity=1)
    zero = alt.Chart(pd.DataFrame({"value": [0.0]})).mark_rule(strokeDash=[4, 4], color=theme.muted()).encode(x=x)
    layers = [zero, lines, dots.encode(y=y, x=x, color=color, tooltip=tooltip)]
    layers.append(hollow.encode(y=y, x=x, color=alt.value(theme.muted()), tooltip=tooltip))
    said = ", ".join(
        f"{row.site} {numbers.signed(row.value)} {numbers.interval(row.low, row.high) if row.interval else ''}".strip()
        for row in shown.itertuples()
    )
    st.altair_chart(alt.layer(*layers).properties(height=alt.Step(_STEP), title=fitted(title)), alt=f"{title}: {said}")


def models(table: pd.DataFrame, sites: list[str], metric: str, title: str) -> None:
    """Draw the metric of the shared, own and pooled model of each site, by color and shape."""
    shown = table[table["site"].isin(sites)]
    titles = [name for name in MODELS.values() if name in set(shown["model"])]
    hues = theme.categorical()
    colors = dict(zip(MODELS.values(), (hues[0], hues[1], theme.muted()), strict=True))
    shapes = dict(zip(MODELS.values(), ("circle", "diamond", "square"), strict=True))
    legend = alt.Legend(title=None, orient="bottom", columns=legend_columns(3))
    dots = (
        alt.Chart(shown)
        .mark_point(filled=True, size=90, opacity=0.9)
        .encode(
            y=_sites(sites),
            x=alt.X("value:Q", title=metric, scale=alt.Scale(zero=False, padding=12)),
            color=alt.Color(
                "model:N", scale=alt.Scale(domain=titles, range=[colors[name] for name in titles]), legend=legend
            ),
            shape=alt.Shape(
                "model:N", scale=alt.Scale(domain=titles, range=[shapes[name] for name in titles]), legend=legend
            ),
            tooltip=["site:N", "model:N", alt.Tooltip("value:Q", format=",.4f"), alt.Tooltip("n:Q", title="test rows")],
        )
    )
    span = (
        alt.Chart(shown)
        .mark_rule(color=theme.muted(), opacity=0.5)
        .encode(y=_sites(sites), x=alt.X("min(value):Q", title=metric), x2="max(value):Q")
    )
    said = "; ".join(
        f"{site}: " + ", ".join(f"{row.model} {numbers.score(row.value)}" for row in rows.itertuples())
        for site, rows in shown.groupby("site", sort=False)
    )
    st.altair_chart((span + dots).properties(height=alt.Step(_STEP), title=fitted(title)), alt=f"{title}: {said}")


def _sites(order: list[str]) -> alt.Y:
    return alt.Y("site:N", sort=order, title=None, axis=alt.Axis(labelLimit=_LABEL))
