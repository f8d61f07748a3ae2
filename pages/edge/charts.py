"""Charts of variants and of latency. A variant has the same hue everywhere."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from core.edge import QUANTIZATION_MODES
from pages._ui import charts, theme
from pages.edge.figures import NATIVE

__all__ = [
    "HEIGHT",
    "distribution",
    "gains",
    "milliseconds",
    "percentiles",
    "variant_color",
    "windows",
]

_LEGEND = 60
HEIGHT = charts.HEIGHT + _LEGEND
"""Of a chart with a legend below it: both have to fit."""

_ORDER = ("fp32", *QUANTIZATION_MODES, NATIVE)


def variant_color(names: Iterable[str], field: str = "variant:N", *, legend: bool = True) -> alt.Color:
    """Return the encoding that gives each variant its hue."""
    shown = set(names)
    domain = [name for name in _ORDER if name in shown] + sorted(shown - set(_ORDER))
    hues = theme.categorical()
    places = [_ORDER.index(name) if name in _ORDER else place for place, name in enumerate(domain)]
    return alt.Color(
        field,
        scale=alt.Scale(domain=domain, range=[hues[place % len(hues)] for place in places]),
        legend=alt.Legend(orient="bottom", title=None, labelLimit=240) if legend and len(domain) > 1 else None,
    )


def percentiles(reports: Mapping[str, Mapping[str, Any]], title: str) -> None:
    """Draw each percentile that has enough samples as a dot on its interval, by variant."""
    rows = [
        {"variant": name, "percentile": f"p{percent}", "place": place, **item}
        for name, report in reports.items()
        for place, (percent, item) in enumerate(report["percentiles"].items())
        if item["enough"]
    ]
    if not rows:
        st.caption("No percentile has enough samples: measure for longer.")
        return
    table = pd.DataFrame(rows)
    y = alt.Y("percentile:N", sort=alt.SortField("place"), title=None)
    offset = alt.YOffset("variant:N", sort=list(reports))
    x = alt.X("low:Q", title="Latency (ms), logarithmic", scale=alt.Scale(type="log", padding=12), axis=few_ticks())
    color = variant_color(reports)
    base = alt.Chart(table)
    lines = base.mark_rule(strokeWidth=3).encode(y=y, yOffset=offset, x=x, x2="high:Q", color=color)
    dots = base.mark_point(filled=True, size=80, opacity=1).encode(
        y=y,
        yOffset=offset,
        x="value:Q",
        color=color,
        tooltip=[
            "variant:N",
            "percentile:N",
            *(alt.Tooltip(f"{each}:Q", format=".4~g", title=f"{each} (ms)") for each in ("value", "low", "high")),
            alt.Tooltip("n:Q", format=",", title="samples"),
        ],
    )
    told = ", ".join(f"{row.variant} {row.percentile} {row.value:.4g} ms" for row in table.itertuples())
    height = max(26 * table["percentile"].nunique(), 17 * len(table)) + (_LEGEND if len(reports) > 1 else 0)
    st.altair_chart((lines + dots).properties(height=height + 60, title=title), alt=f"{title}: {told}")


def distribution(samples: pd.DataFrame, title: str) -> None:
    """Draw the share of requests by latency, in bins of equal width on a logarithmic axis, by variant."""
    values = samples["ms"].to_numpy()
    low, high = float(values.min()), float(np.quantile(values, 0.9995))
    edges = np.geomspace(low * 0.999, max(high, low * 1.01) * 1.001, 61)
    rows = []
    for name, part in samples.groupby("variant", sort=False)["ms"]:
        counts, _ = np.histogram(part, edges)
        rows += [
            {"variant": name, "ms": begin, "to": end, "share": 100 * count / len(part)}
            for begin, end, count in zip(edges[:-1], edges[1:], counts, strict=True)
        ]
    chart = (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X(
                "ms:Q", title="Latency (ms), logarithmic", scale=alt.Scale(type="log", nice=False), axis=few_ticks()
            ),
            y=alt.Y("share:Q", title="Requests (%)"),
            color=variant_color(samples["variant"].unique()),
            tooltip=[
                "variant:N",
                alt.Tooltip("ms:Q", format=".4~g", title="from (ms)"),
                alt.Tooltip("to:Q", format=".4~g", title="to (ms)"),
                alt.Tooltip("share:Q", format=".2f", title="requests (%)"),
            ],
        )
        .properties(height=HEIGHT, title=title)
    )
    st.altair_chart(chart, alt=title)
    beyond = int((values > edges[-1]).sum())
    if beyond:
        st.caption(
            f"{beyond:,} of {len(values):,} requests took longer than the axis shows; the percentiles have them."
        )


def windows(report: Mapping[str, Any], title: str) -> None:
    """Draw the warm-up's requests in their order, and the medians of the three windows after it."""
    warm = report["warmup"]["samples_ms"]
    table = pd.DataFrame({"request": range(1, len(warm) + 1), "ms": warm})
    chart = (
        alt.Chart(table)
        .mark_line(color=theme.accent(), strokeWidth=1.5)
        .encode(
            x=alt.X("request:Q", title="Request of the warm-up"),
            y=alt.Y("ms:Q", title="Latency (ms), logarithmic", scale=alt.Scale(type="log"), axis=few_ticks()),
            tooltip=["request:Q", alt.Tooltip("ms:Q", format=".4~g")],
        )
    )
    medians = (
        alt.Chart(pd.DataFrame({"ms": report["windows_ms"]}))
        .mark_rule(strokeDash=[4, 4], color=theme.muted())
        .encode(y="ms:Q")
    )
    st.altair_chart((chart + medians).properties(height=220, title=title), alt=title)


def gains(variants: Sequence[Mapping[str, Any]], metric: str, title: str, *, percent: bool) -> None:
    """Draw what each variant gains over fp32 in one metric, with its interval; zero is no change."""
    scale = 100.0 if percent else 1.0
    rows = [
        {
            "variant": item["name"],
            "place": place,
            **{name: scale * item["comparison"]["gains"][metric][name] for name in ("value", "low", "high")},
        }
        for place, item in enumerate(variants)
        if item["comparison"] and metric in item["comparison"]["gains"]
    ]
    if not rows:
        return
    table = pd.DataFrame(rows)
    unit = " (percentage points)" if percent else ""
    y = alt.Y("variant:N", sort=alt.SortField("place"), title=None, axis=alt.Axis(labelLimit=180))
    color = variant_color(table["variant"], legend=False)
    base = alt.Chart(table)
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(strokeDash=[4, 4], color=theme.muted()).encode(x="zero:Q")
    lines = base.mark_rule(strokeWidth=3).encode(
        y=y, x=alt.X("low:Q", title=title + unit, axis=alt.Axis(tickCount=8)), x2="high:Q", color=color
    )
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(
        y=y,
        x="value:Q",
        color=color,
        tooltip=["variant:N", *(alt.Tooltip(f"{name}:Q", format="+.2f") for name in ("value", "low", "high"))],
    )
    told = ", ".join(f"{row.variant} {row.value:+.2f}" for row in table.itertuples())
    st.altair_chart((zero + lines + dots).properties(height=alt.Step(34)), alt=f"{title}{unit}: {told}")


def few_ticks() -> alt.Axis:
    """Return an axis whose labels do not run into each other on a logarithmic scale."""
    return alt.Axis(tickCount=5, format="~g", labelOverlap=True)


def milliseconds(value: float | None) -> str:
    """Write a latency with three significant digits.

    Examples
    --------
    >>> milliseconds(0.025914), milliseconds(17.569), milliseconds(None)
    ('0.0259 ms', '17.6 ms', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.0f} ms" if value >= 1000 else f"{value:.3g} ms"
