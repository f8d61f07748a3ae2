"""The Pareto chart of a search: size against latency, by whether a candidate meets the objective."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from core.edge import VARIANT_FORMS
from core.edge.smallest import SmallestReport, describe_candidate, loss_text
from core.units import latency_with_interval, size_text
from pages._ui import theme
from pages.edge import charts

__all__ = ["show"]

_VERDICTS = {"met": "Meets the objective", "unsure": "Not sure", "missed": "Misses it"}
_SHAPES = ["circle", "diamond", "cross"]


def show(report: SmallestReport) -> None:
    """Draw all candidates, with the limits and the interval of each latency."""
    table = _points(report)
    count, optimal = len(table), int(table["pareto"].sum())
    title = f"{optimal} of {count} candidates are Pareto-optimal in size, latency and loss"
    if report.choice is not None:
        form = VARIANT_FORMS.get(report.choice.candidate.variant)
        name = report.choice.candidate.variant if form is None else form.title
        title = f"{name}: {size_text(report.choice.size_bytes)} within the limits"
    hues = theme.categorical()
    percent = f"p{report.settings.percentile:g}"
    x = alt.X(
        "latency:Q",
        title=f"{percent} of a request (ms), logarithmic",
        scale=alt.Scale(type="log", nice=False, padding=24),
        axis=charts.few_ticks(),
    )
    y = alt.Y(
        "size:Q",
        title="File (MB), logarithmic",
        scale=alt.Scale(type="log", nice=False, padding=24),
        axis=charts.few_ticks(),
    )
    shown = [_VERDICTS[name] for name in _VERDICTS]
    legend = alt.Legend(orient="bottom", title=None, labelLimit=240, symbolOpacity=1)
    hue = alt.Scale(domain=shown, range=[hues[0], hues[3], theme.muted()])
    color = alt.Color("verdict:N", scale=hue, legend=legend)
    shape = alt.Shape("verdict:N", scale=alt.Scale(domain=shown, range=_SHAPES), legend=legend)
    base = alt.Chart(table)
    spans = (
        base.transform_filter("isValid(datum.low) && isValid(datum.high)")
        .mark_rule(opacity=0.5)
        .encode(x=alt.X("low:Q"), x2="high:Q", y=y, color=color)
    )
    points = base.mark_point(filled=True, opacity=0.95).encode(
        x=x,
        y=y,
        color=color,
        shape=shape,
        size=alt.condition("datum.pareto", alt.value(130), alt.value(55)),
        tooltip=[
            alt.Tooltip("name:N", title="Variant"),
            alt.Tooltip("run:N", title="Run"),
            alt.Tooltip("size_text:N", title="File"),
            alt.Tooltip("latency_text:N", title=percent),
            alt.Tooltip("loss:N", title="Loss"),
            alt.Tooltip("verdict:N", title="Objective"),
            alt.Tooltip("why:N", title="Why"),
            alt.Tooltip("front:N", title="Pareto"),
        ],
    )
    labels = (
        base.transform_filter("datum.label != ''")
        .mark_text(align="left", dx=10, dy=-8, fontSize=12, color=theme.text())
        .encode(x=x, y=y, text="label:N")
    )
    chart = alt.layer(*_limits(report), spans, points, labels).properties(height=charts.HEIGHT + 80, title=title)
    st.altair_chart(chart, alt=f"{title}. {_summary(table)}")
    st.caption(
        "Large marks are Pareto-optimal: no other candidate is as good in size, latency and loss. Lines: limits."
    )


def _points(report: SmallestReport) -> pd.DataFrame:
    rows = []
    for index, item in enumerate(report.candidates):
        candidate, latency, loss = item.candidate, item.latency, item.loss
        form = VARIANT_FORMS.get(candidate.variant)
        name = candidate.variant if form is None else form.title
        text = ""
        if loss is not None and report.metric is not None:
            text = loss_text(loss.value, report.metric)
            if loss.low is not None and loss.high is not None:
                text += f" [{loss_text(loss.low, report.metric)}, {loss_text(loss.high, report.metric)}]"
        rows.append(
            {
                "name": name,
                "run": describe_candidate(candidate),
                "size": item.size_bytes / 1e6,
                "size_text": size_text(item.size_bytes),
                "latency": item.rough_ms,
                "low": latency.low,
                "high": latency.high,
                "latency_text": latency_with_interval(item.rough_ms, latency.low, latency.high),
                "loss": text or "not known",
                "verdict": _VERDICTS[item.verdict],
                "why": " ".join(judgment.reason for judgment in item.judgments.values()) or "no limits",
                "pareto": item.pareto,
                "front": "optimal" if item.pareto else "another is better in all",
                "label": name if index == report.chosen else "",
            }
        )
    return pd.DataFrame(rows)


def _limits(report: SmallestReport) -> list[alt.Chart]:
    """Return the limits of latency and size as lines."""
    settings, lines = report.settings, []
    if settings.latency_ms is not None:
        lines.append(_rule(settings.latency_ms).encode(x="limit:Q"))
    if settings.size_mb is not None:
        lines.append(_rule(settings.size_mb).encode(y="limit:Q"))
    return lines


def _rule(limit: float) -> alt.Chart:
    chart: alt.Chart = alt.Chart(pd.DataFrame({"limit": [limit]})).mark_rule(strokeDash=[4, 4], color=theme.muted())
    return chart


def _summary(table: pd.DataFrame) -> str:
    return "; ".join(
        f"{row.name_}: {row.size_text}, {row.latency_text}"
        for row in table.rename(columns={"name": "name_"}).itertuples()
    )
