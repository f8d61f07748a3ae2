"""Queries over schedules. A time that is due is taken by compare-and-set, together with the run that it starts."""

from __future__ import annotations

from sqlalchemy import func
from sqlalchemy import update as update_rows
from sqlmodel import col, select

from core.access import INSTALLATION, Access, Role
from core.catalog import audit, references
from core.catalog.engine import reading, writing
from core.catalog.pipeline_tables import Schedule
from core.catalog.tables import Run, RunEvent
from core.errors import not_found
from core.jsonable import JsonObject

__all__ = ["add", "due", "find", "get", "next_due", "take", "update"]


def add(schedule: Schedule, *, access: Access) -> Schedule:
    """Store a schedule. The contents that its settings name stay as long as its row."""
    with writing(access) as session:
        session.add(schedule)
        references.replace(session, schedule.id, references.named_in(schedule.settings), access=access)
    return schedule


def get(schedule_id: str, *, access: Access) -> Schedule:
    """Return a schedule.

    Raises
    ------
    NotFoundError
        When the workspace does not have this schedule.
    """
    with reading(access) as session:
        schedule = session.get(Schedule, schedule_id)
    if schedule is None or schedule.workspace != access.workspace:
        raise not_found("schedule", schedule_id, "It may have been deleted.")
    return schedule


def find(*, task: str | None = None, access: Access) -> list[Schedule]:
    """Return a workspace's schedules, the first one that was made first."""
    query = select(Schedule).where(Schedule.workspace == access.workspace)
    if task is not None:
        query = query.where(Schedule.task == task)
    with reading(access) as session:
        return list(session.exec(query.order_by(col(Schedule.created_at), col(Schedule.id))))


def due(now: float) -> list[Schedule]:
    """Return the enabled schedules of all workspaces whose next time has come, the longest-waiting first."""
    query = select(Schedule).where(col(Schedule.enabled).is_(True), col(Schedule.next_at) <= now)
    with reading(INSTALLATION) as session:
        return list(session.exec(query.order_by(col(Schedule.next_at), col(Schedule.id))))


def next_due() -> float | None:
    """Return the earliest next time of all enabled schedules, or None when there is none."""
    with reading(INSTALLATION) as session:
        return session.exec(select(func.min(Schedule.next_at)).where(col(Schedule.enabled).is_(True))).one()


def update(schedule_id: str, *, access: Access, **fields: str | float | JsonObject | None) -> Schedule:
    """Change columns of a schedule and return it.

    Raises
    ------
    NotFoundError
        When the workspace does not have this schedule.
    """
    statement = (
        update_rows(Schedule)
        .where(col(Schedule.id) == schedule_id, col(Schedule.workspace) == access.workspace)
        .values(**fields)
    )
    with writing(access) as session:
        changed = session.execute(statement).rowcount  # type: ignore[attr-defined]
        settings = fields.get("settings")
        if changed and isinstance(settings, dict):
            references.replace(session, schedule_id, references.named_in(settings), access=access)
    return get(schedule_id, access=access)


def take(
    schedule: Schedule,
    *,
    at: float,
    next_at: float | None,
    missed: int = 0,
    skipped: int = 0,
    problem: str = "",
    run: Run | None = None,
    event: RunEvent | None = None,
) -> bool:
    """Take the times of a schedule that have come, and queue their run, unless another process was first.

    Parameters
    ----------
    schedule : Schedule
        Row as it was read, with the time that is due.
    at : float
        The present.
    next_at : float, optional
        Its next time; None disables it.
    missed, skipped : int, default=0
        Numbers to add to what is counted.
    problem : str, default=""
        Reason why no run starts.
    run : Run, optional
        Row of the run to queue.
    event : RunEvent, optional
        First event of that run.

    Returns
    -------
    bool
        Whether this call took them.
    """
    values = {"next_at": next_at, "enabled": next_at is not None, "last_at": at, "problem": problem}
    if run is not None:
        values["last_run_id"] = run.id
    statement = (
        update_rows(Schedule)
        .where(
            col(Schedule.id) == schedule.id,
            col(Schedule.enabled).is_(True),
            col(Schedule.next_at) == schedule.next_at,
        )
        .values(missed=Schedule.missed + missed, skipped=Schedule.skipped + skipped, **values)
    )
    with writing(INSTALLATION) as session:
        if session.execute(statement).rowcount != 1:  # type: ignore[attr-defined]
            return False
        session.add_all([row for row in (run, event) if row is not None])
        if run is not None:
            engine = Access.engine(run.workspace)
            references.replace(session, run.id, references.named_in(run.settings), access=engine)
            by = Access(run.workspace, Role.EDITOR, run.who)
            audit.note(session, "run", run.title, access=by, task=run.task, id=run.id, schedule=schedule.id)
    return True
