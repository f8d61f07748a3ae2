"""Actions on a run that every page has: repeat it, read its log."""

from __future__ import annotations

import streamlit as st

from core import jobs
from core.catalog import Run
from pages._ui import address, frame, keys

__all__ = ["log", "repeat", "start_again"]


def repeat(run: Run) -> None:
    """Draw the button that starts a run again with the same settings, where that is possible."""
    if run.state.terminal and jobs.repeatable(run):
        st.button(
            "Repeat",
            icon=":material/replay:",
            key=keys.key("repeat"),
            on_click=start_again,
            args=(run.id,),
            help="Start a new run with the same settings.",
        )


def start_again(run_id: str) -> None:
    """Start a new run with the settings of another and open it, in a callback."""
    with frame.errors_shown():
        address.set_query(run=jobs.repeat(run_id, access=frame.access()))


def log(run_id: str) -> None:
    """Draw the button that leads to a run's log."""
    if st.button("Log", icon=":material/list_alt:", key=keys.key("to-runs"), help="The run's log, facts and files."):
        st.switch_page("pages/runs/page.py", query_params={"run": run_id})
