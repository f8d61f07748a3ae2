"""What can be done about a batch that is not fine: mute, retrain on newer rows, compare, promote."""

from __future__ import annotations

import streamlit as st

from core import jobs, monitored
from core.catalog import datasets, runs
from core.errors import NotFoundError
from core.monitored import Batch, MonitorSettings
from pages._ui import frame
from pages.models.metrics import OpenModel

__all__ = ["show"]


def show(opened: OpenModel, batch: Batch, plan: MonitorSettings) -> None:
    """Draw the next steps."""
    if batch.state.state == "fine":
        return
    st.markdown("**What to do**")
    with st.container(horizontal=True):
        _retrain(opened)
        if len(opened.versions) > 1 and st.button(
            "Compare versions", icon=":material/compare_arrows:", key="models-monitor-compare"
        ):
            st.switch_page("pages/models/page.py", query_params={"model": opened.model.id, "tab": "Compare"})
        if batch.drifted and not batch.simulated and not batch.problem:
            with st.popover("New reference", icon=":material/flag:", key="models-monitor-rebase"):
                _rebase(opened, batch, plan)
        if batch.drifted:
            with st.popover("Mute a column", icon=":material/notifications_off:", key="models-monitor-mute"):
                _mute(opened, batch, plan)
    st.caption(
        "Newer labeled rows are appended to the training table by a step of the tab Prepare. What is trained on them "
        "becomes the next version, and is compared with the champion before one of them is promoted."
    )


def _retrain(opened: OpenModel) -> None:
    """Offer the training again: on the newest version of its table, or first the step that makes one."""
    access = frame.access()
    run = runs.get(opened.version.run_id, access=access)
    known = {item.family_id: item for item in datasets.find(access=access)}
    try:
        trained = datasets.get(run.dataset_id or "", access=access)
    except NotFoundError:
        return
    newest = known.get(trained.family_id, trained)
    if newest.id == trained.id:
        if st.button("Append newer rows", icon=":material/playlist_add:", key="models-monitor-append"):
            st.switch_page("pages/data/page.py", query_params={"dataset": trained.id, "tab": "Prepare"})
        return
    label = f"Train again on version {newest.number} of the table ({newest.rows:,} rows)"
    if st.button(label, icon=":material/restart_alt:", type="primary", key="models-monitor-retrain"):
        with frame.errors_shown():
            again = jobs.submit(run.task, run.settings, dataset=newest.id, title=run.title, access=access)
            st.switch_page(f"pages/{run.task}/page.py", query_params={"run": again})


def _rebase(opened: OpenModel, batch: Batch, plan: MonitorSettings) -> None:
    st.caption("This is how rows are from now on: the next batches are compared with this one.")
    why = st.text_input("Why?", key="models-monitor-rebase-why")
    pressed = st.button(
        "Compare with this batch", type="primary", key="models-monitor-rebase-save", disabled=not why.strip()
    )
    if pressed:
        with frame.errors_shown():
            changed = plan.model_copy(update={"reference": batch.key})
            monitored.change_plan(opened.model.id, changed, why=why, access=frame.access())
            st.toast("The next batches are compared with this one. The rules lead back.")


def _mute(opened: OpenModel, batch: Batch, plan: MonitorSettings) -> None:
    name = st.selectbox("Column", batch.drifted, key="models-monitor-mute-column")
    why = st.text_input("Why does its drift not matter?", key="models-monitor-mute-why")
    if st.button("Mute", type="primary", key="models-monitor-mute-save", disabled=not why.strip()):
        with frame.errors_shown():
            changed = plan.model_copy(update={"muted": {**plan.muted, str(name): why.strip()}})
            monitored.change_plan(opened.model.id, changed, why=why, access=frame.access())
            st.toast("Muted from the next batch on.")
