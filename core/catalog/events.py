"""The append-only log of what runs reported."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, insert
from sqlmodel import col, select

from core.catalog.engine import append_rows, reading
from core.catalog.tables import RunEvent
from core.progress import Event

__all__ = ["append", "latest", "read"]

# Threads of one process take turns here; whose turn it is commits what all of them have waiting, at once. So only
# processes meet at the database's lock, and a commit is paid once for many events.
_turn = threading.Lock()
_waiting: dict[int, tuple[Any, ...]] = {}

_COLUMNS = ("workspace", "run_id", "attempt", "at", "phase", "fraction", "message", "values")
_INSERT = insert(RunEvent).values({name: bindparam(name) for name in _COLUMNS})


def _clean(value: Any) -> Any:
    """Return `value` as JSON has it: NumPy scalars as numbers, arrays as lists, NaN and infinities as None."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


def append(run_id: str, workspace: str, event: Event, *, attempt: int = 1) -> None:
    """Store one event; when this returns, it is in the catalog."""
    row = (
        workspace,
        run_id,
        attempt,
        time.time(),
        event.phase,
        _clean(event.fraction),
        event.message.encode("utf-8", "replace").decode(),  # a file name may hold lone surrogates
        json.dumps(_clean(event.values), default=str),
    )
    key = id(row)
    _waiting[key] = row
    with _turn:
        if key not in _waiting:
            return  # another thread committed it
        batch = _waiting.copy()
        done = [key]  # should this fail, the others try for themselves
        try:
            append_rows(_INSERT, list(batch.values()))
            done = list(batch)
        finally:
            for key in done:
                del _waiting[key]


def read(run_id: str, workspace: str, *, after: int = 0, phase: str | None = None) -> list[RunEvent]:
    """Return a run's events in their order, those with an id above `after` only."""
    query = select(RunEvent).where(RunEvent.run_id == run_id, RunEvent.workspace == workspace, col(RunEvent.id) > after)
    if phase is not None:
        query = query.where(RunEvent.phase == phase)
    with reading() as session:
        return list(session.exec(query.order_by(col(RunEvent.id))))


def latest(run_id: str, workspace: str) -> RunEvent | None:
    """Return a run's newest event, or None."""
    query = select(RunEvent).where(RunEvent.run_id == run_id, RunEvent.workspace == workspace)
    with reading() as session:
        return session.exec(query.order_by(col(RunEvent.id).desc()).limit(1)).first()
