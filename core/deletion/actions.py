"""Plan, delete, undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from core.access import Access
from core.catalog import Deletion, deletions
from core.catalog.engine import reading, writing
from core.deletion._data import plan_dataset, plan_pipeline, plan_schedule
from core.deletion._models import plan_model, plan_version
from core.deletion._runs import part_settings, plan_run
from core.deletion.plan import DeletionPlan
from core.errors import InputError

__all__ = ["Kind", "delete", "plan", "undo"]

Kind: TypeAlias = Literal["dataset", "model", "pipeline", "run", "schedule", "version"]
"""Kind of what can be deleted."""

_PLANS: dict[Kind, Callable[..., DeletionPlan]] = {
    "dataset": plan_dataset,
    "model": plan_model,
    "pipeline": plan_pipeline,
    "run": plan_run,
    "schedule": plan_schedule,
    "version": plan_version,
}


def plan(kind: Kind, row_id: str, *, access: Access) -> DeletionPlan:
    """Return what a deletion would do; nothing is changed.

    Parameters
    ----------
    kind : {"dataset", "model", "pipeline", "run", "schedule", "version"}
        Kind of the thing.
    row_id : str
        Its id.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    NotFoundError
        When the workspace does not have it.
    """
    with reading(access) as session:
        made: DeletionPlan = _PLANS[kind](session, row_id, access=access)
    return made


def delete(kind: Kind, row_id: str, *, access: Access) -> Deletion:
    """Delete a thing with all that its plan says. It can be undone for ten minutes.

    Parameters
    ----------
    kind : {"dataset", "model", "pipeline", "run", "schedule", "version"}
        Kind of the thing.
    row_id : str
        Its id.
    access : Access
        The workspace, and who acts in it.

    Returns
    -------
    Deletion
        What `undo` takes the id of.

    Raises
    ------
    InputError
        When something forbids it, such as a run that works.
    NotFoundError
        When the workspace does not have it, or it is deleted already.
    """
    with writing(access) as session:
        made: DeletionPlan = _PLANS[kind](session, row_id, access=access)
        if made.forbidden:
            raise InputError(f"'{made.title}' cannot be deleted: {made.forbidden}", made.hint)
        return deletions.mark(
            session,
            made.rows,
            kind=made.kind,
            title=made.title,
            row_id=made.row_id,
            schedules=made.schedules,
            reason=f"Turned off: '{made.title}' was deleted.",
            access=access,
        )


def undo(deletion_id: str, *, access: Access) -> Deletion:
    """Undo a deletion, and return what it was.

    Raises
    ------
    InputError
        When it is too late, something else has the name or the content by now, or it belongs to what is deleted itself.
    NotFoundError
        When the workspace does not have this deletion: it was undone, or its rows are removed.
    """
    return deletions.undo(deletion_id, parents=part_settings(), access=access)
