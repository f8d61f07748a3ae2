"""The head of one dataset: facts, actions, and what the reader had to decide."""

from __future__ import annotations

import streamlit as st

from core.catalog import Dataset, datasets
from core.datasets import ReadReport
from pages._ui import deletion, downloads, frame, header, numbers, suggestions
from pages.data import history, reading_notes

__all__ = ["head"]


def head(dataset: Dataset) -> None:
    """Draw name, facts, actions, and notes from reading the file."""
    facts = " · ".join(
        fact
        for fact in (
            history.fact(dataset),
            f"{dataset.rows:,} rows",
            f"{dataset.columns:,} columns",
            f"{numbers.size(dataset.size_bytes)} as Parquet",
            frame.plain(dataset.source),
            f"added {numbers.ago(dataset.created_at)}",
            f"fingerprint {dataset.fingerprint[:12]}",
        )
        if fact
    )
    with header.show_object(dataset.name, back="All datasets", facts=facts):
        if st.button("Search for a model", type="primary", icon=":material/model_training:", key="data-to-automl"):
            search = next((step for step in suggestions.steps(dataset) if step.name == "search"), None)
            query = {"dataset": dataset.id} if search is None else suggestions.query(dataset, search)
            st.switch_page("pages/automl/page.py", query_params=query)
        with st.popover("Download", icon=":material/download:", key="data-download"):
            downloads.dataset(dataset)
            if dataset.lineage.get("recipe"):
                downloads.pipeline(dataset)
        with st.popover("Manage", icon=":material/settings:", key="data-manage", on_change="rerun"):
            _manage(dataset)
    history.show(dataset)
    if notice := st.session_state.pop("data-notice", None):
        st.info(frame.plain(notice), icon=":material/content_copy:")
    report = ReadReport.from_dict(dataset.report)
    if not dataset.origin_id and not dataset.head_id:
        reading_notes.show_undecided(dataset, report)
    reading_notes.show(report)


def _manage(dataset: Dataset) -> None:
    with st.form("data-rename-form", border=False):
        name = st.text_input("Name", value=dataset.name, max_chars=200, key=f"data-new-name-{dataset.id}")
        if st.form_submit_button("Rename", icon=":material/edit:", key="data-rename"):
            datasets.rename(dataset.id, name, access=frame.access())
            st.rerun()
    deletion.button("dataset", dataset.id, menu="data-manage")
