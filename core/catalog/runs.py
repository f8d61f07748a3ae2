"""Queries over runs. Every change of state is a compare-and-set, so that it happens once."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TypeAlias

from sqlalchemy import func, tuple_, update
from sqlmodel import col, select

from core.catalog.engine import reading, writing
from core.catalog.tables import ACTIVE, QueueLock, Run, RunState
from core.errors import NotFoundError
from core.jsonable import JsonObject

__all__ = [
    "add",
    "change_state",
    "claim_next",
    "find",
    "get",
    "lapsed",
    "queue_position",
    "set_fields",
]


RunField: TypeAlias = str | int | float | JsonObject | None
"""Value of a column of the table of runs."""


def add(run: Run) -> Run:
    """Store a new run."""
    with writing() as session:
        session.add(run)
    return run


def get(run_id: str, workspace: str) -> Run:
    """Return a run.

    Raises
    ------
    NotFoundError
        When the workspace does not have this run.
    """
    with reading() as session:
        run = session.get(Run, run_id)
    if run is None or run.workspace != workspace:
        raise NotFoundError(f"There is no run '{run_id}'.", "It may have been deleted. The Runs page lists all runs.")
    return run


def find(
    workspace: str,
    *,
    task: str | None = None,
    dataset_id: str | None = None,
    states: Iterable[RunState] | None = None,
    limit: int = 200,
) -> list[Run]:
    """Return matching runs of a workspace, newest first."""
    query = select(Run).where(Run.workspace == workspace)
    if task is not None:
        query = query.where(Run.task == task)
    if dataset_id is not None:
        query = query.where(Run.dataset_id == dataset_id)
    if states is not None:
        query = query.where(col(Run.state).in_(list(states)))
    with reading() as session:
        return list(session.exec(query.order_by(col(Run.created_at).desc()).limit(limit)))


def change_state(run_id: str, expected: Iterable[RunState], state: RunState, **fields: RunField) -> bool:
    """Move a run to `state` if it is in one of the `expected` states; return whether it was."""
    statement = (
        update(Run).where(col(Run.id) == run_id, col(Run.state).in_(list(expected))).values(state=state, **fields)
    )
    with writing() as session:
        return bool(session.execute(statement).rowcount == 1)  # type: ignore[attr-defined]


def set_fields(run_id: str, expected: Iterable[RunState], **fields: RunField) -> bool:
    """Change fields of a run other than its state, if it is in one of the `expected` states; return whether it was."""
    statement = update(Run).where(col(Run.id) == run_id, col(Run.state).in_(list(expected))).values(**fields)
    with writing() as session:
        return bool(session.execute(statement).rowcount == 1)  # type: ignore[attr-defined]


def claim_next(lane: str, limit: int, lease_s: float) -> Run | None:
    """Claim the longest-waiting run of a lane, unless `limit` runs of the lane are active."""
    waiting = (
        select(Run)
        .where(Run.state == RunState.QUEUED, Run.lane == lane)
        .order_by(col(Run.queued_at), col(Run.id))
        .limit(1)
    )
    with reading() as session:  # an empty queue, the common case, must not take the write lock
        if session.exec(waiting).first() is None:
            return None
    with writing() as session:
        session.exec(select(QueueLock).with_for_update()).one()
        working = session.exec(
            select(func.count()).select_from(Run).where(col(Run.state).in_(list(ACTIVE)), Run.lane == lane)
        ).one()
        if working >= limit:
            return None
        run = session.exec(waiting.with_for_update()).first()
        if run is None:
            return None
        now = time.time()
        run.state, run.started_at, run.lease_until = RunState.STARTING, now, now + lease_s
        session.add(run)
    return run


def lapsed(now: float) -> list[Run]:
    """Return the active runs of all workspaces whose lease has expired."""
    query = select(Run).where(col(Run.state).in_(list(ACTIVE)), col(Run.lease_until) < now)
    with reading() as session:
        return list(session.exec(query))


def queue_position(run: Run) -> int | None:
    """Return the position of a queued run, 1 for the next; None when it is not queued."""
    if run.state is not RunState.QUEUED:
        return None
    query = (
        select(func.count())
        .select_from(Run)
        .where(
            Run.state == RunState.QUEUED,
            Run.lane == run.lane,
            tuple_(Run.queued_at, Run.id) < (run.queued_at, run.id),
        )
    )
    with reading() as session:
        return session.exec(query).one() + 1
