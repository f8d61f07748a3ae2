"""The phases of a search in a row: what is done with its score and seconds, what is at work, what comes."""

from __future__ import annotations

from collections.abc import Sequence

from core.automl import search_phases
from core.catalog import Run, RunEvent, RunState
from pages._ui import numbers, phase_strip
from pages._ui.phase_strip import ShownPhase

__all__ = ["show"]


def show(run: Run, events: Sequence[RunEvent]) -> None:
    """Draw the phases of a search; one of an earlier version, which did not report them, has none afterwards."""
    over = run.state.terminal
    phases = search_phases(events, elapsed_s=run.elapsed_s, ended=over, succeeded=run.state is RunState.SUCCEEDED)
    if over and all(phase.seconds is None for phase in phases):
        return
    phase_strip.show(
        [
            ShownPhase(
                phase.title,
                phase.state,
                phase.seconds,
                "" if phase.score is None else numbers.score(phase.score),
                phase.note,
            )
            for phase in phases
        ]
    )
