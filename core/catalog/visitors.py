"""Workspaces of anonymous visitors: made at the first visit, kept for some hours after the last one, then removed."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass

from sqlalchemy import Update, delete, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, col, select

from core.access import EXAMPLES, INSTALLATION, Access, Role, limits
from core.catalog import references
from core.catalog.access_tables import REMOVED, VISITOR, Workspace
from core.catalog.engine import reading, writing
from core.catalog.hidden import ALL_ROWS
from core.catalog.tables import Dataset, Model, Run
from core.errors import NotFoundError

__all__ = ["Contents", "add_examples", "close", "contents", "due", "examples", "find", "of_row", "remove_rows", "visit"]

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
    closed = NotFoundError("Your workspace is being removed.", "Load the page again in a minute.")
    now = time.time()
    until = now + (limits().kept_hours or 0) * _HOUR_S
    with reading(INSTALLATION) as session:
        known = session.get(Workspace, workspace)
    if known is None:
        with contextlib.suppress(IntegrityError), writing(access) as session:  # another page may have been first
            session.add(Workspace(workspace=workspace, title="Your own", kind=VISITOR, expires_at=until))
        return access
    if known.kind != VISITOR:
        raise closed
    # It is also too far away, where the clock was set back, or fewer hours are kept than before.
    if abs((known.expires_at or 0) - until) > _RENEWED_EVERY_S:
        with writing(access) as session:
            if session.execute(_own(workspace).values(expires_at=until)).rowcount != 1:  # type: ignore[attr-defined]
                raise closed  # at this moment
    return access


def examples() -> Access | None:
    """Return the access to the workspace that all visitors may look at; None where it was not made."""
    with reading(INSTALLATION) as session:
        known = session.get(Workspace, EXAMPLES)
    return Access(EXAMPLES, Role.VIEWER, "") if known is not None and known.kind == VISITOR else None


def add_examples() -> None:
    """Let visitors look at the workspace that all of them may look at; it stays until it is removed by a command."""
    with writing(Access.engine(EXAMPLES)) as session:
        session.add(Workspace(workspace=EXAMPLES, title="Example", kind=VISITOR))


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


@dataclass(frozen=True)
class Contents:
    """What a workspace has outside of the catalog.

    Parameters
    ----------
    run_ids : frozenset of str
        Ids of its runs, which have folders.
    names : frozenset of str
        Texts in the settings of its runs, such as names of uploads.
    digests : frozenset of str
        Digests of its stored files.
    unfinished : bool
        Whether one of its runs waits or works.
    """

    run_ids: frozenset[str]
    names: frozenset[str]
    digests: frozenset[str]
    unfinished: bool


def contents(workspace: str) -> Contents:
    """Return what a workspace has outside of the catalog, also of rows that are deleted and can be had back."""
    with reading(INSTALLATION) as session:
        runs = session.exec(select(Run).where(Run.workspace == workspace), execution_options=ALL_ROWS).all()
    return Contents(
        run_ids=frozenset(run.id for run in runs),
        names=frozenset(value for run in runs for value in run.settings.values() if isinstance(value, str)),
        digests=frozenset(references.of_workspace(workspace)),
        unfinished=any(not run.state.terminal for run in runs),
    )


def remove_rows(workspace: str) -> int:
    """Remove all rows of a workspace that is closed, from every table that names workspaces; return their number."""
    with writing(INSTALLATION) as session:
        own = session.get(Workspace, workspace)
        if own is None or own.kind != REMOVED:
            raise NotFoundError("There is no such workspace that is being removed.", "Close it first.")
        # Parts before what they belong to, so that each row is counted.
        tables = [table for table in reversed(SQLModel.metadata.sorted_tables) if "workspace" in table.c]
        tables.sort(key=lambda table: table.name == Workspace.__tablename__)  # until then nobody may enter it
        return sum(
            session.execute(delete(table).where(table.c.workspace == workspace)).rowcount  # type: ignore[attr-defined]
            for table in tables
        )


def find() -> list[Workspace]:
    """Return all workspaces of visitors, the last visit first."""
    query = select(Workspace).where(col(Workspace.kind).in_([VISITOR, REMOVED]))
    with reading(INSTALLATION) as session:
        return list(session.exec(query.order_by(col(Workspace.expires_at).desc())))


def of_row(row_id: str) -> str | None:
    """Return the workspace with this name, or that of the dataset, run or model with this id; None if there is none."""
    with reading(INSTALLATION) as session:
        if (own := session.get(Workspace, row_id)) is not None:
            return own.workspace
        for table in (Dataset, Run, Model):
            query = select(table.workspace).where(table.id == row_id)
            if (workspace := session.exec(query, execution_options=ALL_ROWS).first()) is not None:
                return workspace
    return None


def _own(workspace: str) -> Update:
    return update(Workspace).where(col(Workspace.workspace) == workspace, col(Workspace.kind) == VISITOR)
