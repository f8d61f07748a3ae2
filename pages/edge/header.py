"""The header of an export and of a latency measurement: title, way back, actions."""

from __future__ import annotations

import streamlit as st

from core.catalog import Run, RunState
from pages._ui import header, lookups, run_actions
from pages.edge import download

__all__ = ["show_export", "show_measurement", "show_search"]


def show_export(run: Run) -> None:
    """Draw the header of an export."""
    with header.show_object(run.title, back="All exports"):
        if run.state is RunState.SUCCEEDED:
            with st.popover("Download", icon=":material/download:", key="edge-download"):
                download.show_export(run)
        _actions(run)


def show_measurement(run: Run) -> None:
    """Draw the header of a measurement, which leads back to its export."""
    with header.show_object(f"Latency of {run.title}", back="The model", query={"run": run.settings["export"]}):
        if run.state is RunState.SUCCEEDED:
            with st.popover("Download", icon=":material/download:", key="edge-download"):
                download.show_measurement(run)
        _actions(run)


def show_search(run: Run) -> None:
    """Draw the header of a search for the smallest variant, which leads back to its export."""
    with header.show_object(
        f"Smallest variant of {run.title}", back="The model", query={"run": run.settings["export"]}
    ):
        if run.state is RunState.SUCCEEDED:
            with st.popover("Download", icon=":material/download:", key="edge-download"):
                download.show_search(run)
        _actions(run)


def _actions(run: Run) -> None:
    run_actions.repeat(run)
    source = lookups.existing_run(run.settings.get("source"))
    if source is not None and st.button(
        "Its run", icon=":material/model_training:", key="edge-source", help="The run that made this model."
    ):
        st.switch_page(f"pages/{source.task}/page.py", query_params={"run": source.id})
    run_actions.log(run.id)
