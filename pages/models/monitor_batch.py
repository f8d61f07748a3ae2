"""One batch of a model: what it says and why, its columns with their distributions, and what can be done."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import monitored
from core.errors import NotFoundError
from core.monitored import KEPT_OUT, SCORE_COLUMN, Batch
from core.monitoring import ColumnDrift, DriftReport
from pages._ui import findings, frame, numbers
from pages.models import monitor_charts, monitor_performance

__all__ = ["show"]

_MOST_COLUMNS = 200


def show(batch: Batch) -> bool:
    """Draw a batch; return whether its comparison is still kept."""
    state = batch.state
    try:
        report = monitored.report_of(batch, access=frame.access())
    except NotFoundError:  # older than the plan keeps it
        report = None
    with_what = "" if report is None else f" {report.reference_rows:,}"
    against = (
        f"{with_what} rows of the batch {frame.plain(batch.reference)}"
        if batch.reference
        else f"{with_what} {KEPT_OUT}"
    )
    st.markdown(f"### {frame.plain(batch.name)}")
    st.caption(
        f"{batch.rows:,} rows, {numbers.when(batch.at):%-d %B %Y}, scored by version {batch.version}; compared with"
        f"{against}. Look {batch.look:,} of the series."
    )
    for reason in state.reasons[:8]:
        st.markdown(f"- {frame.plain(reason)}")
    if batch.problem:
        st.warning(f"The rows could not be scored: {frame.plain(batch.problem)}")
    for note in batch.notes:
        st.caption(frame.plain(note))
    if batch.muted:
        why = "; ".join(f"{name}: {reason}" for name, reason in batch.muted.items())
        st.caption(f"Drifted, and muted: {frame.plain(why)}.")
    if state.caveat:
        st.caption(state.caveat)
    monitor_performance.show(batch)
    if report is None:
        st.info(
            "Distributions and tests of this batch are no longer kept, as the rules say; its state and its performance "
            "stay.",
            icon=":material/auto_delete:",
        )
        return False
    _columns(batch, report)
    if report.data_quality:
        st.markdown("**The batch as data**")
        findings.show([finding.to_dict() for finding in report.data_quality])
    return True


def _columns(batch: Batch, report: DriftReport) -> None:
    results = [*([report.score] if report.score is not None else []), *report.results]
    drifted = sum(result.drifted for result in report.results)
    st.markdown(f"**{drifted:,} of {len(report.results):,} columns drifted.** Select a row to see both distributions.")
    shown = sorted(results, key=lambda result: not result.drifted)[:_MOST_COLUMNS]  # stable: by importance within
    event = st.dataframe(
        pd.DataFrame(
            {
                "Column": [_title(result) for result in shown],
                "Drifted": [result.drifted for result in shown],
                "What changed": [result.reason for result in shown],
                "Change": [result.effect for result in shown],
                "Adjusted p": [result.p_adjusted for result in shown],
                "Missing before": [result.missing_reference for result in shown],
                "Missing now": [result.missing_current for result in shown],
                "Importance": [result.importance for result in shown],
                "Test": [result.test for result in shown],
            }
        ),
        hide_index=True,
        key=f"models-monitor-columns-{batch.key}",
        on_select="rerun",
        selection_mode="single-row",
        height="content" if len(shown) <= 12 else 460,
        placeholder="–",
        column_config={
            "Column": st.column_config.TextColumn(width="medium"),
            "What changed": st.column_config.TextColumn(width="large"),
            "Change": st.column_config.NumberColumn(format="%.2f", help="Size of the change, from 0 to 1."),
            "Adjusted p": st.column_config.NumberColumn(format="%.2g"),
            "Missing before": st.column_config.NumberColumn(format="percent"),
            "Missing now": st.column_config.NumberColumn(format="percent"),
            "Importance": st.column_config.NumberColumn(format="%.3f", help="What the model loses without it."),
        },
        alt="Columns of this batch, those that drifted first",
    )
    if len(results) > len(shown):
        st.caption(f"The first {len(shown):,} of {len(results):,} columns.")
    rows = event.selection.rows
    first = next((result for result in report.results if result.drifted), shown[0])
    chosen = shown[rows[0]] if rows and rows[0] < len(shown) else first
    before, now = (monitored.sketch_of(batch, access=frame.access(), reference=side) for side in (True, False))
    monitor_charts.distributions(_title(chosen), chosen.name, before, now)


def _title(result: ColumnDrift) -> str:
    return "The model's score" if result.name == SCORE_COLUMN else result.name
