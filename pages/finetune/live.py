"""A training in progress, or one that ended without a result: its losses so far."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

from core.catalog import Run, RunEvent
from core.evaluation import METRICS
from pages._ui import numbers, theme

__all__ = ["curves", "details"]


def details(run: Run, events: Sequence[RunEvent]) -> None:
    """Draw speed, time left and the curves so far."""
    table = pd.DataFrame([event.values for event in events if event.phase == "train" and event.values.get("step")])
    if table.empty:
        if not run.state.terminal:
            st.caption("The first loss appears here once the model is loaded and the texts are tokenized.")
        return
    steps = table[table["loss"].notna()] if "loss" in table else table.iloc[:0]
    if not run.state.terminal and not steps.empty:
        last = steps.iloc[-1]
        st.caption(
            f"Step {int(last['step']):,} of {int(last['steps']):,} · {last['samples_a_second']:.1f} texts per second · "
            f"about {numbers.duration(last['left_s'])} left"
        )
    curves(table)


def curves(table: pd.DataFrame) -> None:
    """Draw the training loss, the validation loss, and the metrics on the validation texts."""
    # A training that was resumed from a checkpoint reports some steps again.
    parts = []
    for name, title in (("loss", "training"), ("eval_loss", "validation")):
        if name in table:
            part = table.loc[table[name].notna(), ["step", name]].drop_duplicates("step", keep="last")
            parts.append(pd.DataFrame({"step": part["step"], "value": part[name], "of": title}))
    left, right = st.columns(2, gap="medium")
    with left:
        _lines(pd.concat(parts) if parts else pd.DataFrame(), "Loss by step", "Loss")
    metrics = [name for name in METRICS if name != "log_loss" and name in table and table[name].notna().any()]
    with right:
        series = [
            pd.DataFrame({"step": table["step"], "value": table[name], "of": METRICS[name].title}).dropna()
            for name in metrics
        ]
        if series:
            _lines(pd.concat(series), "Metrics on the validation texts", "Metric")


def _lines(table: pd.DataFrame, heading: str, title: str) -> None:
    if table.empty:
        return
    names = list(dict.fromkeys(table["of"]))
    chart = (
        alt.Chart(table)
        .mark_line(point=len(table) < 60)
        .encode(
            x=alt.X("step:Q", title="Step"),
            y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=False)),
            color=alt.Color(
                "of:N",
                scale=alt.Scale(domain=names, range=theme.categorical()),
                legend=alt.Legend(title=None, orient="bottom"),
            ),
            tooltip=["of:N", "step:Q", alt.Tooltip("value:Q", format=".4f")],
        )
    )
    st.altair_chart(chart.properties(height=260, title=heading), alt=f"{heading}, last {table['value'].iloc[-1]:.3f}")
