"""Badges that name a state; a run's state has the same badge on every page."""

from __future__ import annotations

from typing import Literal, NamedTuple

import streamlit as st

from core import jobs
from core.catalog import Run, RunState

__all__ = ["RUN_BADGES", "RUN_STATES", "Badge", "Color", "of_run", "show"]

Color = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray", "primary"]


class Badge(NamedTuple):
    """A word with a color and an icon; the word is read as Markdown."""

    label: str
    color: Color
    icon: str


RUN_STATES = {
    RunState.QUEUED: Badge("Waiting", "gray", ":material/hourglass_empty:"),
    RunState.STARTING: Badge("Starting", "blue", ":material/rocket_launch:"),
    RunState.RUNNING: Badge("Running", "blue", ":material/autorenew:"),
    RunState.SUCCEEDED: Badge("Succeeded", "green", ":material/check_circle:"),
    RunState.FAILED: Badge("Failed", "red", ":material/error:"),
    RunState.CANCELLED: Badge("Cancelled", "gray", ":material/cancel:"),
    RunState.TIMED_OUT: Badge("Timed out", "orange", ":material/timer_off:"),
    RunState.OUT_OF_MEMORY: Badge("Out of memory", "orange", ":material/memory:"),
    RunState.INTERRUPTED: Badge("Interrupted", "orange", ":material/power_off:"),
}
"""Badges of runs by state, but for one that is paused."""
_PAUSED = Badge("Paused", "gray", ":material/pause_circle:")
RUN_BADGES = (*RUN_STATES.values(), _PAUSED)
"""Badges that runs can have."""


def of_run(run: Run) -> Badge:
    """Return the badge of a run; one that was stopped with what it had done, to be resumed, is paused."""
    stopped = run.state is RunState.CANCELLED and run.error_message
    return _PAUSED if stopped and jobs.task_spec(run.task).resumable else RUN_STATES[run.state]


def show(badge: Badge) -> None:
    """Draw a badge; `st.badge` escapes brackets once more, and undoes what `frame.plain` has escaped."""
    st.markdown(f":{badge.color}-badge[{badge.icon} {badge.label}]", width="content")
