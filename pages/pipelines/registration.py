"""The model that a step made, registered by a press."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from core.catalog import Run, RunState, runs
from core.tasks import pipeline_register
from pages._ui import frame, run_view

__all__ = ["Origin", "button", "show"]


class Origin(NamedTuple):
    """An output of a step of a run."""

    run: str
    step: str
    output: str


def _requests(origin: Origin) -> list[Run]:
    """Return the registrations of an output, the newest first."""
    listed = runs.find(task="pipeline_register", access=frame.access())
    wanted = {"pipeline": origin.run, "step": origin.step, "output": origin.output}
    return [run for run in listed if all(run.settings[name] == value for name, value in wanted.items())]


def button(origin: Origin, *, key: str) -> None:
    """Draw the form that registers the model."""
    number = st.session_state.setdefault("pipelines-registrations", 0)  # another key closes the popover
    with (
        st.popover("Register the model", icon=":material/inventory_2:", key=f"{key}-register-{number}"),
        st.form(f"{key}-register-form", border=False),
    ):
        name = st.text_input(
            "Name",
            value=origin.step.rpartition("/")[2],
            max_chars=200,
            key=f"{key}-name",
            help="One that exists has its next version.",
        )
        notes = st.text_area("Notes", key=f"{key}-notes", height=100)
        st.caption("Without a test. A step register\\_model with test\\_data in the pipeline registers it with one.")
        if st.form_submit_button("Register", type="primary", key=f"{key}-register-now"):
            with frame.errors_shown():
                pipeline_register.submit(*origin, name=name.strip(), notes=notes, access=frame.access())
                st.session_state["pipelines-registrations"] += 1
                st.rerun()


def show(origin: Origin) -> None:
    """Say what became of the last registration of the output."""
    request = next(iter(_requests(origin)), None)
    if request is None:
        return
    name = frame.plain(request.settings["name"])
    if not request.state.terminal:
        run_view.show_line(request.id, f"Registering the model as {name}")
    elif request.state is RunState.SUCCEEDED and request.result is not None:
        version = request.result["version"]
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/check_circle: Registered as **{name}**, version {version}", width="content")
            if st.button(
                "Open the model", icon=":material/inventory_2:", type="tertiary", key=f"pipelines-to-model-{request.id}"
            ):
                query = {"model": request.result["model_id"], "version": str(version)}
                st.switch_page("pages/models/page.py", query_params=query)
    else:
        run_view.show_failure(request)
