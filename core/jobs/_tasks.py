"""Tasks, known by name only: a module of ``core.tasks`` with ``run(context) -> dict``.

Optional names in the module: ``RESUMABLE = True`` when a later attempt goes on from the working folder,
``STOPPABLE = True`` when the task heeds ``context.should_stop()`` and keeps what it has, ``SHORT = True`` when
it takes seconds and so need not wait behind long ones, ``REPEATABLE = False`` when its settings alone are not
enough to run it again.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from functools import lru_cache
from types import ModuleType

from core.errors import JobError
from core.settings import get_settings

__all__ = ["is_repeatable", "is_resumable", "is_stoppable", "lane", "load"]


@lru_cache(maxsize=64)
def load(task: str) -> ModuleType:
    """Return a task's module. Tasks import what is heavy inside ``run``, so this is cheap in any process.

    Raises
    ------
    JobError
        When there is none of this name.
    """
    if re.fullmatch(r"[a-z][a-z0-9_]*", task):
        for package in get_settings().task_packages:
            name = f"{package}.{task}"
            if importlib.util.find_spec(name) is not None:
                return importlib.import_module(name)
    raise JobError(f"There is no task '{task}'.", "Use the name of a module in core/tasks.")


def _flag(task: str, name: str, default: bool = False) -> bool:
    try:
        return bool(getattr(load(task), name, default))
    except JobError:  # an old run of a task that is gone: it can be looked at, no more
        return False


def is_resumable(task: str) -> bool:
    """Tell whether a later attempt of the task goes on where the earlier one ended."""
    return _flag(task, "RESUMABLE")


def is_stoppable(task: str) -> bool:
    """Tell whether the task can be stopped and keeps what it has."""
    return _flag(task, "STOPPABLE")


def is_repeatable(task: str) -> bool:
    """Tell whether a run can be started again from its settings alone."""
    return _flag(task, "REPEATABLE", True)


def lane(task: str) -> str:
    """Return the queue that runs of the task wait in: ``"short"`` or ``"long"``.

    Raises
    ------
    JobError
        When there is no such task.
    """
    return "short" if getattr(load(task), "SHORT", False) else "long"
