"""The head of an export and of a measurement: title, way back, actions."""

from __future__ import annotations

import streamlit as st

from core import jobs
from core.catalog import Run, RunState, runs
from core.errors import NotFoundError
from pages._ui import frame
from pages.edge import files

__all__ = ["of_export", "of_measurement"]


def _to_start() -> None:
    st.query_params.clear()


def _to_run(run_id: str) -> None:
    frame.go(run=run_id)


def _repeat(run_id: str) -> None:
    with frame.errors_shown():
        _to_run(jobs.repeat(run_id, workspace=frame.workspace()))


def of_export(run: Run) -> None:
    """Draw the head of an export."""
    st.button("All exports", icon=":material/arrow_back:", type="tertiary", key="edge-back", on_click=_to_start)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(frame.plain(run.title), width="content")
        st.space("stretch")
        if run.state is RunState.SUCCEEDED:
            with st.popover("Download", icon=":material/download:", key="edge-download"):
                files.of_export(run)
        _common(run)


def of_measurement(run: Run) -> None:
    """Draw the head of a measurement, which leads back to its export."""
    export_id = run.settings["export"]
    st.button(
        "The model", icon=":material/arrow_back:", type="tertiary", key="edge-back", on_click=_to_run, args=(export_id,)
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(f"Latency of {frame.plain(run.title)}", width="content")
        st.space("stretch")
        if run.state is RunState.SUCCEEDED:
            with st.popover("Download", icon=":material/download:", key="edge-download"):
                files.of_measurement(run)
        _common(run)


def _common(run: Run) -> None:
    if run.state.terminal and jobs.repeatable(run):
        st.button(
            "Repeat",
            icon=":material/replay:",
            key="edge-repeat",
            on_click=_repeat,
            args=(run.id,),
            help="Start a new run with the same settings.",
        )
    source = run.settings.get("source")
    if (
        source is not None
        and _there(source)
        and st.button(
            "Its run", icon=":material/model_training:", key="edge-source", help="The run that made this model."
        )
    ):
        made = runs.get(source, frame.workspace())
        st.switch_page(f"pages/{made.task}/page.py", query_params={"run": source})
    if st.button("Log", icon=":material/list_alt:", key="edge-to-runs", help="The run's log, facts and files."):
        st.switch_page("pages/runs/page.py", query_params={"run": run.id})


def _there(run_id: str) -> bool:
    try:
        runs.get(run_id, frame.workspace())
    except NotFoundError:
        return False
    return True
