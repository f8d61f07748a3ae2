"""The end of the log of a run while it works on a machine whose files others cannot read."""

from __future__ import annotations

from sqlmodel import select

from core.access import INSTALLATION, Access
from core.catalog.clock import database_now
from core.catalog.engine import fenced, reading, writing
from core.catalog.tables import Run, RunLog

__all__ = ["read", "remove", "write"]


def read(run_id: str, *, access: Access) -> str:
    """Return the end of a run's log; nothing where none was written."""
    with reading(access) as session:
        row = session.get(RunLog, run_id)
    return row.text if row is not None and row.workspace == access.workspace else ""


def write(run: Run, claim: str, text: str) -> None:
    """Replace the end of a run's log, as long as the claim holds the run.

    Raises
    ------
    JobError
        When it does not.
    """
    with fenced(run.id, claim), writing(INSTALLATION) as session:
        at = session.exec(select(database_now())).one()
        # A database takes no NUL in a text.
        session.merge(RunLog(run_id=run.id, workspace=run.workspace, text=text.replace("\0", ""), at=at))


def remove(run_id: str) -> None:
    """Remove the end of a run's log, once all of it that is kept is stored."""
    with writing(INSTALLATION) as session:
        row = session.get(RunLog, run_id)
        if row is not None:
            session.delete(row)
