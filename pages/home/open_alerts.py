"""Alerts about models that wait for someone to look at them."""

from __future__ import annotations

import streamlit as st

from core import alerts
from core.catalog import models
from pages._ui import badges, frame, numbers
from pages.models.monitor_alerts import LEVELS

__all__ = ["show"]

_MOST = 3


def show() -> None:
    """Draw the most severe alerts, each with the way to its model; nothing where there are none."""
    access = frame.access()
    waiting = alerts.open_alerts(access=access)
    if not waiting:
        return
    st.subheader(f"{len(waiting):,} alert{'s' * (len(waiting) != 1)} about models")
    names = {model.id: model.name for model in models.find(access=access)}
    for item in waiting[:_MOST]:
        with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"home-alert-{item.id}"):
            badges.show(LEVELS[item.level])
            with st.container(gap=None):
                st.markdown(f"**{frame.plain(names.get(item.model_id, 'A model'))}**")
                st.caption(f"{frame.plain(item.title)} ({numbers.ago(item.raised_at)})")
            if st.button("Open", icon=":material/arrow_forward:", key=f"home-alert-open-{item.id}"):
                st.switch_page("pages/models/page.py", query_params={"model": item.model_id, "tab": "Monitor"})
    if len(waiting) > _MOST:
        st.caption(f"The {_MOST} most severe of {len(waiting):,}.")
