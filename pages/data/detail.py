"""One dataset: what is in it, what the reader did, what could go wrong, and what its columns are for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from core import housekeeping
from core.catalog import Dataset, datasets
from core.datasets import head as first_rows
from core.storage import get_store
from pages._ui import downloads, findings, frame, numbers

__all__ = ["checks", "columns", "head", "preview", "roles"]

_PREVIEW_ROWS = 200


def _path(dataset: Dataset) -> Path:
    return get_store().local_path(dataset.data_digest)


@st.cache_data(max_entries=20, show_spinner=False)
def _profile(digest: str) -> dict[str, Any]:
    return json.loads(get_store().read_bytes(digest))


def _names(dataset: Dataset) -> list[str]:
    return [column["name"] for column in _profile(dataset.profile_digest)["columns"]]


def _to_list() -> None:
    st.query_params.clear()


def head(dataset: Dataset) -> None:
    """Draw name, facts, actions, and what the reader had to do."""
    st.button("All datasets", icon=":material/arrow_back:", type="tertiary", key="back", on_click=_to_list)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(frame.plain(dataset.name), width="content")
        st.space("stretch")
        if st.button("Search for a model", type="primary", icon=":material/model_training:", key="to-automl"):
            st.switch_page("pages/automl/page.py", query_params={"dataset": dataset.id})
        with st.popover("Download", icon=":material/download:", key="download"):
            downloads.dataset(dataset)
        with st.popover("Manage", icon=":material/settings:", key="manage"):
            _manage(dataset)
    st.caption(
        f"{dataset.rows:,} rows · {dataset.columns:,} columns · {numbers.size(dataset.size_bytes)} as Parquet · "
        f"{frame.plain(dataset.source)} · added {numbers.ago(dataset.created_at)} · "
        f"fingerprint `{dataset.fingerprint[:12]}`"
    )
    if notice := st.session_state.pop("notice", None):
        st.info(frame.plain(notice), icon=":material/content_copy:")
    _report(dataset.report)


def _report(report: dict[str, Any]) -> None:
    skipped = report.get("skipped_count", 0)
    notices = report.get("notices", [])
    if not skipped and not notices:
        return
    label = f"{skipped:,} lines were kept apart" if skipped else f"{len(notices)} notes from reading the file"
    with st.expander(label, icon=":material/warning:" if skipped else ":material/info:", expanded=bool(skipped)):
        for notice in notices:
            st.markdown(f"- {frame.plain(notice)}")
        if skipped:
            st.dataframe(
                pd.DataFrame(report["skipped"]),
                hide_index=True,
                alt="Lines of the file that are not in the table, with the reason",
            )


def _manage(dataset: Dataset) -> None:
    with st.form("rename", border=False):
        name = st.text_input("Name", value=dataset.name, max_chars=200, key="new-name")
        if st.form_submit_button("Rename", icon=":material/edit:", key="rename-go"):
            datasets.rename(dataset.id, name, frame.workspace())
            st.rerun()
    if st.button("Delete…", icon=":material/delete:", key="delete"):
        _confirm_deletion(dataset)


@st.dialog("Delete this dataset?", icon=":material/delete:")
@frame.guarded
def _confirm_deletion(dataset: Dataset) -> None:
    st.write(
        f"{frame.plain(dataset.name)}, {dataset.rows:,} rows. This cannot be undone. "
        "Runs that used it keep their results."
    )
    if st.button("Delete", type="primary", icon=":material/delete:", key="delete-go"):
        housekeeping.delete_dataset(dataset.id, workspace=frame.workspace())
        _to_list()
        st.rerun()


def columns(dataset: Dataset) -> None:
    """Draw the profile: one row a column, with its distribution."""
    profile = _profile(dataset.profile_digest)
    st.dataframe(
        pd.DataFrame(
            {
                "Column": [item["name"] for item in profile["columns"]],
                "Kind": [item["kind"] for item in profile["columns"]],
            }
        ),
        hide_index=True,
        alt="Columns of the dataset",
    )


def preview(dataset: Dataset) -> None:
    """Draw the first rows."""
    shown = first_rows(_path(dataset), _PREVIEW_ROWS)
    st.caption(f"The first {len(shown):,} of {dataset.rows:,} rows.")
    st.dataframe(shown, alt="First rows of the dataset")


def checks(dataset: Dataset) -> None:
    """Draw the guardrails for the dataset's target."""
    target = dataset.roles.get("target")
    if target is None:
        st.info("Choose the target under Roles: most checks are about it.", icon=":material/flag:")
    findings.guardrails(dataset, target, dataset.roles.get("sensitive", []))


def roles(dataset: Dataset) -> None:
    """Let the user say what the columns are for."""
    names = _names(dataset)
    stored = dataset.roles
    with st.form("roles", border=False):
        target = st.selectbox(
            "Target",
            names,
            index=names.index(stored["target"]) if stored.get("target") in names else None,
            placeholder="The column to predict",
            key="role-target",
        )
        sensitive = st.multiselect(
            "Sensitive",
            names,
            default=[name for name in stored.get("sensitive", []) if name in names],
            help="People's attributes, such as sex or age: results are compared by their groups.",
            key="role-sensitive",
        )
        ignore = st.multiselect(
            "Ignore",
            names,
            default=[name for name in stored.get("ignore", []) if name in names],
            help="Columns that a model must not use, such as what is known only afterwards.",
            key="role-ignore",
        )
        if st.form_submit_button("Save roles", type="primary", key="roles-go"):
            if target in ignore:
                frame.show_error(f"'{target}' cannot be both the target and ignored.", "Take it out of one.")
            else:
                datasets.set_roles(
                    dataset.id,
                    {"target": target, "sensitive": sensitive, "ignore": ignore},
                    frame.workspace(),
                )
                st.toast("Roles saved", icon=":material/check:")
                st.rerun()
