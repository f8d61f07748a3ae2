"""Deletions: rows that are hidden at once, can be had back for ten minutes, and are removed afterwards."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from typing import TypeVar

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core.access import INSTALLATION, Access
from core.catalog import audit, references
from core.catalog.engine import reading, writing
from core.catalog.hidden import ALL_ROWS, DELETABLE
from core.catalog.pipeline_tables import PipelineStep, Schedule
from core.catalog.row import Deletable
from core.catalog.tables import Deletion, ModelVersion, Run
from core.errors import InputError, NotFoundError
from core.jsonable import JsonObject

__all__ = ["UNDO_S", "Rows", "find", "mark", "purge", "undo"]

_Table = TypeVar("_Table", bound=Deletable)

UNDO_S = 600.0
"""Seconds in which a deletion can be undone."""

Rows = Mapping[type[Deletable], Collection[str]]
"""Ids of rows by their table."""


def find(*, types: Collection[str] | None = None, access: Access) -> list[Deletion]:
    """Return a workspace's deletions that can be undone, the last one first."""
    query = select(Deletion).where(Deletion.workspace == access.workspace, Deletion.at > time.time() - UNDO_S)
    if types is not None:
        query = query.where(col(Deletion.kind).in_(list(types)))
    with reading(access) as session:
        return list(session.exec(query.order_by(col(Deletion.at).desc(), col(Deletion.id))))


def mark(
    session: Session,
    rows: Rows,
    *,
    kind: str,
    title: str,
    row_id: str,
    schedules: Collection[Schedule] = (),
    reason: str = "",
    access: Access,
) -> Deletion:
    """Hide rows, in a transaction that has locked them, and turn schedules off.

    Parameters
    ----------
    session : Session
        Session of the transaction.
    rows : mapping
        Ids of the rows by their table.
    kind : str
        Kind of what is deleted, such as "run".
    title : str
        Its name.
    row_id : str
        Its id.
    schedules : collection of Schedule, default=()
        Schedules that are turned off.
    reason : str, default=""
        Sentence that they say about it.
    access : Access
        The workspace, and who acts in it.
    """
    due = {schedule.id: schedule.next_at for schedule in schedules if schedule.enabled}
    deletion = Deletion(
        workspace=access.workspace,
        kind=kind,
        title=title[:300],
        row_id=row_id,
        details={"schedules": due},
        who=access.actor[:200],
    )
    session.add(deletion)
    for table, ids in rows.items():
        own = col(table.id).in_(list(ids)), col(table.workspace) == access.workspace  # type: ignore[attr-defined]
        session.execute(update(table).where(*own).values(deletion_id=deletion.id))
    off = update(Schedule).where(col(Schedule.id).in_(list(due)), col(Schedule.workspace) == access.workspace)
    session.execute(off.values(enabled=False, next_at=None, problem=reason))
    audit.note(session, "delete", title, access=access, kind=kind, id=row_id)
    return deletion


def undo(deletion_id: str, *, parents: Mapping[str, str] | None = None, access: Access) -> Deletion:
    """Show the rows of a deletion again, turn its schedules on again, and return what the deletion was.

    Parameters
    ----------
    deletion_id : str
        Id of the deletion.
    parents : mapping of str to str, optional
        Setting with the id of the row that a run is a part of, by the kind of run.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    InputError
        When it is too late, something else has the name or the content by now, or it belongs to what is deleted itself.
    NotFoundError
        When the workspace does not have this deletion: it was undone, or its rows are removed.
    """
    title = ""
    try:
        with writing(access) as session:
            deletion = _locked(session, deletion_id, access=access)
            title = deletion.title
            if deletion.at <= time.time() - UNDO_S:
                raise _gone()
            _check_parents(session, deletion, parents or {})
            for table in DELETABLE:
                session.execute(
                    update(table).where(col(table.deletion_id) == deletion.id).values(deletion_id=None),
                    execution_options=ALL_ROWS,
                )
            for schedule_id, next_at in deletion.details.get("schedules", {}).items():
                off = update(Schedule).where(
                    col(Schedule.id) == schedule_id, col(Schedule.enabled).is_(False), col(Schedule.next_at).is_(None)
                )
                session.execute(off.values(enabled=True, next_at=next_at, problem=""))
            session.delete(deletion)
            audit.note(session, "restore", title, access=access, kind=deletion.kind, id=deletion.row_id)
    except IntegrityError as error:
        raise InputError(
            f"'{title}' cannot be restored: something else has its name or its content by now.",
            "Rename or delete that first, then undo the deletion.",
        ) from error
    return deletion


def purge(*, after_s: float = UNDO_S) -> list[str]:
    """Remove the rows of all deletions that can no longer be undone; return the ids of the runs among them.

    Any number of processes may do so at the same time.

    Parameters
    ----------
    after_s : float, default=600
        Seconds after which a deletion is final.
    """
    before = time.time() - after_s
    with reading(INSTALLATION) as session:
        due = list(session.exec(select(Deletion.id).where(Deletion.at <= before).order_by(col(Deletion.at))))
    run_ids: list[str] = []
    for deletion_id in due:
        with writing(INSTALLATION) as session:
            deletion = session.exec(select(Deletion).where(Deletion.id == deletion_id).with_for_update()).first()
            if deletion is not None:
                run_ids += _remove(session, deletion)
    return run_ids


def _remove(session: Session, deletion: Deletion) -> list[str]:
    """Remove the rows of a deletion, with which their parts go, and return the ids of the runs among them."""
    ids = {table: list(_ids(session, table, deletion)) for table in DELETABLE}
    steps = select(PipelineStep.id).where(col(PipelineStep.pipeline_run_id).in_(ids[Run]))
    owners = [*(row for rows in ids.values() for row in rows), *session.exec(steps, execution_options=ALL_ROWS)]
    references.drop(session, owners)
    for table in reversed(DELETABLE):
        session.execute(delete(table).where(col(table.deletion_id) == deletion.id), execution_options=ALL_ROWS)
    session.delete(deletion)
    return ids[Run]


def _ids(session: Session, table: type[Deletable], deletion: Deletion) -> Iterator[str]:
    query = select(table.id).where(col(table.deletion_id) == deletion.id)  # type: ignore[attr-defined]
    yield from session.exec(query, execution_options=ALL_ROWS)


def _locked(session: Session, deletion_id: str, *, access: Access) -> Deletion:
    query = select(Deletion).where(Deletion.id == deletion_id, Deletion.workspace == access.workspace)
    deletion = session.exec(query.with_for_update()).first()
    if deletion is None:
        raise _gone()
    return deletion


def _gone() -> NotFoundError:
    return NotFoundError(
        "This deletion cannot be undone any more.",
        f"It was undone already, or is more than {UNDO_S / 60:.0f} minutes old.",
    )


def _check_parents(session: Session, deletion: Deletion, parents: Mapping[str, str]) -> None:
    """Raise InputError where a row belongs to one that is hidden by another deletion, or gone."""
    needed = set[str]()
    for run in _all(session, Run, deletion):
        needed |= {run.parent_id, _parent(run.settings, parents.get(run.task))}
    for version in _all(session, ModelVersion, deletion):
        needed |= {version.model_id, version.run_id}
    for schedule in _all(session, Schedule, deletion):
        needed |= {_parent(schedule.settings, name) for name in ("saved", "model")}
    for table in DELETABLE:
        query = select(table).where(
            col(table.id).in_(sorted(needed - {""})),  # type: ignore[attr-defined]
            col(table.deletion_id).is_not(None),
            col(table.deletion_id) != deletion.id,
        )
        hidden = session.exec(query, execution_options=ALL_ROWS).first()
        if hidden is not None:
            other = session.get(Deletion, hidden.deletion_id)
            name = "what it belongs to" if other is None else f"'{other.title}'"
            raise InputError(
                f"'{deletion.title}' belongs to {name}, which is deleted itself.", f"Undo the deletion of {name} first."
            )


def _all(session: Session, table: type[_Table], deletion: Deletion) -> list[_Table]:
    return list(session.exec(select(table).where(col(table.deletion_id) == deletion.id), execution_options=ALL_ROWS))


def _parent(settings: JsonObject, name: str | None) -> str:
    return "" if name is None else str(settings.get(name) or "")
