"""How a table gets in: an upload or a sample, read by a run of its own."""

from __future__ import annotations

import streamlit as st

from core import jobs
from core.catalog import ACTIVE, RunState, runs
from core.datasets import samples
from core.errors import NotFoundError
from core.settings import get_settings
from core.tasks import ingest
from pages._ui import frame, run_view

__all__ = ["running", "upload_or_sample"]

_FORMATS = "CSV and other delimited text, Excel, Parquet, Feather, JSON lines; gzip or a zip of one file"


def _started(run_id: str) -> None:
    st.query_params["import"] = run_id


def _take_upload() -> None:
    number = st.session_state.setdefault("data-upload-number", 0)
    file = st.session_state.get(f"data-upload-{number}")
    if file is None:
        return
    # A new key drops the widget's copy of the file from memory.
    st.session_state["data-upload-number"] = number + 1
    with frame.errors_shown():
        _started(ingest.submit_upload(file, file.name, workspace=frame.workspace()))


def _take_sample() -> None:
    with frame.errors_shown():
        _started(ingest.submit_sample(st.session_state["data-sample"], workspace=frame.workspace()))


def upload_or_sample(*, first: bool) -> None:
    """Offer the two ways in; with no table there yet, the sample is the button to press."""
    settings = get_settings()
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Your own table")
        number = st.session_state.setdefault("data-upload-number", 0)
        st.file_uploader(
            f"{_FORMATS}. Up to {settings.max_upload_mb:,} MB, {settings.max_rows:,} rows, "
            f"{settings.max_columns:,} columns.",
            max_upload_size=settings.max_upload_mb,
            key=f"data-upload-{number}",
            on_change=_take_upload,
        )
    with right:
        st.subheader("A sample")
        known = {sample.name: sample for sample in samples()}
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.selectbox(
                "Sample",
                list(known),
                format_func=lambda item: known[item].title,
                key="data-sample",
                width="stretch",
            )
            st.button(
                "Load",
                type="primary" if first else "secondary",
                icon=":material/download:",
                key="data-load-sample",
                on_click=_take_sample,
            )
        sample = known[name]
        st.caption(f"{sample.description} {sample.rows:,} rows, {sample.columns:,} columns. {sample.licence}.")


def running() -> None:
    """Show imports under way, whoever's tab started them, and how the one of this tab ended."""
    own = st.query_params.get("import")
    workspace = frame.workspace()
    shown = [run.id for run in runs.find(workspace, task="ingest", states=[RunState.QUEUED, *ACTIVE])]
    for run_id in shown:
        run_view.show_run(run_id)
    if own is None or own in shown:
        return
    try:
        run = jobs.get(own, workspace=workspace)
    except NotFoundError:
        del st.query_params["import"]
        return
    if run.state is RunState.SUCCEEDED and run.result is not None:
        if run.result["known"]:
            st.session_state["data-notice"] = (
                f"This table was here already, as '{run.result['name']}': nothing was stored twice."
            )
        frame.go(dataset=run.result["dataset_id"])
        st.rerun()
    run_view.show_failure(run)
