"""Forms of the steps that bring in other datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from core.access import upload_limit_mb
from core.catalog import Dataset, Run, RunState, datasets
from core.datasets import Preview, ReadReport
from core.tasks import ingest
from pages._ui import address, frame, lookups, run_view, tables, uploader
from pages.data import reading_notes

if TYPE_CHECKING:
    from streamlit.typing import UploadedFile

__all__ = ["NEWER", "append", "join"]

NEWER = "newer"
"""Parameter of the address: the import of a file whose rows are to be appended."""


def _other(dataset: Dataset, suggested: str | None = None) -> Dataset | None:
    """Let the user choose another dataset: the suggested one, as soon as there is one."""
    others = [other for other in datasets.find(access=frame.access()) if other.family_id != dataset.family_id]
    if not others:
        st.caption("There is no other dataset yet.")
        return None
    by_id = {other.id: other for other in others}
    address.follow(suggested if suggested in by_id else None, "data-step-dataset")
    chosen = st.selectbox(
        "Dataset",
        list(by_id),
        index=None,
        placeholder="Choose a dataset",
        format_func=lambda item: lookups.dataset_title(by_id[item]),
        key="data-step-dataset",
    )
    return by_id.get(chosen or "")


def join(preview: Preview, dataset: Dataset) -> dict[str, Any] | None:
    """Draw the form of a join; None while it is not complete."""
    other = _other(dataset)
    if other is None:
        return None
    theirs = tables.column_names(other)
    mine = st.multiselect("Keys in this table", list(preview.types), key="data-step-left", max_selections=5)
    keys = {}
    for position, name in enumerate(mine):
        keys[name] = st.selectbox(
            f"is equal to, for {frame.plain(name)}",
            theirs,
            index=theirs.index(name) if name in theirs else 0,
            key=f"data-step-right-{position}-{other.id}",
        )
    kind = st.segmented_control(
        "Rows without a match",
        ["left", "inner"],
        default="left",
        required=True,
        format_func=lambda item: {"left": "Keep", "inner": "Remove"}[item],
        key="data-step-kind",
    )
    repeated = st.selectbox(
        "A key in several rows of the other dataset",
        ["refuse", "first", "all"],
        format_func=lambda item: {
            "refuse": "Is an error",
            "first": "The first row is used",
            "all": "Rows are multiplied",
        }[item],
        key="data-step-repeated",
    )
    columns = st.multiselect(
        "Columns to add",
        [name for name in theirs if name not in keys.values()],
        placeholder="All but the keys",
        key=f"data-step-add-{other.id}",
    )
    if not keys:
        return None
    return {"dataset": other.id, "keys": keys, "kind": kind, "repeated": repeated, "columns": columns}


def append(_: Preview, dataset: Dataset) -> dict[str, Any] | None:
    """Draw the form of rows to append; None while it is not complete."""
    uploader.show(
        "A newer file, read like the file of this dataset",
        key="data-append-upload",
        limit_mb=upload_limit_mb(),
        on_upload=lambda file: _read_newer(dataset, file),
        help="Columns that this dataset has get its types and formats.",
    )
    run = lookups.existing_run(st.query_params.get(NEWER))
    if run is not None and run.task == "ingest" and not run.state.terminal:
        run_view.show_line(run.id, f"Reading {frame.plain(run.settings['filename'])}")
        return None
    newer = None if run is None or run.task != "ingest" else _newer(dataset, run)
    other = _other(dataset, None if newer is None else newer.id)
    if newer is not None and newer == other:
        reading_notes.show(ReadReport.from_dict(newer.report), expanded=True)
    return None if other is None else {"dataset": other.id}


def _read_newer(dataset: Dataset, file: UploadedFile) -> None:
    run_id = ingest.submit_upload(file, file.name, like=dataset.family_id, access=frame.access())
    st.query_params[NEWER] = run_id


def _newer(dataset: Dataset, run: Run) -> Dataset | None:
    """Return the dataset of a newer file; None, with the reason, where there is none to append."""
    if run.state is not RunState.SUCCEEDED or run.result is None:
        run_view.show_failure(run)
        return None
    newer = lookups.existing_dataset(run.result["dataset_id"])
    filename = frame.plain(run.settings["filename"])
    if newer is None:
        st.info(f"{filename} was read; its dataset was deleted since.", icon=":material/delete:")
    elif newer.family_id == dataset.family_id:
        st.info(f"{filename} has the same table as this dataset.", icon=":material/content_copy:")
    else:
        return newer
    return None
