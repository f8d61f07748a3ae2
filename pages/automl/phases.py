"""The phases of a search in a row: what is done with its score and seconds, what is at work, what comes."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.automl import SearchPhase, search_phases
from core.catalog import Run, RunEvent, RunState
from pages._ui import numbers

__all__ = ["show"]

_ICONS = {
    "done": ":material/check_circle:",
    "active": ":material/progress_activity:",
    "pending": ":material/circle:",
    "failed": ":material/error:",
    "missed": ":material/remove:",
}
_WORDS = {"active": "at work", "pending": "to come", "failed": "failed", "missed": "not reached"}
_WIDTH = 98  # pixels: nine of them stand in a row of a wide window, three on a phone
_SHORTEST = 0.05  # seconds that are worth a mention


def show(run: Run, events: Sequence[RunEvent]) -> None:
    """Draw the phases of a search; one of an earlier version, which did not report them, has none afterwards."""
    over = run.state.terminal
    phases = search_phases(events, elapsed_s=run.elapsed_s, ended=over, succeeded=run.state is RunState.SUCCEEDED)
    if over and all(phase.seconds is None for phase in phases):
        return
    with st.container(horizontal=True, gap="small", key="automl-phases"):
        for phase in phases:
            st.markdown(_text(phase), width=_WIDTH)


def _text(phase: SearchPhase) -> str:
    """Return a phase in lines: its name, its score or state, its seconds and what else is known."""
    lead = _WORDS.get(phase.state, "done")
    if phase.score is not None:
        lead = f"**{numbers.score(phase.score)}**"
    facts = [numbers.duration(phase.seconds)] if (phase.seconds or 0.0) > _SHORTEST else []
    lines = [phase.title, f"{_ICONS[phase.state]} {lead}"]
    lines += [f":small[{fact}]" for fact in [*facts, *filter(None, [phase.note])]]
    text = "  \n".join(lines)
    return f":gray[{text}]" if phase.state in ("pending", "missed") else text
