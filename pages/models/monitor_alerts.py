"""The alerts of a model that wait for someone, and what can be done about a batch that raised one."""

from __future__ import annotations

import time

import streamlit as st

from core import alerts
from core.access import Role
from core.catalog import Alert
from pages._ui import badges, frame, numbers
from pages._ui.badges import Badge

__all__ = ["LEVELS", "show"]

LEVELS = {
    "critical": Badge("Critical", "red", ":material/notifications_active:"),
    "warning": Badge("Warning", "orange", ":material/visibility:"),
    "info": Badge("Information", "blue", ":material/info:"),
}
"""Badges of alerts by level."""
_MUTE_DAYS = 30
_MOST = 20


def show(model_id: str) -> None:
    """Draw the alerts of a model that are open or acknowledged."""
    now = time.time()
    known = alerts.alerts_of(model_id, access=frame.access())
    shown = [item for item in known if item.state_at(now) in ("open", "acknowledged")]
    if not shown:
        return
    with st.expander(f"Alerts ({len(shown):,})", expanded=any(item.state_at(now) == "open" for item in shown)):
        for item in shown[:_MOST]:
            _alert(item, item.state_at(now))
        if len(shown) > _MOST:
            st.caption(f"The newest {_MOST} of {len(shown):,}.")


def _alert(item: Alert, state: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        badges.show(LEVELS[item.level])
        st.markdown(frame.plain(item.title), width="stretch")
        st.caption(_state(item, state), width="content")
        if not frame.access().may(Role.EDITOR):
            return
        with st.popover("Decide", key=f"models-alert-{item.id}"):
            why = st.text_input("Why", key=f"models-alert-why-{item.id}")
            access = frame.access()
            if state == "open" and st.button("I look after it", key=f"models-alert-take-{item.id}"):
                with frame.errors_shown():
                    alerts.acknowledge(item.id, why=why, access=access)
                    st.rerun()
            if st.button(f"Mute for {_MUTE_DAYS} days", key=f"models-alert-mute-{item.id}", disabled=not why.strip()):
                with frame.errors_shown():
                    alerts.mute(item.id, until=time.time() + _MUTE_DAYS * 86_400, why=why, access=access)
                    st.rerun()
            if st.button("It is over", key=f"models-alert-over-{item.id}"):
                with frame.errors_shown():
                    alerts.resolve(item.id, why=why, access=access)
                    st.rerun()


def _state(item: Alert, state: str) -> str:
    when = numbers.ago(item.raised_at)
    return f"{when}; {frame.plain(item.decided_by or 'someone')} looks after it" if state != "open" else when
