"""Schedules of a saved pipeline: when it runs by itself, what was missed, and a form for one more."""

from __future__ import annotations

import streamlit as st

from core import jobs
from core.catalog import SavedPipeline, Schedule, runs, schedules
from core.jobs import Timing
from core.tasks import pipeline_schedules
from pages._ui import address, badges, deletion, frame, lookups, numbers, timing

__all__ = ["next_by_pipeline", "show"]


def next_by_pipeline() -> dict[str, str]:
    """Return when each saved pipeline runs next, or that its schedule is off, by the pipeline's id."""
    said: dict[str, str] = {}
    for schedule in schedules.find(task="pipeline", access=frame.access()):
        if schedule.enabled and schedule.next_at is not None:
            said[schedule.settings["saved"]] = f"next {numbers.when(schedule.next_at):%d %b, %H:%M}"
        else:
            said.setdefault(schedule.settings["saved"], "off")
    return said


def show(saved: SavedPipeline) -> None:
    """Draw the schedules of a pipeline."""
    deletion.notices("schedule")
    listed = pipeline_schedules.schedules_of(saved, access=frame.access())
    if not listed:
        st.caption("This pipeline runs when you press Run. With a schedule it also runs by itself.")
    for schedule in listed:
        _schedule(schedule)
    st.subheader("Another schedule" if listed else "New schedule")
    _form(saved)


def _schedule(schedule: Schedule) -> None:
    key = f"pipelines-schedule-{schedule.id}"
    with st.container(border=True, key=key):
        with st.container(horizontal=True, vertical_alignment="center"):
            badges.show(
                badges.Badge("On", "green", ":material/schedule:")
                if schedule.enabled
                else badges.Badge("Off", "gray", ":material/pause:")
            )
            st.markdown(f"**{frame.plain(timing.words(schedule))}**", width="content")
            st.space("stretch")
            st.button(
                "Turn off" if schedule.enabled else "Turn on",
                icon=":material/pause:" if schedule.enabled else ":material/play_arrow:",
                key=f"{key}-toggle",
                on_click=_toggle,
                args=(schedule.id, not schedule.enabled),
            )
            deletion.button(
                "schedule",
                schedule.id,
                name=f"schedule-{schedule.id}-delete",
                after={"pipeline": schedule.settings["saved"], "tab": "Schedule"},
            )
        if following := timing.next_times(schedule):
            st.caption(f"Next: {following}")
        _past(schedule, key)


def _past(schedule: Schedule, key: str) -> None:
    inputs = schedule.settings["inputs"]
    if inputs:
        st.caption("With " + ", ".join(f"{frame.plain(name)} = {frame.plain(value)}" for name, value in inputs.items()))
    if schedule.missed:
        times = "time" if schedule.missed == 1 else "times"
        st.caption(
            f":material/history: {schedule.missed:,} {times} missed while Plumbline was not running; one run started "
            "for all of an outage."
        )
    if schedule.skipped:
        times = "time" if schedule.skipped == 1 else "times"
        st.caption(f":material/skip_next: {schedule.skipped:,} {times} skipped, because the run before had not ended.")
    if schedule.problem:
        st.warning(frame.plain(schedule.problem), icon=":material/warning:")
    last = lookups.existing_run(schedule.last_run_id or None)
    if last is not None:
        st.button(
            f"Last run: {badges.of_run(last).label.lower()}, {numbers.ago(last.created_at)}",
            icon=":material/open_in_new:",
            type="tertiary",
            key=f"{key}-last",
            on_click=address.set_query,
            kwargs={"run": last.id},
        )


def _toggle(schedule_id: str, enabled: bool) -> None:
    with frame.errors_shown():
        jobs.change_schedule(schedule_id, enabled=enabled, access=frame.access())


def _form(saved: SavedPipeline) -> None:
    key = f"pipelines-timing-{saved.id}"
    times = timing.form(key)
    inputs = _inputs(saved, key)
    if times is not None:
        st.button(
            "Add the schedule",
            type="primary",
            icon=":material/schedule:",
            key=f"{key}-add",
            on_click=_add,
            args=(saved, times, inputs),
        )


def _inputs(saved: SavedPipeline, key: str) -> dict[str, object]:
    """Return the inputs of the scheduled runs: those of the file, or those that the last run was given."""
    listed = runs.find(task="pipeline", limit=1_000, access=frame.access())
    last = next((run for run in listed if run.settings["saved"] == saved.id and run.settings["inputs"]), None)
    if last is None:
        return {}
    given: dict[str, object] = last.settings["inputs"]
    said = ", ".join(f"{name} = {value}" for name, value in given.items())
    return given if st.checkbox(frame.plain(f"With the inputs of the last run: {said}"), key=f"{key}-inputs") else {}


def _add(saved: SavedPipeline, times: Timing, inputs: dict[str, object]) -> None:
    with frame.errors_shown():
        pipeline_schedules.add_schedule(saved, times, inputs=inputs, access=frame.access())
