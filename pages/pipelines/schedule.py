"""Schedules of a saved pipeline: when it runs by itself, what was missed, and a form for one more."""

from __future__ import annotations

import time
from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st

from core import jobs
from core.catalog import SavedPipeline, Schedule, runs, schedules
from core.errors import PlumblineError
from core.jobs import Timing
from core.tasks import pipeline_schedules
from pages._ui import address, badges, deletion, frame, lookups, numbers

__all__ = ["next_by_pipeline", "show"]

_UNITS = {"minutes": 60, "hours": 3_600, "days": 86_400}
_TIMES = 3


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
            st.markdown(f"**{frame.plain(_words(schedule))}**", width="content")
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
        _times(schedule)
        _past(schedule, key)


def _words(schedule: Schedule) -> str:
    try:
        return jobs.timing_of(schedule).describe()
    except PlumblineError:  # its problem says why
        return schedule.cron or f"Every {schedule.interval_s} s"


def _times(schedule: Schedule) -> None:
    if not schedule.enabled or schedule.next_at is None:
        return
    try:
        following = _following(jobs.timing_of(schedule), schedule.next_at)
    except PlumblineError:
        following = [schedule.next_at]
    st.caption(f"Next: {', then '.join(_clock(at, schedule.time_zone) for at in following)}")


def _following(timing: Timing, first: float) -> list[float]:
    times = [first]
    while len(times) < _TIMES:
        times.append(timing.next_time(times[-1]))
    return times


def _clock(at: float, time_zone: str) -> str:
    return f"{datetime.fromtimestamp(at, ZoneInfo(time_zone)):%a %d %b, %H:%M}"


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
    kind = st.radio("Runs start", ["At times", "At an interval"], horizontal=True, key=f"{key}-kind")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if kind == "At times":
            cron = st.text_input(
                "Cron expression",
                value="0 6 * * MON-FRI",
                key=f"{key}-cron",
                width=260,
                help="Minute, hour, day of the month, month and day of the week.",
            )
            zone = st.text_input("Time zone", value="UTC", key=f"{key}-zone", width=220)
            given: dict[str, object] = {"cron": cron, "time_zone": zone.strip()}
        else:
            every = st.number_input("Every", min_value=1, value=1, key=f"{key}-every", width=140)
            unit = st.selectbox("Unit", list(_UNITS), index=2, key=f"{key}-unit", width=160)
            given = {"interval_s": float(every * _UNITS[unit])}
    inputs = _inputs(saved, key)
    with frame.errors_shown():
        timing = Timing(**given)
        following = _following(timing, timing.next_time(time.time()))
        said = ", then ".join(_clock(at, timing.time_zone) for at in following)
        st.caption(f"{frame.plain(timing.describe())}. Next: {said}")
        st.button(
            "Add the schedule",
            type="primary",
            icon=":material/schedule:",
            key=f"{key}-add",
            on_click=_add,
            args=(saved, timing, inputs),
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


def _add(saved: SavedPipeline, timing: Timing, inputs: dict[str, object]) -> None:
    with frame.errors_shown():
        pipeline_schedules.add_schedule(saved, timing, inputs=inputs, access=frame.access())
