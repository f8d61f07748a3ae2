"""The button that pushes a model to MLflow, and the state of the last push."""

from __future__ import annotations

import os

import streamlit as st

from core.access import has_feature
from core.catalog import ModelVersion, Run, RunState, runs
from core.plain_text import markdown_code
from core.tasks import push
from pages._ui import badges, frame, keys, numbers, server_facts

__all__ = ["show"]

_VARIABLE = "MLFLOW_TRACKING_URI"


def show(subject: ModelVersion | Run, policy: str | None = None) -> None:
    """Draw the button that pushes a version or a finished run, and the state of the last push.

    Parameters
    ----------
    subject : ModelVersion or Run
        Version or run to push.
    policy : str, optional
        Name of the file of the policy that decides; by default the one in force.
    """
    if not has_feature("mlflow_push"):
        return
    if os.environ.get(_VARIABLE):
        about = f"Sends parameters, metrics, files and the model to the server in {_VARIABLE}."
        if st.button("Push to MLflow", icon=":material/cloud_upload:", key=keys.key("push-mlflow"), help=about):
            st.switch_page(
                "pages/runs/page.py",
                query_params={"run": push.submit(subject, policy=policy, access=frame.access())},
            )
    else:
        st.caption(f"To push it to an MLflow server, set {_VARIABLE} to the URI of the server and restart Plumbline.")
    pushes = runs.find(task="push", access=frame.access())
    last = next((run for run in pushes if run.settings["subject"] == subject.id), None)
    if last is not None:
        _state(last)


def _state(last: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        badges.show(badges.of_run(last))
        st.markdown(f"Last push: {numbers.when(last.created_at):%d %b, %H:%M}", width="content")
        if st.button("Open", key=keys.key(f"push-{last.id}"), icon=":material/open_in_new:"):
            st.switch_page("pages/runs/page.py", query_params={"run": last.id})
    if last.state is RunState.SUCCEEDED:
        st.caption(f"MLflow has it as run {markdown_code((last.result or {})['mlflow_run'])}.")
    elif last.error_message:
        st.caption(frame.plain(server_facts.without(last.error_message)))
