"""Queries over the plans by which models are watched."""

from __future__ import annotations

import time

from sqlalchemy import delete, func
from sqlmodel import col, select

from core.access import INSTALLATION, Access
from core.catalog import audit, runs
from core.catalog._model_rows import locked
from core.catalog.engine import reading, writing
from core.catalog.monitor_tables import MonitorPlan
from core.catalog.tables import Run, RunArtifact, RunState
from core.jsonable import JsonObject

__all__ = ["BATCH_FILES", "KEPT_DAYS", "compared", "find", "get", "keep", "remove_old_files", "version"]

BATCH_FILES = "batches/"
"""Beginning of the names of files that runs keep of batches; the key of the batch follows."""
KEPT_DAYS = 365
"""Days for which these files are kept where a plan does not say otherwise."""

_TASKS = ("monitor", "monitor_check", "score")
"""Kinds of run that compare batches."""
_MOST_RUNS = 10_000
_DAY_S = 86_400.0


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


def version(*, access: Access) -> tuple[int, float]:
    """Return what changes whenever a run of the workspace that compares batches has ended or was deleted. Cheap."""
    query = select(func.count(), func.max(Run.finished_at)).where(
        Run.workspace == access.workspace, col(Run.task).in_(_TASKS), Run.state == RunState.SUCCEEDED
    )
    with reading(access) as session:
        count, newest = session.exec(query).one()
    return count, newest or 0.0


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


def remove_old_files(now: float) -> int:
    """Remove the files of batches that plans keep no longer, in all workspaces; return their number.

    That of a batch which others are compared with stays. What runs say of the batches in their results stays as well.

    Parameters
    ----------
    now : float
        The present (seconds since the epoch).
    """
    with reading(INSTALLATION) as session:
        settings = {plan.model_id: plan.settings for plan in session.exec(select(MonitorPlan))}
        days = [KEPT_DAYS, *(plan["keep_days"] for plan in settings.values() if plan.get("keep_days") is not None)]
        query = (
            select(RunArtifact.run_id, RunArtifact.name, Run.finished_at, Run.result)
            .join(Run, col(Run.id) == col(RunArtifact.run_id))
            .where(col(RunArtifact.name).startswith(BATCH_FILES), Run.state == RunState.SUCCEEDED)
            .where(col(Run.finished_at) < now - min(days) * _DAY_S)
        )
        files = list(session.exec(query))
    old = []
    for run_id, name, finished_at, result in files:
        plan = settings.get(str((result or {}).get("model")), {})
        kept = plan.get("keep_days", KEPT_DAYS)
        is_reference = name.removeprefix(BATCH_FILES).partition("/")[0] == plan.get("reference")
        if kept is not None and finished_at < now - kept * _DAY_S and not is_reference:
            old.append((run_id, name))
    with writing(INSTALLATION) as session:
        for run_id, name in old:
            session.execute(delete(RunArtifact).where(col(RunArtifact.run_id) == run_id, col(RunArtifact.name) == name))
    return len(old)
