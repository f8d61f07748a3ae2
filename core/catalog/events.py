"""The append-only log of the progress of runs."""

from __future__ import annotations

import json
import threading
import time

from sqlalchemy import bindparam, insert
from sqlmodel import col, select

from core.access import Access, Role
from core.catalog import runs
from core.catalog.engine import EventRow, append_rows, reading
from core.catalog.tables import RunEvent
from core.jsonable import jsonable
from core.progress import Event
from core.settings import get_settings

__all__ = ["append", "latest", "read"]

# Threads of one process take turns. The one whose turn it is commits the waiting events of all threads at once, so that
# only processes compete for the database's lock, and one commit serves many events.
_turn = threading.Lock()
_waiting: dict[int, EventRow] = {}
_known_runs: set[tuple[str, str, str]] = set()

_COLUMNS = ("workspace", "run_id", "attempt", "at", "phase", "fraction", "message", "values")
_INSERT = insert(RunEvent).values({name: bindparam(name) for name in _COLUMNS})


def append(run_id: str, event: Event, *, attempt: int = 1, access: Access) -> None:
    """Store one event. It is in the catalog when this function returns.

    Raises
    ------
    DeniedError
        When the person may only look at the workspace.
    NotFoundError
        When the workspace does not have this run.
    """
    access.require(Role.EDITOR)
    _check_run(run_id, access=access)
    row = (
        access.workspace,
        run_id,
        attempt,
        time.time(),
        _storable(event.phase),
        jsonable(event.fraction),
        _storable(event.message),
        json.dumps(jsonable(event.values)),
    )
    key = id(row)
    _waiting[key] = row
    with _turn:
        if key not in _waiting:
            return  # another thread committed it
        batch = _waiting.copy()
        done = [key]  # if this fails, the other threads try themselves
        try:
            append_rows(_INSERT, list(batch.values()))
            done = list(batch)
        finally:
            for key in done:
                del _waiting[key]


def _storable(text: str) -> str:
    """Return a text without what databases refuse: names in files have lone surrogates and the character 0, too."""
    return text.encode("utf-8", "replace").decode().replace("\0", "?")


def _check_run(run_id: str, *, access: Access) -> None:
    """Look the run up before its first event of this process: a run never changes its workspace."""
    key = (get_settings().database_url, access.workspace, run_id)
    if key not in _known_runs:
        runs.get(run_id, access=access)
        _known_runs.add(key)


def read(run_id: str, *, after: int = 0, phase: str | None = None, access: Access) -> list[RunEvent]:
    """Return a run's events with an id above `after`, in order."""
    query = select(RunEvent).where(
        RunEvent.run_id == run_id, RunEvent.workspace == access.workspace, col(RunEvent.id) > after
    )
    if phase is not None:
        query = query.where(RunEvent.phase == phase)
    with reading(access) as session:
        return list(session.exec(query.order_by(col(RunEvent.id))))


def latest(run_id: str, *, access: Access) -> RunEvent | None:
    """Return a run's newest event, or None."""
    query = select(RunEvent).where(RunEvent.run_id == run_id, RunEvent.workspace == access.workspace)
    with reading(access) as session:
        return session.exec(query.order_by(col(RunEvent.id).desc()).limit(1)).first()
