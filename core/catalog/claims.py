"""Claims: who holds an active run. Each has a random token, and a lease by the database's clock that is to be renewed.

Whoever holds the run names its claim with each write, so that a process that was taken for lost, and whose run has been
started again, changes nothing.
"""

from __future__ import annotations

import secrets
import time
from typing import TypeAlias

from sqlalchemy import Update, or_, update
from sqlmodel import col, select

from core.access import INSTALLATION, Access
from core.catalog import audit
from core.catalog._waiting import require_place
from core.catalog.clock import database_now
from core.catalog.engine import writing
from core.catalog.tables import ACTIVE, TERMINAL, Run, RunState
from core.jsonable import JsonObject

__all__ = ["RunField", "begin", "new_claim", "release", "renew", "requeue", "take_over"]

RunField: TypeAlias = str | int | float | JsonObject | None
"""Value of a column of the table of runs."""


def new_claim() -> str:
    """Return the token of a new claim."""
    return secrets.token_hex(16)


def renew(run_id: str, claim: str, lease_s: float, elapsed_s: float) -> bool:
    """Extend the lease of a run and store its seconds of work; return False when the claim does not hold it anymore."""
    values = {"lease_until": database_now() + lease_s, "elapsed_s": elapsed_s}
    return _changed(_active(run_id, claim).values(values))


def begin(run: Run, claim: str, state: RunState, lease_s: float, **fields: RunField) -> bool:
    """Move a run from a state to RUNNING, with a lease; return False when it is in another state, or has another claim.

    Parameters
    ----------
    run : Run
        The run.
    claim : str
        Token of the claim.
    state : RunState
        State that the run must be in: starting, or queued if an engine was asked for it.
    lease_s : float
        Seconds until the lease expires.
    **fields
        Other columns by name.
    """
    held = col(Run.id) == run.id, col(Run.state) == state, col(Run.claim_token) == claim
    values = {"state": RunState.RUNNING, "lease_until": database_now() + lease_s, **fields}
    return _changed(update(Run).where(*held).values(values))


def take_over(run: Run, lease_s: float) -> str | None:
    """Claim an active run whose lease has expired; return the new claim, None when its lease was renewed meanwhile."""
    claim = new_claim()
    expired = or_(col(Run.lease_until) < database_now(), col(Run.lease_until).is_(None))
    lapsed = _active(run.id, run.claim_token).where(expired)
    return claim if _changed(lapsed.values(claim_token=claim, lease_until=database_now() + lease_s)) else None


def _active(run_id: str, claim: str | None) -> Update:
    held = col(Run.id) == run_id, col(Run.state).in_(list(ACTIVE)), col(Run.claim_token) == claim
    return update(Run).where(*held)


def _changed(statement: Update) -> bool:
    with writing(INSTALLATION) as session:
        return bool(session.execute(statement).rowcount == 1)  # type: ignore[attr-defined]


def release(run_id: str, claim: str, *, again: bool, **fields: RunField) -> RunState | None:
    """Close a run whose work was interrupted, or queue it again; a run that was to be cancelled is cancelled.

    All in one write: a process that is killed before it leaves the run to be recovered, and no work is left after it.

    Parameters
    ----------
    run_id : str
        Id of the run.
    claim : str
        Token of the claim that must hold the run.
    again : bool
        Whether the run is queued again. A wish to stop early holds for its next attempt, too.
    **fields
        Other columns by name; those that say how it ended are of no use where it is queued again.

    Returns
    -------
    RunState or None
        State that the run has now; None when the claim does not hold it.
    """
    held = select(Run).where(Run.id == run_id, col(Run.state).in_(list(ACTIVE)), Run.claim_token == claim)
    with writing(INSTALLATION) as session:
        run = session.exec(held.with_for_update()).first()
        if run is None:
            return None
        for name, value in fields.items():
            setattr(run, name, value)
        if run.cancel_requested_at is not None:
            run.state, run.error_message, run.error_hint = RunState.CANCELLED, None, None
        elif again:
            stop_requested_at = run.stop_requested_at
            _queue(run)
            run.stop_requested_at = stop_requested_at
        else:
            run.state = RunState.INTERRUPTED
        run.claim_token = run.lease_until = None
        session.add(run)
    return run.state


def requeue(run_id: str, *, waiting_limit: int | None = None, access: Access) -> bool:
    """Queue an ended run as its next attempt; return False when it has not ended, or when it succeeded.

    A run that reached its time limit gets the same time once more.
    """
    own = select(Run).where(Run.id == run_id, Run.workspace == access.workspace)
    ended = own.where(col(Run.state).in_(list(TERMINAL - {RunState.SUCCEEDED})))
    with writing(access) as session:
        run = session.exec(ended.with_for_update()).first()
        if run is None:
            return False
        if run.state is RunState.TIMED_OUT:
            run.limit_from_s = run.elapsed_s
        _queue(run)
        session.add(run)
        audit.note(session, "resume", run.title or run.task, access=access, task=run.task, id=run.id)
        require_place(session, waiting_limit, access=access)
    return True


def _queue(run: Run) -> None:
    """Make a run wait for its next attempt, without the marks of the one before."""
    run.state, run.attempt, run.queued_at = RunState.QUEUED, run.attempt + 1, time.time()
    run.engine, run.handle, run.failed_placements = "", "", 0
    for name in (
        *("started_at", "finished_at", "claim_token", "lease_until", "cancel_requested_at", "stop_requested_at"),
        *("placed_at", "monitor_pid", "monitor_created", "worker_pid", "worker_created", "error_message", "error_hint"),
    ):
        setattr(run, name, None)
