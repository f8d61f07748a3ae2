"""The phases of a run in a row: what is done and in what time, what is at work, what comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from pages._ui import keys, numbers

__all__ = ["ShownPhase", "show"]

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


@dataclass(frozen=True)
class ShownPhase:
    """One phase.

    Parameters
    ----------
    title : str
        Name of the phase.
    state : {"done", "active", "pending", "failed", "missed"}
        State of the phase.
    seconds : float or None, default=None
        Time that it took, or has taken.
    lead : str, default=""
        Result in a word, in place of the state.
    note : str, default=""
        Further facts, such as a number of rounds.
    """

    title: str
    state: str
    seconds: float | None = None
    lead: str = ""
    note: str = ""


def show(phases: Sequence[ShownPhase]) -> None:
    """Draw phases beside each other, several rows of them where the window is narrow."""
    with st.container(horizontal=True, gap="small", key=keys.key("phases")):
        for phase in phases:
            st.markdown(_text(phase), width=_WIDTH)


def _text(phase: ShownPhase) -> str:
    """Return a phase in lines: its name, its result or state, its seconds and what else is known."""
    lead = f"**{phase.lead}**" if phase.lead else _WORDS.get(phase.state, "done")
    facts = [numbers.duration(phase.seconds)] if (phase.seconds or 0.0) > _SHORTEST else []
    lines = [phase.title, f"{_ICONS[phase.state]} {lead}"]
    lines += [f":small[{fact}]" for fact in [*facts, *filter(None, [phase.note])]]
    text = "  \n".join(lines)
    return f":gray[{text}]" if phase.state in ("pending", "missed") else text
