"""Runs of the whole installation by their state, the queue, and what ended: for its operator."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import col, func, select

from core.access import INSTALLATION
from core.catalog.clock import database_now
from core.catalog.engine import reading
from core.catalog.tables import Run, RunState

__all__ = ["EndedRun", "RunFigures", "ended_since", "run_figures"]


@dataclass(frozen=True)
class RunFigures:
    """Runs of all workspaces.

    Parameters
    ----------
    states : dict
        Number of runs by state.
    waiting : dict
        Number of runs in the queue by lane.
    longest_wait_s : dict
        Seconds for which the first of them has waited, by lane.
    """

    states: dict[str, int]
    waiting: dict[str, int]
    longest_wait_s: dict[str, float]


@dataclass(frozen=True)
class EndedRun:
    """How a run ended, without its title, settings and messages."""

    id: str
    task: str
    state: str
    attempt: int
    elapsed_s: float
    peak_rss_mb: float | None
    finished_at: float


def run_figures() -> RunFigures:
    """Return how many runs there are and how long the queue is.

    Raises
    ------
    StorageError
        When the catalog cannot be read.
    """
    with reading(INSTALLATION) as session:
        states = session.exec(select(Run.state, func.count()).group_by(col(Run.state))).all()
        waiting = session.exec(
            select(Run.lane, func.count(), database_now() - func.min(Run.queued_at))
            .where(Run.state == RunState.QUEUED)
            .group_by(col(Run.lane))
        ).all()
    return RunFigures(
        states={RunState(state).value: int(number) for state, number in states},
        waiting={lane: int(number) for lane, number, _ in waiting},
        longest_wait_s={lane: max(float(wait_s), 0.0) for lane, _, wait_s in waiting},
    )


def ended_since(at: float) -> list[EndedRun]:
    """Return the runs that ended at this time or later (seconds since the epoch), the first one first."""
    with reading(INSTALLATION) as session:
        rows = session.exec(select(Run).where(col(Run.finished_at) >= at).order_by(col(Run.finished_at))).all()
    return [
        EndedRun(run.id, run.task, run.state.value, run.attempt, run.elapsed_s, run.peak_rss_mb, run.finished_at or at)
        for run in rows
    ]
