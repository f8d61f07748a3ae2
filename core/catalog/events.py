"""The append-only log of what runs reported."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert
from sqlmodel import col, select

from core.catalog.engine import get_engine, reading
from core.catalog.tables import RunEvent
from core.progress import Event

__all__ = ["append", "latest", "read"]

# Threads of one process queue here, which is fair and cheap; only processes meet at the database's own lock.
_turn = threading.Lock()


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
    row = {
        "workspace": workspace,
        "run_id": run_id,
        "attempt": attempt,
        "at": time.time(),
        "phase": event.phase,
        "fraction": _clean(event.fraction),
        "message": event.message.encode("utf-8", "replace").decode(),  # a file name may hold lone surrogates
        "values": json.loads(json.dumps(_clean(event.values), default=str)),
    }
    with _turn, get_engine().begin() as connection:
        connection.execute(insert(RunEvent), row)


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
