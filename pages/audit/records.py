"""The records of the log as a table, and their downloads."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.catalog import AuditRecord, audit, audit_export
from core.catalog.audit import ACTIONS, AuditFilter
from pages._ui import frame, numbers
from pages.audit import filters

__all__ = ["show"]

_PAGE = 200
_MOST = 2_000
_NAMES = {"holds": "on"}
_WORDS = {"True": "yes", "False": "no"}


def show(wanted: AuditFilter) -> None:
    """Draw the newest records that match, a button for more of them, and the downloads."""
    limit_key = f"audit-limit-{hash(wanted)}"
    limit = st.session_state.get(limit_key, _PAGE)
    matches = audit.find(wanted, limit=limit + 1, access=frame.access())
    if not matches:
        st.info("No records match these filters.", icon=":material/filter_alt_off:")
        st.button("Clear the filters", icon=":material/filter_alt_off:", key="audit-clear", on_click=filters.clear)
        return
    shown = matches[:limit]
    _table(shown)
    more = len(matches) > len(shown)
    with st.container(horizontal=True, vertical_alignment="center"):
        if more and limit < _MOST:
            st.button("Show more", icon=":material/expand_more:", key="audit-more", on_click=_more, args=(limit_key,))
        st.caption(f"{'The newest ' if more else ''}{len(shown):,} records", width="content")
        st.space("stretch")
        _downloads(wanted)
    if more:
        st.caption(f"Downloads have all records that match, up to {audit.EXPORTED:,}.")


def _more(limit_key: str) -> None:
    st.session_state[limit_key] = min(_MOST, st.session_state.get(limit_key, _PAGE) * 3)


def _table(shown: list[AuditRecord]) -> None:
    st.dataframe(
        pd.DataFrame(
            {
                "Time": [numbers.when(record.at) for record in shown],
                "Action": [f"{ACTIONS.get(record.action, record.action)} {record.subject}".strip() for record in shown],
                "Person": [record.who or None for record in shown],
                "Details": [_details(record) or None for record in shown],
                "Number": [record.number for record in shown],
            }
        ),
        hide_index=True,
        placeholder="–",
        height="content" if len(shown) <= 12 else 460,
        column_config={
            "Number": st.column_config.NumberColumn(width="small", format="localized"),
            "Time": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss"),
            "Action": st.column_config.TextColumn(width="large"),
            "Details": st.column_config.TextColumn(width="medium"),
        },
        alt="Records of the audit log, the newest first",
    )


def _details(record: AuditRecord) -> str:
    return " · ".join(
        f"{_NAMES.get(name, name.replace('_', ' '))}: {_WORDS.get(str(value), value)}"
        for name, value in record.details.items()
        if value != "" and name != "key"
    )


def _downloads(wanted: AuditFilter) -> None:
    access = frame.access()
    st.download_button(
        "CSV",
        lambda: audit_export.export("csv", wanted, access=access),
        file_name="audit-log.csv",
        mime="text/csv",
        icon=":material/csv:",
        key="audit-csv",
        on_click="ignore",
    )
    st.download_button(
        "JSON lines",
        lambda: audit_export.export("jsonl", wanted, access=access),
        file_name="audit-log.jsonl",
        mime="application/jsonl",
        icon=":material/data_object:",
        key="audit-jsonl",
        on_click="ignore",
        help="With the digests that chain the records.",
    )
