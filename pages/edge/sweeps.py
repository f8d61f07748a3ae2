"""A sweep: throughput against latency, a heat map over two settings, and which combinations nothing beats."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from pages._ui import frame, theme
from pages.edge import charts

__all__ = ["show"]

_AXES = {
    "batch_size": "Rows a request",
    "intra_op_threads": "Threads",
    "graph_optimization": "Graph optimisation",
    "sequence_length": "Tokens a text",
}
_FIGURES = {
    "p50_ms": "Median latency (ms)",
    "throughput": "Rows a second",
    "p99_ms": "p99 (ms)",
    "cpu_s": "CPU s a row",
}
_OTHERS = {
    "variant": "Variant",
    "peak_rss_mb": "Peak memory (MB)",
    "size_mb": "Size (MB)",
    "stable": "Steady",
    "busy": "Busy machine",
    "pareto": "Not beaten",
}
_METRICS = {"accuracy": "Accuracy", "r2": "R²"}


def show(table: pd.DataFrame, axes: list[str], metric: str | None) -> None:
    """Draw a sweep's rows; `axes` are the settings it went over."""
    failed = table[table["error"] != ""]
    done = table[table["error"] == ""].dropna(subset=["p50_ms"])
    for row in failed.itertuples():
        st.warning(frame.plain(row.error), title=f"{row.variant} could not be measured", icon=":material/warning:")
    if done.empty:
        return
    name = _METRICS.get(metric or "", "Quality")
    left, right = st.columns(2, gap="medium")
    with left:
        _throughput(done, axes)
    with right:
        _pareto(done, axes, name)
    _heat(done, axes)
    st.dataframe(
        done.drop(columns=["error", "p90_ms"]).rename(columns=_AXES | _FIGURES | _OTHERS | {"accuracy": name}),
        hide_index=True,
        placeholder="–",
        column_config={title: st.column_config.NumberColumn(format="%.4g") for title in (*_FIGURES.values(), name)}
        | {title: st.column_config.NumberColumn(format="%.1f") for title in ("Peak memory (MB)", "Size (MB)")},
        alt="All combinations that were measured",
    )


def _tooltip(axes: list[str]) -> list[alt.Tooltip | str]:
    told = [alt.Tooltip(f"{name}:N", title=_AXES[name]) for name in axes]
    return ["variant:N", *told, alt.Tooltip("p50_ms:Q", format=".4~g"), alt.Tooltip("throughput:Q", format=",.0f")]


def _throughput(table: pd.DataFrame, axes: list[str]) -> None:
    best = table.loc[table["throughput"].idxmax()]
    title = f"{best['variant']} reaches {best['throughput']:,.0f} rows a second"
    chart = (
        alt.Chart(table)
        .mark_point(filled=True, size=80, opacity=0.9)
        .encode(
            x=alt.X(
                "p50_ms:Q",
                title="Median latency of a request (ms), logarithmic",
                scale=alt.Scale(type="log"),
                axis=alt.Axis(tickCount=5, format="~g", labelOverlap=True),
            ),
            y=alt.Y(
                "throughput:Q",
                title="Rows a second, logarithmic",
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
    table = table.assign(best=table["pareto"].map({True: "nothing beats it", False: "beaten"}))
    title = f"{int(table['pareto'].sum())} of {len(table)} combinations are beaten by no other"
    chart = (
        alt.Chart(table)
        .mark_point(filled=True, opacity=0.9)
        .encode(
            x=alt.X(
                "p50_ms:Q",
                title="Median latency of a request (ms), logarithmic",
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
    titles = {"variant": "Variant"} | _AXES
    with st.container(horizontal=True):
        across = st.selectbox("Across", axes, format_func=titles.__getitem__, key="edge-heat-across", width=200)
        rest = [name for name in fields if name != across]
        down = st.selectbox("Down", rest, format_func=titles.__getitem__, key="edge-heat-down", width=200)
        figure = st.selectbox(
            "Figure", list(_FIGURES), format_func=_FIGURES.__getitem__, key="edge-heat-figure", width=220
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
    table = table.dropna(subset=[figure])
    if table.empty:
        st.caption("This figure has too few samples there.")
        return
    strong = float(table[figure].quantile(0.5))
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
        color=alt.Color(f"{figure}:Q", scale=alt.Scale(range=theme.sequential(), type="log"), legend=None),
        tooltip=[alt.Tooltip(f"{figure}:Q", title=_FIGURES[figure], format=".4~g")],
    )
    words = base.mark_text(fontSize=13).encode(
        text=alt.Text(f"{figure}:Q", format=",.3~g" if figure != "throughput" else ",.0f"),
        color=alt.condition(f"datum['{figure}'] > {strong}", alt.value(dark), alt.value(light)),
    )
    title = f"{_FIGURES[figure]} by {titles[across].lower()} and {titles[down].lower()}"
    st.altair_chart((squares + words).properties(height=alt.Step(44), title=title), alt=title)
