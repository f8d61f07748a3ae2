"""A study under way, or one that ended without a result: its phases, and the loss by round and site."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import streamlit as st

from core.catalog import Run, RunEvent, RunState
from pages._ui import frame, phase_strip
from pages._ui.phase_strip import ShownPhase
from pages.federated import loss_chart

__all__ = ["details", "missed"]

_TITLES = {
    "prepare": "Tables",
    "agree": "Schema",
    "features": "Features",
    "train": "Rounds",
    "compare": "Own models",
    "folds": "Out-of-fold",
    "export": "Export",
    "explain": "Explanation",
}
_PART_OF = {"profile": "prepare", "store": "export"}
_NOTED = 5


def details(run: Run, events: Sequence[RunEvent]) -> None:
    """Draw the phases, the losses so far, and the sites that missed a round."""
    own = [event for event in events if event.attempt == run.attempt]
    phase_strip.show(_phases(run, own))
    rounds = [event.values for event in own if event.phase == "train" and "by_site" in event.values]
    if rounds:
        loss_chart.show(rounds)
        missing = missed(rounds)
        if missing:
            st.caption(frame.plain(missing))


def missed(rounds: Sequence[Mapping[str, object]]) -> str:
    """Return which sites did not take part in which number of rounds; empty where all did."""
    counts: dict[str, int] = {}
    for record in rounds:
        for site in record["missing"]:  # type: ignore[attr-defined]
            counts[site] = counts.get(site, 0) + 1
    if not counts:
        return ""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    named = ", ".join(f"{site} {count:,}" for site, count in ordered[:_NOTED])
    more = f" and {len(ordered) - _NOTED:,} more sites" if len(ordered) > _NOTED else ""
    return f"Rounds without a site: {named}{more}. The other sites went ahead without it."


def _phases(run: Run, events: Sequence[RunEvent]) -> list[ShownPhase]:
    """Return the phases of the study with their state and seconds."""
    began: dict[str, float] = {}
    newest: dict[str, RunEvent] = {}
    for event in events:
        phase = _PART_OF.get(event.phase, event.phase)
        if phase in _TITLES:
            began.setdefault(phase, event.at)
            newest[phase] = event
    skipped = () if run.settings.get("folds", 1) else ("folds",)
    titles = {phase: title for phase, title in _TITLES.items() if phase not in skipped}
    reached = [phase for phase in titles if phase in began]
    shown = []
    for phase, title in titles.items():
        if phase not in began:
            shown.append(ShownPhase(title, "missed" if run.state.terminal else "pending"))
            continue
        following = reached[reached.index(phase) + 1 :]
        ended = began[following[0]] if following else run.finished_at if run.state.terminal else time.time()
        state = "done"
        if not following and run.state is not RunState.SUCCEEDED:
            state = "failed" if run.state.terminal else "active"
        seconds = None if ended is None else max(0.0, ended - began[phase])
        shown.append(ShownPhase(title, state, seconds, note=_note(phase, newest[phase])))
    return shown


def _note(phase: str, event: RunEvent) -> str:
    """Return how far a phase is, where it is counted."""
    if phase == "train":
        return f"round {event.values.get('round', 0):,}"
    if phase in ("compare", "folds") and event.fraction:
        return f"{event.fraction:.0%}"
    return ""
