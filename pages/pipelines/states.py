"""States of steps as badges, marks and hues: the same in the graph, in the list and on a step's page."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.catalog import PipelineStep, RunState, steps
from core.jsonable import JsonObject
from pages._ui import numbers
from pages._ui.badges import RUN_STATES, Badge

__all__ = ["KEPT", "SKIPPED", "ShownStep", "badge_of", "mark_of", "shown_steps", "word_of"]

KEPT = Badge("Kept", "blue", ":material/inventory:")
SKIPPED = Badge("Not run", "gray", ":material/block:")
_PLANNED = Badge("Planned", "gray", ":material/circle:")
_MARKS = {
    "Kept": "↺",
    "Not run": "–",
    "Waiting": "…",
    "Running": "▶",
    "Succeeded": "✓",
    "Failed": "✕",
    "Cancelled": "✕",
    "Timed out": "✕",
}


@dataclass(frozen=True)
class ShownStep:
    """A step with what was planned and what became of it.

    Parameters
    ----------
    plan : dict
        Part of the run's plan.
    row : PipelineStep, optional
        Its row in the catalog; None before the run.
    """

    plan: JsonObject
    row: PipelineStep | None = None

    @property
    def path(self) -> str:
        """Names of the nodes that lead to it."""
        return str(self.plan["path"])

    @property
    def name(self) -> str:
        """Name of its own node."""
        return self.path.rpartition("/")[2]

    @property
    def group(self) -> str:
        """Names of the nested pipelines around it; empty where there is none."""
        return self.path.rpartition("/")[0]

    @property
    def badge(self) -> Badge:
        """Word, hue and icon of its state."""
        return badge_of(self.row)

    @property
    def time(self) -> str:
        """Duration of its work; empty where it did none."""
        row = self.row
        if row is None or row.started_at is None or badge_of(row) == KEPT:
            return ""
        return numbers.duration((row.finished_at or time.time()) - row.started_at)


def badge_of(row: PipelineStep | None) -> Badge:
    """Return the badge of a step's state."""
    if row is None:
        return _PLANNED
    if row.state == steps.SKIPPED:
        return SKIPPED
    if row.state == RunState.SUCCEEDED and not row.run_id and row.finished_at is not None:
        return KEPT
    return RUN_STATES[RunState(row.state)]


def word_of(state: str) -> str:
    """Return the word for a stored state of a step."""
    return SKIPPED.label if state == steps.SKIPPED else RUN_STATES[RunState(state)].label


def mark_of(badge: Badge) -> str:
    """Return the character that stands for a state where icons cannot be drawn."""
    return _MARKS.get(badge.label, "○")


def shown_steps(plan: JsonObject, rows: Sequence[PipelineStep] = ()) -> list[ShownStep]:
    """Return the steps of a plan, with what became of each."""
    by_path: Mapping[str, PipelineStep] = {row.path: row for row in rows}
    return [ShownStep(step, by_path.get(step["path"])) for step in plan["steps"]]
