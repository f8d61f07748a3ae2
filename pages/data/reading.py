"""The tab Reading: how the file was read, why, and what to change."""

from __future__ import annotations

import streamlit as st

from core.catalog import Dataset
from core.datasets import ReadReport
from core.tasks import preview
from pages._ui import address, frame, tables
from pages.data import reading_panel
from pages.data.shown_reading import Reading

__all__ = ["note_content", "show"]

_ROWS = 100


def show(dataset: Dataset) -> None:
    """Draw how the file was read; a change leads to a preview of the file as it would be read then."""
    report = ReadReport.from_dict(dataset.report)
    if not report.decisions:
        st.info("The file has its own types, so nothing about it had to be decided.", icon=":material/check:")
        return
    if st.session_state.get(_seen(dataset.id), dataset.fingerprint) != dataset.fingerprint:
        st.info(
            "The file was read again since you opened this page, in another window. This is how it is read now.",
            icon=":material/sync:",
        )
    note_content(dataset)
    kept = dataset.upload_digest is not None
    if not kept:
        st.info(
            "The original file is not kept, so it cannot be read again. Upload it again to change how it is read.",
            icon=":material/inventory_2:",
        )
    else:
        st.caption(
            "Change anything, and a preview shows the table as it would be. Nothing is stored before you say so."
        )
    rows = tables.first_rows(dataset, _ROWS).frame
    reading = Reading(report, rows, report.given, dataset.fingerprint[:12], fixed=not kept)
    options = reading_panel.show(reading)
    if options != report.given:
        with frame.errors_shown():
            address.go(**{"import": preview.submit_dataset(dataset, options, access=frame.access())})


def note_content(dataset: Dataset) -> None:
    """Remember which content of a dataset this window has shown, to say so when another window has changed it."""
    st.session_state[_seen(dataset.id)] = dataset.fingerprint


def _seen(dataset_id: str) -> str:
    return f"data-reading-seen-{dataset_id}"
