"""Charts of monitoring: the timeline of batches, and a column's two distributions."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

from core.charts import fitted, two_distributions_chart
from core.errors import InputError
from core.monitored import Batch
from core.monitoring import ESTIMATED_METRICS, LOOK_STATES, BatchSketch, LookLevel, distribution_table
from pages._ui import charts, frame, numbers, theme

__all__ = ["distributions", "performance", "timeline"]

_ESTIMATED, _MEASURED = "Estimated without labels", "Measured"
_SHAPES: dict[LookLevel, str] = {
    "fine": "circle",
    "not enough data": "square",
    "look": "diamond",
    "alarm": "triangle-up",
}


def timeline(batches: Sequence[Batch], focus: str) -> None:
    """Draw each batch at its moment, by the number of columns that drifted and its state."""
    table = pd.DataFrame(
        {
            "at": [pd.Timestamp(numbers.when(batch.at)).tz_localize(None) for batch in batches],
            "drifted": [len(batch.drifted) for batch in batches],
            "state": [LOOK_STATES[batch.state.state] for batch in batches],
            "batch": [batch.name for batch in batches],
            "why": [batch.state.reasons[0] for batch in batches],
            "rows": [batch.rows for batch in batches],
            "size": [220 if batch.key == focus else 90 for batch in batches],
        }
    )
    names = [LOOK_STATES[name] for name in _SHAPES]
    hues = theme.categorical()
    colors = [hues[2], theme.muted(), hues[3], hues[1]]
    base = alt.Chart(table)
    x = alt.X("at:T", title=None, axis=alt.Axis(tickCount=8, labelOverlap=True))
    y = alt.Y("drifted:Q", title="Columns", axis=alt.Axis(tickMinStep=1, format="d"))
    line = base.mark_line(color=theme.muted(), strokeWidth=1).encode(x=x, y=y)
    marks = base.mark_point(filled=True, opacity=1).encode(
        x=x,
        y=y,
        size=alt.Size("size:Q", legend=None, scale=None),
        color=alt.Color("state:N", title=None, scale=alt.Scale(domain=names, range=colors), legend=_legend()),
        shape=alt.Shape("state:N", title=None, scale=alt.Scale(domain=names, range=list(_SHAPES.values()))),
        tooltip=[
            alt.Tooltip("batch:N"),
            alt.Tooltip("state:N"),
            alt.Tooltip("why:N"),
            alt.Tooltip("drifted:Q", title="columns that drifted"),
            alt.Tooltip("rows:Q", format=","),
        ],
    )
    title = "Columns that drifted in each batch"
    st.altair_chart(
        (line + marks).properties(height=charts.HEIGHT, title=fitted(title)),
        alt=f"{title}: " + ", ".join(f"{batch.name} {LOOK_STATES[batch.state.state]}" for batch in batches[-20:]),
    )


def performance(batches: Sequence[Batch]) -> None:
    """Draw the performance of each batch: as it was estimated, with its band, and as labels measured it."""
    records = []
    for batch in batches:
        at = pd.Timestamp(numbers.when(batch.at)).tz_localize(None)
        estimate, labels = batch.performance, batch.labels
        if estimate is not None and estimate.value is not None:
            records.append([at, batch.name, _ESTIMATED, estimate.value, estimate.low, estimate.high])
        if labels is not None:
            measured = labels.measured.measured
            records.append([at, batch.name, _MEASURED, measured.value, measured.low, measured.high])
    known = [batch.performance for batch in batches if batch.performance is not None]
    if not records or not known:
        return
    table = pd.DataFrame(records, columns=["at", "batch", "kind", "value", "low", "high"])
    title = ESTIMATED_METRICS[known[-1].metric].title
    colors = alt.Color(
        "kind:N",
        title=None,
        scale=alt.Scale(domain=[_ESTIMATED, _MEASURED], range=[theme.accent(), theme.categorical()[1]]),
        legend=_legend(),
    )
    base = alt.Chart(table)
    x = alt.X("at:T", title=None, axis=alt.Axis(tickCount=8, labelOverlap=True))
    scale = alt.Scale(zero=False)
    band = base.transform_filter(alt.datum.kind == _ESTIMATED).mark_area(opacity=0.18, color=theme.accent())
    band = band.encode(x=x, y=alt.Y("low:Q", title=title, scale=scale), y2="high:Q")
    tips = ["batch:N", "kind:N", *(alt.Tooltip(f"{part}:Q", format=".4f") for part in ("value", "low", "high"))]
    line = base.mark_line().encode(x=x, y=alt.Y("value:Q", scale=scale), color=colors)
    dots = base.mark_point(filled=True, size=60, opacity=1).encode(
        x=x, y="value:Q", color=colors, shape=alt.Shape("kind:N", title=None, legend=None), tooltip=tips
    )
    bars = base.transform_filter(alt.datum.kind == _MEASURED).mark_rule(color=theme.categorical()[1], opacity=0.6)
    layers = [band, bars.encode(x=x, y="low:Q", y2="high:Q"), line, dots]
    if known[-1].reference is not None:
        rule = alt.Chart(pd.DataFrame({"reference": [known[-1].reference]}))
        layers.append(rule.mark_rule(strokeDash=[4, 4], color=theme.muted()).encode(y="reference:Q"))
    heading = f"{title} of each batch; dashed: of the rows that training kept out"
    st.altair_chart(
        alt.layer(*layers).properties(height=charts.HEIGHT, title=fitted(heading)),
        alt=f"{heading}: "
        + ", ".join(f"{row.batch} {row.kind} {row.value:.3f}" for row in table.tail(20).itertuples()),
    )


def distributions(name: str, column: str, reference: BatchSketch, current: BatchSketch) -> None:
    """Draw a column's values in the reference and in the batch, as shares of rows.

    Parameters
    ----------
    name : str
        Title of the column.
    column : str
        The column.
    reference, current : BatchSketch
        Sketches of both.
    """
    try:
        table = distribution_table(reference, current, column)
    except InputError as error:
        st.caption(frame.plain(error.message))
        return
    dates = reference.columns[column].type == "date"
    charts.draw(two_distributions_chart(table, name, theme.palette(), dates=dates))
    missing = table[table["label"] == "(missing)"]
    if len(missing) and table["low"].notna().any():
        before, now = float(missing["reference"].iloc[0]), float(missing["current"].iloc[0])
        st.caption(f"Missing: {before:.1%} of the reference, {now:.1%} of the batch.")


def _legend() -> alt.Legend:
    return alt.Legend(orient="bottom", symbolSize=90)
