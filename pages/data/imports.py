"""Imports: an upload or a sample, read by a run of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.catalog import ACTIVE, Run, RunState, runs
from core.datasets import readable_formats, samples
from core.settings import get_settings
from core.tasks import ingest
from pages._ui import address, frame, lookups, run_view, uploader

if TYPE_CHECKING:
    from streamlit.typing import UploadedFile

__all__ = ["imported", "running", "upload_or_sample"]


def _take_upload(file: UploadedFile) -> None:
    address.set_query(**{"import": ingest.submit_upload(file, file.name, workspace=frame.workspace())})


def _take_sample() -> None:
    with frame.errors_shown():
        run_id = ingest.submit_sample(st.session_state["data-sample"], workspace=frame.workspace())
        address.set_query(**{"import": run_id})


def upload_or_sample(*, first: bool) -> None:
    """Offer an upload and the samples; `first` makes loading a sample the primary action."""
    settings = get_settings()
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Your own table")
        formats = readable_formats(4)
        uploader.show(
            f"{formats[:1].upper()}{formats[1:]}; up to {settings.max_rows:,} rows, {settings.max_columns:,} columns",
            key="data-upload",
            limit_mb=settings.max_upload_mb,
            on_upload=_take_upload,
            help=f"All formats: {readable_formats()}.",
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
        st.caption(f"{sample.description} {sample.rows:,} rows, {sample.columns:,} columns. {sample.license}.")


def imported() -> Run | None:
    """Return the import that the address names, if it names one."""
    run_id = st.query_params.get("import")
    if run_id is None:
        return None
    return lookups.run(run_id, "ingest", what="an import")


def running(own: Run | None) -> None:
    """Show all active imports, and how the one that the address names ended.

    Parameters
    ----------
    own : Run or None
        Import that the address names. When it has succeeded, its dataset is opened.
    """
    active = runs.find(frame.workspace(), task="ingest", states=[RunState.QUEUED, *ACTIVE])
    for run in active:
        run_view.show_run(run.id)
    if own is None or own.id in {run.id for run in active}:
        return
    if own.state is RunState.SUCCEEDED and own.result is not None:
        if own.result["known"]:
            st.session_state["data-notice"] = (
                f"This table was imported before, as '{own.result['name']}', and is not stored again."
            )
        address.go(dataset=own.result["dataset_id"])
    run_view.show_failure(own)
