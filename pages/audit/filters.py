"""Which records of the log are shown: by action, person and day."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import streamlit as st

from core.catalog.audit import ACTIONS, AuditFilter

__all__ = ["clear", "show"]

_DAY = timedelta(days=1)


def show(people: list[str]) -> AuditFilter:
    """Draw the filter, and return it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        actions = st.multiselect(
            "Action",
            list(ACTIONS),
            format_func=lambda action: f"{ACTIONS[action]} …",
            placeholder="All actions",
            key="audit-actions",
            width=320,
        )
        who = st.selectbox(
            "Person",
            people,
            index=None,
            format_func=lambda name: name or "(without sign-in)",
            placeholder="All people",
            key="audit-who",
            width=260,
        )
        first = st.date_input("From", value=None, key="audit-from", width=160)
        last = st.date_input("To", value=None, key="audit-to", width=160, help="The last day that is shown.")
    if first is not None and last is not None and last < first:
        st.warning("'To' is before 'From': no day is in between.", icon=":material/event_busy:")
    since = None if first is None else _start(first)
    until = None if last is None else _start(last + _DAY)
    return AuditFilter(tuple(actions), who, since, until)


def clear() -> None:
    """Empty all filters, in a callback."""
    st.session_state["audit-actions"] = []
    st.session_state["audit-who"] = st.session_state["audit-from"] = st.session_state["audit-to"] = None


def _start(day: date) -> float:
    """Return when a day begins in the time zone of the server, in which the table shows times."""
    return datetime.combine(day, time()).astimezone().timestamp()
