"""The row of a new run: what a task, its settings and the installation's limits say about it."""

from __future__ import annotations

import contextlib

from pydantic import BaseModel

from core.access import Access, limits
from core.catalog import Run, datasets
from core.errors import NotFoundError
from core.jobs.engine import fitted
from core.jobs.needs import Needs
from core.jobs.task_specs import load, task_spec
from core.jsonable import JsonObject
from core.settings import get_settings

__all__ = ["estimate_needs", "new_run"]


def new_run(
    task: str,
    settings: JsonObject | BaseModel,
    *,
    dataset: str | None = None,
    title: str = "",
    timeout_s: float | None = None,
    memory_limit_mb: int | None = None,
    parent: str | None = None,
    needs: Needs | None = None,
    access: Access,
) -> Run:
    """Return the row of a run that is not stored yet; the parameters are those of `core.jobs.submit`.

    Raises
    ------
    JobError
        When the task is unknown.
    """
    load(task)
    values: JsonObject = settings.model_dump(mode="json") if isinstance(settings, BaseModel) else dict(settings)
    needs = needs or estimate_needs(task, values, dataset, access=access)
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
        settings=values,
        timeout_s=timeout_s,
        memory_limit_mb=installed.memory_limit_mb if memory_limit_mb is None else memory_limit_mb,
        cpus=needs.cpus,
        gpus=needs.gpus,
        needs_mb=needs.memory_mb,
    )


def estimate_needs(task: str, settings: JsonObject, dataset: str | None = None, *, access: Access) -> Needs:
    """Return what a run needs of a machine, estimated from its settings and its table.

    Parameters
    ----------
    task : str
        Kind of the run.
    settings : mapping
        Its settings.
    dataset : str, optional
        Id of the dataset that it works on.
    access : Access
        The workspace, and who acts in it.
    """
    rows = columns = 0
    if dataset is not None:
        with contextlib.suppress(NotFoundError):  # it was deleted; the run works on what is left
            table = datasets.get(dataset, access=access)
            rows, columns = table.rows, table.columns
    return fitted(task_spec(task).needs(settings, rows, columns))
