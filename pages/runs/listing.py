"""The table of runs, refreshed while any of them works."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import jobs
from core.catalog import ACTIVE, Run, RunState, runs
from core.catalog import events as event_log
from pages._ui import frame, numbers
from pages._ui.run_view import STATE_BADGES

__all__ = ["TASKS", "show"]

TASKS = {
    "ingest": "Import",
    "check": "Checks",
    "automl": "AutoML",
    "explain": "Explanation",
    "mitigate": "Mitigations",
    "finetune": "Fine-tuning",
    "estimate": "Estimate",
    "export": "Export",
    "onnx_upload": "ONNX upload",
    "latency": "Latency",
    "score": "Scoring",
    "push": "Push to MLflow",
}
_LIMIT = 200


def _open() -> None:
    chosen = st.session_state["runs-list"].selection.rows
    if chosen:
        st.query_params["run"] = st.session_state["runs-list-ids"][chosen[0]]


def _progress(run: Run) -> float | None:
    if run.state is RunState.SUCCEEDED:
        return 100.0
    if run.state not in ACTIVE:
        return None
    last = event_log.latest(run.id, run.workspace)
    return None if last is None or last.fraction is None else 100.0 * last.fraction


def show() -> None:
    """Draw the filter and the table."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        task = st.selectbox(
            "Kind", list(TASKS), index=None, format_func=TASKS.get, placeholder="All kinds", key="runs-task", width=220
        )
        only_active = st.toggle("Only at work or waiting", key="runs-active")
    states = [RunState.QUEUED, *ACTIVE] if only_active else None
    working = runs.find(frame.workspace(), states=[RunState.QUEUED, *ACTIVE], limit=1)
    st.fragment(frame.guarded(_table), run_every="2s" if working else None)(task, states, bool(working))


def _table(task: str | None, states: list[RunState] | None, was_working: bool) -> None:
    jobs.tick()
    workspace = frame.workspace()
    if was_working and not runs.find(workspace, states=[RunState.QUEUED, *ACTIVE], limit=1):
        st.rerun()
    found = runs.find(workspace, task=task, states=states, limit=_LIMIT)
    st.session_state["runs-list-ids"] = [run.id for run in found]
    if not found:
        st.caption("No run matches.")
        return
    table = pd.DataFrame(
        {
            "State": [[STATE_BADGES[run.state][0]] for run in found],
            "Kind": [TASKS.get(run.task, run.task) for run in found],
            "Title": [run.title for run in found],
            "Progress": [_progress(run) for run in found],
            "Started": [numbers.when(run.created_at) for run in found],
            "Took": [numbers.duration(run.elapsed_s) for run in found],
            "Peak memory": [run.peak_rss_mb for run in found],
            "Run": [run.id for run in found],
        }
    )
    labels = {label: color for label, color, _ in STATE_BADGES.values()}
    st.dataframe(
        table,
        hide_index=True,
        key="runs-list",
        on_select=_open,
        selection_mode="single-row",
        height="content",
        column_config={
            "State": st.column_config.MultiselectColumn(options=list(labels), color=list(labels.values())),
            "Title": st.column_config.TextColumn(width="large"),
            "Progress": st.column_config.ProgressColumn(min_value=0, max_value=100, format="%.0f %%"),
            "Started": st.column_config.DatetimeColumn(format="D MMM, HH:mm:ss"),
            "Took": st.column_config.TextColumn(help="Seconds of work, without the time in the queue."),
            "Peak memory": st.column_config.NumberColumn("Peak memory (MB)", format="localized"),
        },
        alt="Runs of this workspace, newest first",
    )
    if len(found) == _LIMIT:
        st.caption(f"The newest {_LIMIT} are shown.")
