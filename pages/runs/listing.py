"""The table of runs, refreshed while any of them is active."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import jobs
from core.catalog import ACTIVE, Run, RunState, runs
from core.catalog import events as event_log
from pages._ui import badges, frame, listing, numbers

__all__ = ["show"]

_LIMIT = 200
_UNFINISHED = [RunState.QUEUED, *ACTIVE]


def show() -> None:
    """Draw the filter and the table, or the way to a first run."""
    if not runs.find(limit=1, access=frame.access()):
        st.info("No runs yet. Load a table first: reading it is one.", icon=":material/table_chart:")
        st.page_link("pages/data/page.py", label="Go to Data", icon=":material/arrow_forward:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        task = st.selectbox(
            "Type",
            list(jobs.TASKS),
            index=None,
            format_func=lambda name: jobs.task_spec(name).title,
            placeholder="All types",
            key="runs-task",
            width=220,
        )
        only_active = st.toggle("Only active", key="runs-active", help="Runs that are waiting, starting or running.")
        steps = st.toggle(
            "Steps of pipelines",
            key="runs-steps",
            help="Runs that work for another run, such as the steps of a pipeline.",
        )
    active = bool(runs.find(states=_UNFINISHED, limit=1, access=frame.access()))
    states = _UNFINISHED if only_active else None
    st.fragment(frame.guarded(_table), run_every="2s" if active else None)(task, states, steps, active)


def _table(task: str | None, states: list[RunState] | None, steps: bool, was_active: bool) -> None:
    access = frame.access()
    if was_active:
        jobs.tick()
    if was_active and not runs.find(states=_UNFINISHED, limit=1, access=access):
        st.rerun()
    shown = runs.find(task=task, states=states, parents_only=not steps, limit=_LIMIT, access=access)
    if not shown:
        hidden = not steps and runs.find(task=task, states=states, limit=1, access=access)
        st.caption("No runs match, except for steps of pipelines." if hidden else "No runs match.")
        return
    st.caption("Select a row to open the run.")
    labels = {label: color for label, color, _ in badges.RUN_BADGES}
    parents = runs.titles({run.parent_id for run in shown}, access=access) if steps else {}
    listing.show(
        pd.DataFrame(
            {
                "State": [[badges.of_run(run).label] for run in shown],
                "Type": [jobs.task_spec(run.task).title for run in shown],
                "Title": [run.title for run in shown],
                **({"Part of": [parents.get(run.parent_id) for run in shown]} if steps else {}),
                "Progress": [_progress(run) for run in shown],
                "Started": [numbers.when(run.created_at) for run in shown],
                "Duration": [numbers.duration(run.elapsed_s) for run in shown],
                "Peak memory": [run.peak_rss_mb for run in shown],
                "Run": [run.id for run in shown],
            }
        ),
        [run.id for run in shown],
        key="runs-list",
        parameter="run",
        column_config={
            "State": st.column_config.MultiselectColumn(options=list(labels), color=list(labels.values())),
            "Type": st.column_config.TextColumn(width=110),
            "Title": st.column_config.TextColumn(width="medium"),
            "Progress": st.column_config.ProgressColumn(min_value=0, max_value=100, format="%.0f%%"),
            "Started": st.column_config.DatetimeColumn(format="D MMM, HH:mm:ss"),
            "Duration": st.column_config.TextColumn(help="Working time, without the time in the queue."),
            "Peak memory": st.column_config.NumberColumn("Peak memory (MB)", format="localized"),
        },
        alt="Runs of this workspace, newest first",
    )
    if len(shown) == _LIMIT:
        st.caption(f"Only the newest {_LIMIT} are shown.")


def _progress(run: Run) -> float | None:
    if run.state is RunState.SUCCEEDED:
        return 100.0
    if run.state not in ACTIVE:
        return None
    last = event_log.latest(run.id, access=frame.access())
    return None if last is None or last.fraction is None else 100.0 * last.fraction
