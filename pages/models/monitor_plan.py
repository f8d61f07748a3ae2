"""How a model is watched: its rules and bounds, and the columns whose drift is known."""

from __future__ import annotations

import streamlit as st

from core import monitored
from core.monitored import MonitorSettings
from core.monitoring import ESTIMATED_METRICS
from pages._ui import frame
from pages.models.metrics import OpenModel

__all__ = ["show"]

_AUTO = "auto"


def show(opened: OpenModel, plan: MonitorSettings | None) -> None:
    """Draw the popover with the settings."""
    with st.popover("Rules", icon=":material/tune:", key="models-monitor-rules", on_change="rerun") as popover:
        if popover.open:
            _form(opened, plan or MonitorSettings())


def _form(opened: OpenModel, before: MonitorSettings) -> None:
    st.caption("Rules hold for the batches that come from now on.")
    alpha = st.number_input(
        "False alarms in the whole series",
        0.001,
        0.49,
        before.alpha,
        format="%.3f",
        key="models-monitor-alpha",
        help="Probability that any batch of a series without change raises an alarm, however long the series is.",
    )
    relevance = st.number_input(
        "Smallest change that matters",
        0.005,
        0.9,
        before.relevance,
        format="%.3f",
        key="models-monitor-relevance",
        help="From 0 to 1: the distance of two distributions, or the share of rows on another level.",
    )
    metric, bound = _performance(opened, before)
    gap = st.number_input(
        "Largest gap of selection rates between groups",
        0.001,
        1.0,
        before.largest_gap,
        format="%.3f",
        key="models-monitor-gap",
        placeholder="No rule",
    )
    row_id = st.text_input(
        "Column of ids",
        before.row_id or "",
        key="models-monitor-row-id",
        help="Ids and scores of the rows are kept with a batch, so that labels find them later. Other columns are not.",
    )
    muted = _muted(opened, before)
    unexplained = any(not why.strip() for why in muted.values())
    if st.button("Save", type="primary", key="models-monitor-save", disabled=unexplained):
        with frame.errors_shown():
            changed = MonitorSettings(
                alpha=alpha,
                relevance=relevance,
                metric=metric,
                bound=bound,
                largest_gap=gap,
                row_id=row_id.strip() or None,
                muted=muted,
            )
            monitored.change_plan(opened.model.id, changed, access=frame.access())
            st.toast("Saved. The next batch is judged by these rules.")


def _performance(opened: OpenModel, before: MonitorSettings) -> tuple[str, float | None]:
    numbers = opened.version.lineage.get("labels") is None
    names = [_AUTO, *(name for name, item in ESTIMATED_METRICS.items() if item.is_of_numbers == numbers)]
    metric = st.selectbox(
        "Metric",
        names,
        names.index(before.metric) if before.metric in names else 0,
        format_func=lambda name: "That of the model" if name == _AUTO else ESTIMATED_METRICS[name].title,
        key="models-monitor-metric",
        help="Estimated without labels, and measured when they come.",
    )
    bound = st.number_input(
        "Worst value that is acceptable",
        None,
        None,
        before.bound,
        format="%g",
        key="models-monitor-bound",
        placeholder="Surely worse than the reference",
    )
    return metric, bound


def _muted(opened: OpenModel, before: MonitorSettings) -> dict[str, str]:
    names = [str(field["name"]) for field in opened.version.columns]
    muted = st.multiselect(
        "Muted columns",
        names,
        [name for name in before.muted if name in names],
        key="models-monitor-muted",
        placeholder="None",
        help="Columns whose drift is known. They are compared and shown, and raise no alarm.",
    )
    return {
        name: st.text_input(
            f"Why does the drift of {frame.plain(name)} not matter?",
            before.muted.get(name, ""),
            key=f"models-monitor-why-{name}",
        )
        for name in muted
    }
