"""The tab Sweep: throughput and latency, a heat map over two settings, and the Pareto-optimal combinations."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from core.edge.latency import AXES, LatencySuiteReport
from core.evaluation import METRICS
from pages._ui import frame, theme
from pages.edge import charts

__all__ = ["show"]

_MEASURES = {
    "p50_ms": "Median latency (ms)",
    "throughput": "Rows per second",
    "p99_ms": "p99 (ms)",
    "cpu_s": "CPU s per row",
}
_OTHERS = {
    "variant": "Variant",
    "peak_rss_mb": "Peak memory (MB)",
    "size_mb": "Size (MB)",
    "stable": "Stable",
    "busy": "Busy machine",
    "pareto": "Pareto-optimal",
}


def show(report: LatencySuiteReport) -> None:
    """Draw a sweep."""
    table, axes = pd.DataFrame(report.sweep), list(report.settings.sweep)
    failed = table[table["error"] != ""]
    done = table[table["error"] == ""].dropna(subset=["p50_ms"])
    for row in failed.itertuples():
        title = f"{frame.plain(row.variant)} could not be measured"
        st.warning(frame.plain(row.error), title=title, icon=":material/warning:")
    if done.empty:
        return
    quality = METRICS[report.metric].title if report.metric is not None else "Quality"
    left, right = st.columns(2, gap="medium")
    with left:
        _throughput(done, axes)
    with right:
        _pareto(done, axes, quality)
    _heat(done, axes)
    st.dataframe(
        done.drop(columns=["error", "p90_ms"]).rename(columns=AXES | _MEASURES | _OTHERS | {"accuracy": quality}),
        hide_index=True,
        placeholder="–",
        column_config={title: st.column_config.NumberColumn(format="%.4g") for title in (*_MEASURES.values(), quality)}
        | {title: st.column_config.NumberColumn(format="%.1f") for title in ("Peak memory (MB)", "Size (MB)")},
        alt="All measured combinations",
    )


def _tooltip(axes: list[str]) -> list[alt.Tooltip | str]:
    settings = [alt.Tooltip(f"{name}:N", title=AXES[name]) for name in axes]
    return ["variant:N", *settings, alt.Tooltip("p50_ms:Q", format=".4~g"), alt.Tooltip("throughput:Q", format=",.0f")]


def _throughput(table: pd.DataFrame, axes: list[str]) -> None:
    best = table.loc[table["throughput"].idxmax()]
    title = f"{best['variant']} reaches {best['throughput']:,.0f} rows per second"
    chart = (
        alt.Chart(table)
        .mark_point(filled=True, size=80, opacity=0.9)
        .encode(
            x=alt.X(
                "p50_ms:Q",
                title="Median latency per request (ms), logarithmic",
                scale=alt.Scale(type="log"),
                axis=alt.Axis(tickCount=5, format="~g", labelOverlap=True),
            ),
            y=alt.Y(
                "throughput:Q",
                title="Rows per second, logarithmic",
                scale=alt.Scale(type="log"),
                axis=alt.Axis(tickCount=5, format="~s", labelOverlap=True),
            ),
            color=charts.variant_color(table["variant"].unique()),
            tooltip=_tooltip(axes),
        )
        .properties(height=charts.HEIGHT, title=title)
    )
    st.altair_chart(chart, alt=title)


def _pareto(table: pd.DataFrame, axes: list[str], quality: str) -> None:
    y, name = ("accuracy", quality) if table["accuracy"].notna().any() else ("size_mb", "Size (MB)")
    table = table.assign(best=table["pareto"].map({True: "Pareto-optimal", False: "dominated"}))
    title = f"{int(table['pareto'].sum())} of {len(table)} combinations are Pareto-optimal"
    chart = (
        alt.Chart(table)
        .mark_point(filled=True, opacity=0.9)
        .encode(
            x=alt.X(
                "p50_ms:Q",
                title="Median latency per request (ms), logarithmic",
                scale=alt.Scale(type="log"),
                axis=alt.Axis(tickCount=5, format="~g", labelOverlap=True),
            ),
            y=alt.Y(f"{y}:Q", title=name, scale=alt.Scale(zero=False, padding=16)),
            size=alt.Size(
                "size_mb:Q",
                title="Size (MB)",
                scale=alt.Scale(range=[60, 400]),
                legend=alt.Legend(orient="bottom", values=sorted(table["size_mb"].round(1).unique())[:4]),
            ),
            color=alt.condition(
                "datum.pareto", charts.variant_color(table["variant"].unique()), alt.value(theme.muted())
            ),
            tooltip=[*_tooltip(axes), alt.Tooltip(f"{y}:Q", title=name, format=".4~g"), "best:N"],
        )
        .properties(height=charts.HEIGHT, title=title)
    )
    st.altair_chart(chart, alt=title)


def _heat(table: pd.DataFrame, axes: list[str]) -> None:
    fields = ["variant", *axes]
    titles = {"variant": "Variant"} | AXES
    with st.container(horizontal=True):
        across = st.selectbox("Across", axes, format_func=titles.__getitem__, key="edge-heat-across", width=200)
        rest = [name for name in fields if name != across]
        down = st.selectbox("Down", rest, format_func=titles.__getitem__, key="edge-heat-down", width=200)
        measure = st.selectbox(
            "Measure", list(_MEASURES), format_func=_MEASURES.__getitem__, key="edge-heat-measure", width=220
        )
    others = [name for name in fields if name not in (across, down)]
    fixed = {}
    if others:
        with st.container(horizontal=True):
            for name in others:
                values = list(dict.fromkeys(table[name]))
                fixed[name] = st.selectbox(titles[name], values, key=f"edge-heat-{name}", width=200)
    for name, value in fixed.items():
        table = table[table[name] == value]
    table = table.dropna(subset=[measure])
    if table.empty:
        st.caption("There are too few samples for this measure.")
        return
    strong = float(table[measure].quantile(0.5))
    light, dark = theme.on_sequential()
    base = alt.Chart(table.astype({across: str, down: str})).encode(
        x=alt.X(
            f"{across}:N",
            sort=list(map(str, dict.fromkeys(table[across]))),
            title=titles[across],
            axis=alt.Axis(labelAngle=0),
        ),
        y=alt.Y(f"{down}:N", sort=list(map(str, dict.fromkeys(table[down]))), title=titles[down]),
    )
    squares = base.mark_rect().encode(
        color=alt.Color(f"{measure}:Q", scale=alt.Scale(range=theme.sequential(), type="log"), legend=None),
        tooltip=[alt.Tooltip(f"{measure}:Q", title=_MEASURES[measure], format=".4~g")],
    )
    words = base.mark_text(fontSize=13).encode(
        text=alt.Text(f"{measure}:Q", format=",.3~g" if measure != "throughput" else ",.0f"),
        color=alt.condition(f"datum['{measure}'] > {strong}", alt.value(dark), alt.value(light)),
    )
    title = f"{_MEASURES[measure]} by {titles[across].lower()} and {titles[down].lower()}"
    st.altair_chart((squares + words).properties(height=alt.Step(44), title=title), alt=title)
