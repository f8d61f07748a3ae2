"""One dataset: what is in it, what the reader did, and what could go wrong."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core import housekeeping
from core.catalog import Dataset, datasets
from pages._ui import address, downloads, findings, frame, header, numbers, tables

__all__ = ["checks", "columns", "head", "preview"]

_PREVIEW_ROWS = 200


def head(dataset: Dataset) -> None:
    """Draw name, facts, actions, and what the reader had to do."""
    facts = (
        f"{dataset.rows:,} rows · {dataset.columns:,} columns · {numbers.size(dataset.size_bytes)} as Parquet · "
        f"{frame.plain(dataset.source)} · added {numbers.ago(dataset.created_at)} · "
        f"fingerprint `{dataset.fingerprint[:12]}`"
    )
    with header.show_object(dataset.name, back="All datasets", facts=facts):
        if st.button("Search for a model", type="primary", icon=":material/model_training:", key="data-to-automl"):
            st.switch_page("pages/automl/page.py", query_params={"dataset": dataset.id})
        with st.popover("Download", icon=":material/download:", key="data-download"):
            downloads.dataset(dataset)
        with st.popover("Manage", icon=":material/settings:", key="data-manage"):
            _manage(dataset)
    if notice := st.session_state.pop("data-notice", None):
        st.info(frame.plain(notice), icon=":material/content_copy:")
    _report(dataset.report)


def _report(report: dict[str, Any]) -> None:
    skipped = report["skipped"]
    notices = [*report["notices"]]
    if report["renamed"]:
        pairs = ", ".join(f"'{old}' is now '{new}'" for new, old in report["renamed"].items())
        notices.append(f"Column names were repaired: {pairs}.")
    for column, markers in report["missing_markers"].items():
        read_as = ", ".join(f"'{marker}' ({count:,})" for marker, count in markers.items())
        notices.append(f"In '{column}', {read_as} was read as missing.")
    if not skipped and not notices:
        return
    label = f"Lines kept apart: {skipped:,}" if skipped else f"Notes from reading the file: {len(notices)}"
    with st.expander(label, icon=":material/warning:" if skipped else ":material/info:", expanded=bool(skipped)):
        for notice in notices:
            st.markdown(f"- {frame.plain(notice)}")
        if skipped:
            st.dataframe(
                pd.DataFrame(report["skipped_rows"]).rename(columns=str.capitalize),
                hide_index=True,
                alt="Lines of the file that are not in the table, with the reason",
            )


def _manage(dataset: Dataset) -> None:
    with st.form("data-rename-form", border=False):
        name = st.text_input("Name", value=dataset.name, max_chars=200, key=f"data-new-name-{dataset.id}")
        if st.form_submit_button("Rename", icon=":material/edit:", key="data-rename"):
            datasets.rename(dataset.id, name, frame.workspace())
            st.rerun()
    if st.button("Delete…", icon=":material/delete:", key="data-delete"):
        _confirm_deletion(dataset)


@st.dialog("Delete this dataset?", icon=":material/delete:")
@frame.guarded
def _confirm_deletion(dataset: Dataset) -> None:
    st.write(
        f"{frame.plain(dataset.name)}, {dataset.rows:,} rows. This cannot be undone. "
        "Runs that used it keep their results."
    )
    if st.button("Delete", type="primary", icon=":material/delete:", key="data-delete-confirm"):
        housekeeping.delete_dataset(dataset.id, workspace=frame.workspace())
        address.go()


def columns(dataset: Dataset) -> None:
    """Draw the profile: one row a column, with its distribution."""
    found = tables.profile(dataset.profile_digest)["columns"]
    roles_of = _roles_by_column(dataset.roles)
    table = pd.DataFrame(
        {
            "Column": [column["name"] for column in found],
            "Kind": [column["kind"] for column in found],
            "Role": [roles_of.get(column["name"], "") for column in found],
            "Distribution": [_bars(column) for column in found],
            "Missing": [100 * column["missing"] / max(column["rows"], 1) for column in found],
            "Different values": [column["distinct"] for column in found],
            "Typical values": [_typical(column) for column in found],
        }
    )
    st.dataframe(
        table,
        hide_index=True,
        height="content" if len(table) <= 40 else 1400,
        row_height=44,
        column_config={
            "Column": st.column_config.TextColumn(pinned=True),
            "Kind": st.column_config.TextColumn(width="small"),
            "Role": st.column_config.TextColumn(width="small"),
            "Distribution": st.column_config.BarChartColumn(
                help="Numbers and dates: a histogram from the smallest to the largest. Others: the commonest values.",
                y_min=0,
            ),
            "Missing": st.column_config.NumberColumn("Missing (%)", format="%.1f", width="small"),
            "Different values": st.column_config.NumberColumn(format="localized"),
            "Typical values": st.column_config.TextColumn(
                "Range or commonest values",
                width="large",
                help="Numbers and dates: smallest, median, largest. Others: the commonest values with their rows.",
            ),
        },
        alt="Columns of the dataset with kind, distribution, missing and typical values",
    )


def _roles_by_column(stored: dict[str, Any]) -> dict[str, str]:
    named = dict.fromkeys(stored.get("ignore", []), "ignored")
    named |= dict.fromkeys(stored.get("sensitive", []), "sensitive")
    if stored.get("target"):
        named[stored["target"]] = "target"
    return named


def _bars(column: dict[str, Any]) -> list[int]:
    return list(column["counts"]) or [count for _, count in column["top"]]


def _typical(column: dict[str, Any]) -> str:
    if column["kind"] in ("number", "date") and column["minimum"] is not None:
        middle = column["quantiles"].get("0.5")
        return " … ".join(
            numbers.rounded(value) if isinstance(value, int | float) else str(value)
            for value in (column["minimum"], middle, column["maximum"])
            if value is not None
        )
    return ", ".join(f"{value} ({count:,})" for value, count in column["top"][:4])


def preview(dataset: Dataset) -> None:
    """Draw the first rows."""
    shown = tables.first_rows(dataset, _PREVIEW_ROWS)
    st.caption(f"The first {len(shown):,} of {dataset.rows:,} rows.")
    st.dataframe(shown, alt="First rows of the dataset")


def checks(dataset: Dataset) -> None:
    """Draw the guardrails for the dataset's target."""
    target = dataset.roles.get("target")
    if target is None:
        st.info("Choose the target under Roles: most checks are about it.", icon=":material/flag:")
    findings.guardrails(dataset, target, dataset.roles.get("sensitive", []))
