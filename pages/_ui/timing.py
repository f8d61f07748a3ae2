"""When schedules start runs: the form for it, and in words."""

from __future__ import annotations

import time
from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st

from core import jobs
from core.catalog import Schedule
from core.errors import PlumblineError
from core.jobs import Timing
from pages._ui import frame

__all__ = ["form", "next_times", "words"]

_UNITS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}
_TIMES = 3
_CRON = "0 6 * * MON-FRI"
_AT_TIMES, _AT_INTERVAL = "At times", "At an interval"


def form(key: str, *, label: str = "Runs start", before: Timing | None = None) -> Timing | None:
    """Draw the form for the times of a schedule, and when its runs would start; return them.

    Parameters
    ----------
    key : str
        Beginning of the keys of the widgets.
    label : str, default="Runs start"
        Label of the choice between times and an interval.
    before : Timing, optional
        Times that the form begins with; by default those of a new schedule.

    Returns
    -------
    Timing or None
        None where a value cannot be used, which the page then says.
    """
    known = before or Timing(cron=_CRON)
    every_s = known.interval_s
    kind = st.radio(label, [_AT_TIMES, _AT_INTERVAL], 0 if every_s is None else 1, horizontal=True, key=f"{key}-kind")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if kind == _AT_TIMES:
            cron = st.text_input(
                "Cron expression",
                value=known.cron or _CRON,
                key=f"{key}-cron",
                width=260,
                help="Minute, hour, day of the month, month and day of the week.",
            )
            zone = st.text_input("Time zone", value=known.time_zone, key=f"{key}-zone", width=220)
            given: dict[str, object] = {"cron": cron, "time_zone": zone.strip()}
        else:
            count, of = _in_units(every_s or _UNITS["days"])
            every = st.number_input("Every", min_value=1, value=count, key=f"{key}-every", width=140)
            unit = st.selectbox("Unit", list(_UNITS), index=list(_UNITS).index(of), key=f"{key}-unit", width=160)
            given = {"interval_s": float(every * _UNITS[unit])}
    with frame.errors_shown():
        timing = Timing(**given)
        following = _following(timing, timing.next_time(time.time()))
        said = ", then ".join(_clock(at, timing.time_zone) for at in following)
        st.caption(f"{frame.plain(timing.describe())}. Next: {said}")
        return timing
    return None


def _in_units(seconds: float) -> tuple[int, str]:
    """Return an interval as a number of the largest unit of which it is a multiple."""
    unit = next((name for name, length in reversed(_UNITS.items()) if seconds % length == 0), "minutes")
    return max(1, round(seconds / _UNITS[unit])), unit


def words(schedule: Schedule) -> str:
    """Return when a schedule starts runs."""
    try:
        return jobs.timing_of(schedule).describe()
    except PlumblineError:  # its problem says why
        return schedule.cron or f"Every {schedule.interval_s} s"


def next_times(schedule: Schedule) -> str:
    """Return when the next runs of a schedule start; empty where none does."""
    if not schedule.enabled or schedule.next_at is None:
        return ""
    try:
        following = _following(jobs.timing_of(schedule), schedule.next_at)
    except PlumblineError:  # such as a time zone that this installation does not know; its problem says so
        return ""
    return ", then ".join(_clock(at, schedule.time_zone) for at in following)


def _following(timing: Timing, first: float) -> list[float]:
    times = [first]
    while len(times) < _TIMES:
        times.append(timing.next_time(times[-1]))
    return times


def _clock(at: float, time_zone: str) -> str:
    zone = ZoneInfo(time_zone)
    return f"{datetime.fromtimestamp(at, zone):%a %d %b, %H:%M}" + (" (UTC)" if time_zone == "UTC" else "")
