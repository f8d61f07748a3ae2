"""The tab Monitor: the batches of a model in their order, what the one in focus says, and how to bring another."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import monitored
from core.access import Access, has_feature
from core.catalog import monitor_plans, runs
from core.monitored import Batch, MonitorSettings
from core.monitoring import LOOK_STATES
from pages._ui import badges, deletion, frame, listing, numbers, popovers, run_view
from pages._ui.badges import Badge
from pages.models import (
    monitor_alerts,
    monitor_batch,
    monitor_bring,
    monitor_charts,
    monitor_download,
    monitor_groups,
    monitor_next,
    monitor_plan,
    monitor_schedule,
)
from pages.models.metrics import OpenModel

__all__ = ["STATE_BADGES", "show"]

STATE_BADGES = {
    "fine": Badge(LOOK_STATES["fine"], "green", ":material/check_circle:"),
    "not enough data": Badge(LOOK_STATES["not enough data"], "gray", ":material/hourglass_empty:"),
    "look": Badge(LOOK_STATES["look"], "orange", ":material/visibility:"),
    "alarm": Badge(LOOK_STATES["alarm"], "red", ":material/notifications_active:"),
}


def show(opened: OpenModel) -> None:
    """Draw the timeline of the model's batches, and the batch in focus."""
    access = frame.access()
    plan = monitored.plan_of(opened.model.id, access=access)
    batches = _batches(opened.model.id, access.workspace, monitor_plans.version(access=access), access)
    deletion.notices("schedule")
    _actions(opened, plan, batches)
    _working(opened)
    monitor_alerts.show(opened.model.id)
    if not batches:
        _introduction()
        return
    chosen = _chosen(batches)
    if arrived := [batch for batch in batches if not batch.simulated]:
        badges.show(STATE_BADGES[arrived[-1].state.state])
        st.subheader(_headline(arrived))
    else:
        st.subheader("Only simulated batches were compared yet")
    left, right = st.columns(2, gap="medium")
    with left:
        monitor_charts.timeline(batches, chosen.key)
    with right:
        monitor_charts.performance(batches)
    _list(opened, batches)
    monitor_groups.show(batches, chosen)
    if monitor_batch.show(chosen):
        monitor_download.show(opened.model.name, chosen)
    monitor_next.show(opened, chosen, plan or MonitorSettings())


@st.cache_resource(max_entries=4, show_spinner=False)
def _batches(model_id: str, workspace: str, version: tuple[int, float], _access: Access) -> list[Batch]:
    """Return the batches of a model, which are read once until another run has ended; callers must not change them."""
    return monitored.batches_of(model_id, access=_access)


def _actions(opened: OpenModel, plan: MonitorSettings | None, batches: list[Batch]) -> None:
    popovers.close_asked()
    with st.container(horizontal=True):
        monitor_bring.show(opened, None if plan is None else plan.row_id)
        monitor_plan.show(opened, plan, batches)
        if has_feature("schedules"):
            monitor_schedule.show(opened)


def _introduction() -> None:
    st.markdown(
        "**No batch was compared yet.** Bring rows that the model scores: they are compared, column by column, with "
        "the rows that it was tested on. Rows with a date can be replayed as a series of batches."
    )


def _working(opened: OpenModel) -> None:
    """Draw the newest comparison while it works, or why it failed."""
    model, access = opened.model.id, frame.access()
    tasks = ("monitor", "monitor_check")
    known = [run for task in tasks for run in runs.find(task=task, settings_name=model, limit=20, access=access)]
    mine = [run for run in known if run.settings["model"] == model]
    newest = max(mine, key=lambda run: run.created_at, default=None)
    if newest is not None and (not newest.state.terminal or newest.error_message):
        run_view.show_run(newest.id)


def _headline(batches: list[Batch]) -> str:
    newest = batches[-1]
    alarms = sum(batch.state.state == "alarm" for batch in batches)
    many = f"{len(batches):,} batch{'es' * (len(batches) != 1)}"
    if newest.state.state == "alarm":
        return f"The newest of {many} raises an alarm: {frame.plain(newest.state.reasons[0])}"
    if alarms:
        return f"{alarms:,} of {many} raised an alarm; the newest is {LOOK_STATES[newest.state.state].lower()}"
    return f"{many} compared, no alarm"


def _chosen(batches: list[Batch]) -> Batch:
    """Return the batch that the address names, else the newest that is not fine, else the newest."""
    by_key = {batch.key: batch for batch in batches}
    named = st.query_params.get("batch")
    if named in by_key:
        return by_key[named]
    alarms = [batch for batch in batches if batch.state.state == "alarm"]
    return alarms[-1] if alarms else batches[-1]


def _list(opened: OpenModel, batches: list[Batch]) -> None:
    newest_first = batches[::-1]
    st.markdown("**Batches.** Select a row to see why.")
    listing.show(
        pd.DataFrame(
            {
                "Batch": [batch.name for batch in newest_first],
                "Moment": [numbers.when(batch.at) for batch in newest_first],
                "State": [LOOK_STATES[batch.state.state] for batch in newest_first],
                "Why": [batch.state.reasons[0] for batch in newest_first],
                "Columns that drifted": [", ".join(batch.drifted[:5]) or None for batch in newest_first],
                "Rows": [batch.rows for batch in newest_first],
                "Version": [batch.version for batch in newest_first],
            }
        ),
        [batch.key for batch in newest_first],
        key="models-monitor-list",
        parameter="batch",
        query={"model": opened.model.id, "version": str(opened.version.number), "tab": "Monitor"},
        height="content" if len(batches) <= 12 else 460,
        column_config={
            "Moment": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm"),
            "Why": st.column_config.TextColumn(width="large"),
            "Rows": st.column_config.NumberColumn(format="localized"),
        },
        alt="Batches of this model, the newest first",
    )
