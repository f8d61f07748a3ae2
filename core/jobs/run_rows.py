"""The row of a new run: what a task, its settings and the installation's limits say about it."""

from __future__ import annotations

from pydantic import BaseModel

from core.access import Access, limits
from core.catalog import Run
from core.jobs.task_specs import load, task_spec
from core.jsonable import JsonObject
from core.settings import get_settings

__all__ = ["new_run"]


def new_run(
    task: str,
    settings: JsonObject | BaseModel,
    *,
    dataset: str | None = None,
    title: str = "",
    timeout_s: float | None = None,
    memory_limit_mb: int | None = None,
    parent: str | None = None,
    access: Access,
) -> Run:
    """Return the row of a run that is not stored yet; the parameters are those of `core.jobs.submit`.

    Raises
    ------
    JobError
        When the task is unknown.
    """
    load(task)
    installed, longest_s = get_settings(), limits().run_s
    timeout_s = installed.run_timeout_s if timeout_s is None else timeout_s
    if longest_s is not None:
        timeout_s = min(longest_s, timeout_s or longest_s)
    return Run(
        workspace=access.workspace,
        task=task,
        lane=task_spec(task).lane,
        parent_id=parent or "",
        title=title[:300],
        who=access.actor[:200],
        dataset_id=dataset,
        settings=settings.model_dump(mode="json") if isinstance(settings, BaseModel) else dict(settings),
        timeout_s=timeout_s,
        memory_limit_mb=installed.memory_limit_mb if memory_limit_mb is None else memory_limit_mb,
    )
