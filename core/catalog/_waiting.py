"""How many runs of a workspace may wait."""

from __future__ import annotations

from sqlmodel import Session, func, select

from core.access import Access
from core.catalog.tables import Run, RunState
from core.errors import LimitError

__all__ = ["require_place"]


def require_place(session: Session, limit: int | None, *, access: Access) -> None:
    """Refuse a run that was just queued where too many wait; those that work for another run do not count.

    The record of it comes first: the lock of the workspace's audit log makes the count exact.

    Raises
    ------
    LimitError
        When more wait than may.
    """
    if limit is None:
        return
    waiting = select(func.count()).where(
        Run.workspace == access.workspace, Run.state == RunState.QUEUED, Run.parent_id == ""
    )
    session.flush()
    if session.exec(waiting).one() > limit:
        waits = "1 run waits" if limit == 1 else f"{limit:,} runs wait"
        raise LimitError(
            f"{waits} in this workspace already, the most that may.", "Try again when one has started, or cancel one."
        )
