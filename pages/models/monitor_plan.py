"""How a model is watched: its rules and bounds, and the columns whose drift is known."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import monitored
from core.monitored import KEPT_OUT, Batch, MonitorSettings
from core.monitoring import ESTIMATED_METRICS
from pages._ui import frame, popovers
from pages.models.metrics import OpenModel

__all__ = ["show"]

_AUTO = "auto"
_POPOVER = "models-monitor-rules"


def show(opened: OpenModel, plan: MonitorSettings | None, batches: Sequence[Batch]) -> None:
    """Draw the popover with the settings; a batch can be what others are compared with."""
    with st.popover("Rules", icon=":material/tune:", key=_POPOVER, on_change="rerun") as popover:
        if popover.open:
            _form(opened, plan or MonitorSettings(), batches)


def _form(opened: OpenModel, before: MonitorSettings, batches: Sequence[Batch]) -> None:
    st.caption("Rules hold for the batches that come from now on.")
    alpha = st.number_input(
        "False alarms in the whole series",
        min(0.001, before.alpha),
        0.499,
        before.alpha,
        format="%.3f",
        key="models-monitor-alpha",
        help="Probability that any batch of a series without change raises an alarm, however long the series is.",
    )
    relevance = st.number_input(
        "Smallest change that matters",
        min(0.005, before.relevance),
        max(0.9, before.relevance),
        before.relevance,
        format="%.3f",
        key="models-monitor-relevance",
        help="From 0 to 1: the distance of two distributions, or the share of rows on another level.",
    )
    reference = _reference(before, batches)
    metric, bound = _performance(opened, before)
    gap = st.number_input(
        "Largest gap of selection rates between groups",
        min(0.001, before.largest_gap or 1.0),
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
        help="Ids, scores and groups of the rows are kept with a batch, so that labels find them later. Other columns "
        "are not.",
    )
    keep_days = st.number_input(
        "Days for which batches are kept",
        1,
        36_500,
        before.keep_days,
        key="models-monitor-keep",
        placeholder="For as long as their runs",
        help="Then distributions, ids and labels of a batch are removed. Its state and its performance stay.",
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
                reference=reference,
                keep_days=keep_days,
            )
            monitored.change_plan(opened.model.id, changed, access=frame.access())
            st.toast("Saved. The next batch is judged by these rules.")
            popovers.close(_POPOVER)


def _reference(before: MonitorSettings, batches: Sequence[Batch]) -> str | None:
    """Draw the choice of what batches are compared with."""
    names = {batch.key: batch.name for batch in reversed(batches) if not batch.simulated and not batch.problem}
    known = before.reference in names
    if before.reference is not None and not known:
        st.warning("The batch that others are compared with was deleted.", icon=":material/warning:")
    chosen = st.selectbox(
        "Compare with",
        ["", *names],
        1 + list(names).index(str(before.reference)) if known else 0,
        format_func=lambda key: f"The batch {frame.plain(names[key])}" if key else KEPT_OUT.capitalize(),
        key="models-monitor-reference",
        help="Columns and the score are compared with these rows. A batch holds for those that the same version "
        "scores; the performance is estimated from the rows that training kept out in any case.",
    )
    return chosen or None


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
    elsewhere = {name: why for name, why in before.muted.items() if name not in names}  # columns of other versions
    return elsewhere | {
        name: st.text_input(
            f"Why does the drift of {frame.plain(name)} not matter?",
            before.muted.get(name, ""),
            key=f"models-monitor-why-{name}",
        )
        for name in muted
    }
