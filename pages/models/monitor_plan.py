"""How a model is watched: its bounds, and the columns whose drift is known."""

from __future__ import annotations

import streamlit as st

from core import monitored
from core.monitored import MonitorSettings
from pages._ui import frame
from pages.models.metrics import OpenModel

__all__ = ["show"]


def show(opened: OpenModel, plan: MonitorSettings | None) -> None:
    """Draw the popover with the settings."""
    settings = plan or MonitorSettings()
    with st.popover("Rules", icon=":material/tune:", key="models-monitor-rules", on_change="rerun") as popover:
        if not popover.open:
            return
        alpha = st.number_input(
            "False alarms in the whole series",
            0.001,
            0.49,
            settings.alpha,
            format="%.3f",
            key="models-monitor-alpha",
            help="Probability that any batch of a series without change raises an alarm.",
        )
        relevance = st.number_input(
            "Smallest change that matters",
            0.005,
            0.9,
            settings.relevance,
            format="%.3f",
            key="models-monitor-relevance",
            help="From 0 to 1: distance of two distributions, or share of rows on another level.",
        )
        names = [str(field["name"]) for field in opened.version.columns]
        muted = st.multiselect(
            "Muted columns", names, [name for name in settings.muted if name in names], key="models-monitor-muted"
        )
        reasons = {
            name: st.text_input(
                f"Why does the drift of {frame.plain(name)} not matter?",
                settings.muted.get(name, ""),
                key=f"models-monitor-why-{name}",
            )
            for name in muted
        }
        if st.button("Save", type="primary", key="models-monitor-save"):
            with frame.errors_shown():
                changed = settings.model_copy(
                    update={"alpha": alpha, "relevance": relevance, "muted": reasons}
                ).model_dump()
                monitored.change_plan(opened.model.id, MonitorSettings(**changed), access=frame.access())
                st.toast("The next batch is compared by these rules.")
