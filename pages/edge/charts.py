"""Charts of variants and of latency. A variant has the same hue everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from core.edge import FULL_PRECISION, QUANTIZATION_MODES, Variant
from core.edge.latency import LatencyReport
from core.units import latency_text
from pages._ui import charts, theme
from pages.edge.stored import NATIVE

__all__ = [
    "HEIGHT",
    "distribution",
    "few_ticks",
    "gains",
    "milliseconds",
    "percentiles",
    "variant_color",
    "windows",
]

_LEGEND = 60
HEIGHT = charts.HEIGHT + _LEGEND
"""Height of a chart with a legend below it."""


def variant_color(names: Iterable[str], field: str = "variant:N", *, legend: bool = True) -> alt.Color:
    """Return the encoding that gives each variant its hue.

    Parameters
    ----------
    names : iterable of str
        Names of the variants.
    field : str, default="variant:N"
        Field that holds them.
    legend : bool, default=True
        Whether there is a legend, when there are several variants.
    """
    shown, order = set(names), [FULL_PRECISION, *QUANTIZATION_MODES, NATIVE]
    domain = [name for name in order if name in shown] + sorted(shown - set(order))
    hues = theme.categorical()
    indices = [order.index(name) if name in order else index for index, name in enumerate(domain)]
    return alt.Color(
        field,
        scale=alt.Scale(domain=domain, range=[hues[index % len(hues)] for index in indices]),
        legend=alt.Legend(orient="bottom", title=None, labelLimit=240) if legend and len(domain) > 1 else None,
    )


def percentiles(reports: Mapping[str, LatencyReport], title: str) -> None:
    """Draw each percentile that has enough samples as a dot on its interval, by variant.

    Parameters
    ----------
    reports : mapping of str to LatencyReport
        Measurements by variant.
    title : str
        Title of the chart.
    """
    rows = [
        {"variant": name, "percentile": f"p{percent:g}", "order": order, **asdict(percentile)}
        for name, report in reports.items()
        for order, (percent, percentile) in enumerate(report.percentiles.items())
        if percentile.enough
    ]
    if not rows:
        st.caption("No percentile has enough samples: measure for longer.")
        return
    table = pd.DataFrame(rows)
    y = alt.Y("percentile:N", sort=alt.SortField("order"), title=None)
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
            *(alt.Tooltip(f"{name}:Q", format=".4~g", title=f"{name} (ms)") for name in ("value", "low", "high")),
            alt.Tooltip("n:Q", format=",", title="samples"),
        ],
    )
    summary = ", ".join(f"{row.variant} {row.percentile} {row.value:.4g} ms" for row in table.itertuples())
    height = max(26 * table["percentile"].nunique(), 17 * len(table)) + (_LEGEND if len(reports) > 1 else 0)
    st.altair_chart((lines + dots).properties(height=height + 60, title=title), alt=f"{title}: {summary}")


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


def windows(report: LatencyReport, title: str) -> None:
    """Draw the warm-up's requests in their order, and the medians of the three windows after it."""
    warmup = report.warmup.samples_ms
    table = pd.DataFrame({"request": range(1, len(warmup) + 1), "ms": warmup})
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
        alt.Chart(pd.DataFrame({"ms": report.windows_ms}))
        .mark_rule(strokeDash=[4, 4], color=theme.muted())
        .encode(y="ms:Q")
    )
    st.altair_chart((chart + medians).properties(height=220, title=title), alt=title)


def gains(variants: Sequence[Variant], metric: str, title: str, *, percent: bool) -> None:
    """Draw the gain of each variant over fp32 in one metric, with its interval; zero means no change.

    Parameters
    ----------
    variants : sequence of Variant
        The variants.
    metric : str
        Name of the metric.
    title : str
        Title of the metric.
    percent : bool
        Whether the metric is shown in percentage points.
    """
    scale = 100.0 if percent else 1.0
    rows = [
        {
            "variant": variant.name,
            "order": order,
            **{name: scale * getattr(variant.comparison.gains[metric], name) for name in ("value", "low", "high")},
        }
        for order, variant in enumerate(variants)
        if variant.comparison is not None and metric in variant.comparison.gains
    ]
    if not rows:
        return
    table = pd.DataFrame(rows)
    unit = " (percentage points)" if percent else ""
    y = alt.Y("variant:N", sort=alt.SortField("order"), title=None, axis=alt.Axis(labelLimit=180))
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
    summary = ", ".join(f"{row.variant} {row.value:+.2f}" for row in table.itertuples())
    st.altair_chart((zero + lines + dots).properties(height=alt.Step(34)), alt=f"{title}{unit}: {summary}")


def few_ticks() -> alt.Axis:
    """Return an axis whose labels do not run into each other on a logarithmic scale."""
    return alt.Axis(tickCount=5, format="~g", labelOverlap=True)


def milliseconds(value: float | None) -> str:
    """Write a latency in the unit that fits, with three significant digits.

    Examples
    --------
    >>> milliseconds(0.025914), milliseconds(17.569), milliseconds(None)
    ('25.9 µs', '17.6 ms', '–')
    """
    return latency_text(value)
