"""Queries over the plans by which models are watched."""

from __future__ import annotations

import time

from sqlmodel import select

from core.access import Access
from core.catalog import audit, runs
from core.catalog._model_rows import locked
from core.catalog.engine import reading, writing
from core.catalog.monitor_tables import MonitorPlan
from core.catalog.tables import Run, RunState
from core.jsonable import JsonObject

__all__ = ["compared", "find", "get", "keep"]

_TASKS = ("monitor", "monitor_check", "score")
"""Kinds of run that compare batches."""
_MOST_RUNS = 10_000


def get(model_id: str, *, access: Access) -> MonitorPlan | None:
    """Return the plan of a model, or None where it is not watched."""
    query = select(MonitorPlan).where(MonitorPlan.model_id == model_id, MonitorPlan.workspace == access.workspace)
    with reading(access) as session:
        return session.exec(query).first()


def find(*, access: Access) -> list[MonitorPlan]:
    """Return the plans of all models of the workspace."""
    with reading(access) as session:
        return list(session.exec(select(MonitorPlan).where(MonitorPlan.workspace == access.workspace)))


def compared(model_id: str, *, access: Access) -> list[Run]:
    """Return the finished runs that compared batches of a model, or brought labels of them, the newest first per kind.

    Of each kind of run, the newest 10,000 that name the model are looked at.
    """
    return [
        run
        for task in _TASKS
        for run in runs.find(
            task=task, states=[RunState.SUCCEEDED], result_names=model_id, limit=_MOST_RUNS, access=access
        )
        if (run.result or {}).get("model") == model_id
    ]


def keep(model_id: str, settings: JsonObject, *, why: str = "", access: Access) -> MonitorPlan:
    """Store the plan of a model in the place of the one before.

    Raises
    ------
    NotFoundError
        When the workspace does not have this model.
    """
    with writing(access) as session:
        model = locked(session, model_id, access=access)
        plan = session.get(MonitorPlan, model_id)
        before = {} if plan is None else plan.settings
        if plan is None:
            plan = MonitorPlan(model_id=model_id, workspace=access.workspace)
        changed = {name: value for name, value in settings.items() if before.get(name) != value}
        plan.settings, plan.who, plan.changed_at = dict(settings), access.actor[:200], time.time()
        session.add(plan)
        audit.note(session, "watch", model.name, access=access, id=model_id, changed=changed, why=why.strip())
    return plan
