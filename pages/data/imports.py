"""Imports: an upload or a sample, read by a run of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.access import upload_limit_mb
from core.catalog import ACTIVE, Dataset, Run, RunState, datasets, runs
from core.datasets import Limits, readable_formats, samples
from core.jsonable import JsonObject
from core.tasks import ingest, preview
from pages._ui import address, frame, lookups, run_view, uploader
from pages.data import reading

if TYPE_CHECKING:
    from streamlit.typing import UploadedFile

__all__ = ["follow", "imported", "is_previewed", "running", "upload_or_sample"]

_FOLLOWED = "data-import-followed"


def _take_upload(file: UploadedFile) -> None:
    address.set_query(**{"import": preview.submit(file, file.name, access=frame.access())})


def _take_sample() -> None:
    with frame.errors_shown():
        follow(ingest.submit_sample(st.session_state["data-sample"], access=frame.access()))


def follow(run_id: str) -> None:
    """Show an import, in a callback; when it ends, this window opens its dataset."""
    st.session_state[_FOLLOWED] = run_id
    address.set_query(**{"import": run_id})


def upload_or_sample(*, first: bool) -> None:
    """Offer an upload and the samples; `first` makes loading a sample the primary action."""
    largest = Limits.from_settings()
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Your own table")
        formats = readable_formats(4)
        uploader.show(
            f"{formats[:1].upper()}{formats[1:]}; up to {largest.max_rows:,} rows, {largest.max_columns:,} columns",
            key="data-upload",
            limit_mb=upload_limit_mb(),
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
    """Return the import that the address names, or the preview of one, if it names one."""
    run_id = st.query_params.get("import")
    if run_id is None:
        return None
    run = lookups.run(run_id, "ingest", "preview", what="an import")
    if run.task == "preview" and "dataset" in run.settings:
        datasets.get(run.settings["dataset"], access=frame.access())  # without it, there is nothing to read again
    return run


def is_previewed(run: Run) -> bool:
    """Return whether a run shows a file that is not imported yet."""
    return run.task == "preview" and preview.is_kept(run) and preview.import_of(run, access=frame.access()) is None


def running(own: Run | None) -> None:
    """Show all active imports, and how the one that the address names ended.

    Parameters
    ----------
    own : Run or None
        Import that the address names. When this window has waited for it, its dataset is opened; where Back, a reload
        or a link leads to one that has ended, it is linked, so that Back does not lead forward.
    """
    if own is not None and own.task == "preview":
        own = preview.import_of(own, access=frame.access()) or own
    active = runs.find(task="ingest", states=[RunState.QUEUED, *ACTIVE], access=frame.access())
    for run in active:
        run_view.show_run(run.id)
    if own is None:
        return
    if own.id in {run.id for run in active}:
        st.session_state[_FOLLOWED] = own.id
    elif own.task == "preview" and own.state is not RunState.FAILED:
        st.info("This upload was not imported, and is no longer kept.", icon=":material/delete:")
    elif own.state is RunState.SUCCEEDED and own.result is not None:
        _succeeded(own, own.result)
    else:
        run_view.show_failure(own)
        _offer_preview(own)


def _succeeded(own: Run, result: JsonObject) -> None:
    dataset = lookups.existing_dataset(result["dataset_id"])
    if st.session_state.pop(_FOLLOWED, None) == own.id and dataset is not None:
        st.session_state["data-notice"] = _notice(own, result, dataset)
        reading.note_content(dataset)
        address.go(dataset=dataset.id)
    name = frame.plain(own.settings.get("filename") or result["name"])
    if dataset is None:
        st.info(f"{name} was imported; its dataset was deleted since.", icon=":material/delete:")
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="data-imported"):
        st.markdown(f":material/check: {name} was imported as **{frame.plain(dataset.name)}**.", width="content")
        st.space("stretch")
        if st.button("Open the dataset", icon=":material/table_chart:", key="data-open-imported"):
            address.go(dataset=dataset.id)


def _notice(own: Run, result: JsonObject, dataset: Dataset) -> str | None:
    """Return what the page of the dataset has to say about the import."""
    again = own.settings.get("dataset")
    if result["known"] and again == dataset.id:
        return "Read in this way, the file gives the same table."
    if result["known"]:
        return f"This table was imported before, as '{result['name']}', and is not stored again."
    if again == dataset.id and dataset.report["given"] != own.settings["options"]:
        return "The file was read once more since, in another window. This is how it was read there."
    return None


def _offer_preview(own: Run) -> None:
    """Lead back to the preview of a file whose import failed, to read it in another way."""
    run_id = own.settings.get("preview")
    if run_id is None or own.state is RunState.CANCELLED:
        return
    run = lookups.existing_run(run_id)
    if run is not None and preview.is_kept(run):
        st.button(
            "Change how it is read",
            icon=":material/tune:",
            key="data-back-to-preview",
            on_click=address.set_query,
            kwargs={"import": run.id},
        )
