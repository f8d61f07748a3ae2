"""Workspaces of anonymous visitors: made at the first visit, kept for some hours after the last one, then removed."""

from __future__ import annotations

import contextlib
import time

from sqlalchemy import Update, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from core.access import EXAMPLES, INSTALLATION, Access, Role, limits
from core.catalog.access_tables import Workspace
from core.catalog.engine import reading, writing
from core.errors import NotFoundError

__all__ = ["REMOVED", "VISITOR", "close", "due", "examples", "visit"]

VISITOR = "visitor"
REMOVED = "removed"
"""Kind of a workspace that is being removed: nobody enters it any more."""

_RENEWED_EVERY_S = 600.0
_HOUR_S = 3_600.0


def visit(workspace: str) -> Access:
    """Return a visitor's access to their workspace, which is made at the first visit and kept from the last one on.

    Raises
    ------
    NotFoundError
        When it is being removed at this moment.
    """
    access = Access(workspace, Role.EDITOR, "")
    now = time.time()
    until = now + (limits().kept_hours or 0) * _HOUR_S
    with reading(INSTALLATION) as session:
        known = session.get(Workspace, workspace)
    if known is None:
        with contextlib.suppress(IntegrityError), writing(access) as session:  # another page may have been first
            session.add(Workspace(workspace=workspace, title="Your own", kind=VISITOR, expires_at=until))
        return access
    if known.kind != VISITOR:
        raise NotFoundError("Your workspace is being removed.", "Load the page again in a minute.")
    if (known.expires_at or 0) < until - _RENEWED_EVERY_S:
        with writing(access) as session:
            session.execute(_own(workspace).values(expires_at=until))
    return access


def examples() -> Access | None:
    """Return the access to the workspace that all visitors may look at; None where it was not made."""
    with reading(INSTALLATION) as session:
        known = session.get(Workspace, EXAMPLES) is not None
    return Access(EXAMPLES, Role.VIEWER, "") if known else None


def due(now: float | None = None) -> list[str]:
    """Return the workspaces of visitors that are to be removed, also those whose removal was interrupted."""
    moment = time.time() if now is None else now
    query = select(Workspace.workspace).where(
        (col(Workspace.kind) == REMOVED) | ((col(Workspace.kind) == VISITOR) & (col(Workspace.expires_at) <= moment))
    )
    with reading(INSTALLATION) as session:
        return list(session.exec(query.order_by(col(Workspace.expires_at))))


def close(workspace: str, now: float | None = None) -> bool:
    """Let nobody enter a visitor's workspace any more; return whether it is closed now.

    Parameters
    ----------
    workspace : str
        The workspace.
    now : float, optional
        Time by which it has to have expired; by default it is closed in any case.
    """
    statement = _own(workspace)
    if now is not None:
        statement = statement.where(col(Workspace.expires_at) <= now)
    with writing(INSTALLATION) as session:
        session.execute(statement.values(kind=REMOVED))
        known = session.get(Workspace, workspace)
    return known is not None and known.kind == REMOVED


def _own(workspace: str) -> Update:
    return update(Workspace).where(col(Workspace.workspace) == workspace, col(Workspace.kind) == VISITOR)
