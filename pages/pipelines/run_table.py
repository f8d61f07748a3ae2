"""Runs of pipelines as a table."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import jobs
from core.catalog import ACTIVE, Run, RunState, runs
from core.catalog import events as event_log
from pages._ui import badges, frame, listing, numbers

__all__ = ["latest_by_pipeline", "show"]

_LIMIT = 100


def latest_by_pipeline() -> dict[str, Run]:
    """Return the newest run of each saved pipeline, by the pipeline's id."""
    latest: dict[str, Run] = {}
    for run in runs.find(task="pipeline", limit=1_000, access=frame.access()):
        latest.setdefault(run.settings["saved"], run)
    return latest


def show(saved: str | None = None) -> None:
    """Draw the runs of one pipeline, or all; refreshed while one is active."""
    shown = _find(saved)
    if not shown:
        st.caption("No runs yet.")
        return
    active = any(not run.state.terminal for run in shown)
    st.fragment(frame.guarded(_table), run_every="2s" if active else None)(saved, active)


def _find(saved: str | None) -> list[Run]:
    shown = runs.find(task="pipeline", limit=1_000, access=frame.access())
    return [run for run in shown if saved is None or run.settings["saved"] == saved][:_LIMIT]


def _table(saved: str | None, was_active: bool) -> None:
    if was_active:
        jobs.tick()
    shown = _find(saved)
    if was_active and all(run.state.terminal for run in shown):
        st.rerun()
    known = {badge.label: badge.color for badge in badges.RUN_BADGES}
    listing.show(
        pd.DataFrame(
            {
                "State": [[badges.of_run(run).label] for run in shown],
                "Pipeline": [run.title for run in shown],
                "Steps": [_steps(run) for run in shown],
                "Started": [numbers.when(run.created_at) for run in shown],
                "Duration": [numbers.duration(run.elapsed_s) for run in shown],
            }
        ),
        [run.id for run in shown],
        key=f"pipelines-runs-{saved or 'all'}",
        parameter="run",
        column_config={
            "State": st.column_config.MultiselectColumn(options=list(known), color=list(known.values())),
            "Pipeline": st.column_config.TextColumn(width="medium"),
            "Steps": st.column_config.TextColumn(help="Executed, of all steps; the others were kept."),
            "Started": st.column_config.DatetimeColumn(format="D MMM, HH:mm:ss"),
        },
        alt="Runs of pipelines, newest first",
    )
    if len(shown) == _LIMIT:
        st.caption(f"Only the newest {_LIMIT} are shown.")


def _steps(run: Run) -> str | None:
    if run.state is RunState.SUCCEEDED and run.result is not None:
        return f"{run.result['executed']} of {run.result['steps']} executed"
    if run.state in ACTIVE:
        last = event_log.latest(run.id, access=frame.access())
        return None if last is None or last.fraction is None else f"{last.fraction:.0%} done"
    return None
