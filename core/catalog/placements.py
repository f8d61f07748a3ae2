"""Runs that an engine was asked to start on a node. Such a run still waits, and takes no lease until it begins there.

A placed run has the token of a claim, as a run that works has, and whoever shows the token may begin it: a job that was
asked for twice, or that comes after its run was cancelled or placed anew, has a token that is void.
"""

from __future__ import annotations

from sqlalchemy import Update, func, text, update
from sqlmodel import col, select

from core.access import INSTALLATION
from core.catalog.claims import new_claim
from core.catalog.clock import database_now
from core.catalog.engine import reading, writing
from core.catalog.queue import choose, waits
from core.catalog.tables import TERMINAL, QueueLock, Run, RunState

__all__ = ["fail", "forget", "left_behind", "place_next", "placed", "take_back"]

_MOST_AT_A_TIME = 100


def place_next(
    lane: str, limit: int | None, engine: str, *, most_waiting: int, workspace_limit: int | None = None
) -> Run | None:
    """Choose the run of a lane that an engine is asked for next, and note that it is; None when there is none.

    Parameters
    ----------
    lane : str
        The lane.
    limit : int or None
        Maximum number of runs of the lane that work or were placed; None for no limit.
    engine : str
        Setting of the engine.
    most_waiting : int
        Maximum number of placed runs that wait for a node, so that the order stays that of the queue.
    workspace_limit : int, optional
        Maximum number of runs of one workspace that work or were placed.
    """
    if not waits(lane):
        return None
    with writing(INSTALLATION) as session:
        session.exec(select(QueueLock).with_for_update()).one()
        waiting = select(func.count()).where(
            Run.state == RunState.QUEUED, col(Run.placed_at).is_not(None), Run.engine == engine
        )
        if session.exec(waiting).one() >= most_waiting:
            return None
        run = choose(session, lane, limit, workspace_limit=workspace_limit, engine=engine)
        if run is not None:
            run.placed_at = session.exec(select(database_now())).one()
            run.placements += 1
            run.claim_token, run.engine = new_claim(), engine
            run.handle = f"plumbline-{run.id}-{run.placements}"
            session.add(run)
    return run


def placed() -> list[tuple[Run, float]]:
    """Return the runs of all workspaces that were placed and have not begun, and since how many seconds they are."""
    age = database_now() - col(Run.placed_at)
    query = select(Run, age).where(Run.state == RunState.QUEUED, col(Run.placed_at).is_not(None))
    with reading(INSTALLATION) as session:
        return [(run, float(age_s)) for run, age_s in session.exec(query.order_by(col(Run.placed_at)))]


def take_back(run: Run, *, failed: bool) -> bool:
    """Let a placed run wait for its turn again; return whether it was still placed.

    Parameters
    ----------
    run : Run
        The run.
    failed : bool
        Whether its job ended before the work began.
    """
    count = Run.failed_placements + int(failed)
    values = {"claim_token": None, "engine": "", "handle": "", "placed_at": None, "failed_placements": count}
    return _changed(_waiting(run).values(values))


def fail(run: Run, message: str, hint: str) -> bool:
    """End a placed run that the engine cannot start; return whether it was still placed."""
    values = {
        "state": RunState.FAILED,
        "claim_token": None,
        "placed_at": None,
        "finished_at": database_now(),
        "error_message": message,
        "error_hint": hint,
    }
    return _changed(_waiting(run).values(values))


def _waiting(run: Run) -> Update:
    held = col(Run.id) == run.id, col(Run.state) == RunState.QUEUED, col(Run.claim_token) == run.claim_token
    return update(Run).where(*held)


def left_behind() -> list[Run]:
    """Return runs that have ended although an engine may still have a job for them."""
    # The condition as the index has it, which holds these few runs alone.
    query = select(Run).where(text("handle <> ''"), col(Run.state).in_(list(TERMINAL)))
    with reading(INSTALLATION) as session:
        return list(session.exec(query.order_by(col(Run.finished_at)).limit(_MOST_AT_A_TIME)))


def forget(run: Run) -> None:
    """Note that the engine has no job for a run any more."""
    ended = col(Run.id) == run.id, col(Run.handle) == run.handle, col(Run.state).in_(list(TERMINAL))
    _changed(update(Run).where(*ended).values(handle="", placed_at=None))


def _changed(statement: Update) -> bool:
    with writing(INSTALLATION) as session:
        return bool(session.execute(statement).rowcount == 1)  # type: ignore[attr-defined]
