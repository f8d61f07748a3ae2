"""Kinds of run, known by name only: each is a `TaskSpec` and a module with ``run(context) -> dict``.

A module of one of the packages in ``PLUMBLINE_TASK_PACKAGES`` declares ``SPEC = TaskSpec(...)`` beside ``run`` and is
discovered. An extension (``PLUMBLINE_EXTENSIONS``) may also call ``TASKS.add(TaskSpec(..., module="its.module"))``.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Literal

from core.catalog import Run
from core.errors import JobError
from core.jobs.needs import Needs, table_needs
from core.jsonable import JsonObject
from core.registry import Registry, unknown_name
from core.settings import get_settings

__all__ = ["TASKS", "TaskSpec", "load", "task_spec"]


@dataclass(frozen=True, kw_only=True)
class TaskSpec:
    """A kind of run: how it is called, queued, ended and shown.

    Parameters
    ----------
    name : str
        Name that the catalog stores with each run: the module's name, or any other for a task that `module` locates.
    title : str
        Title in lists and filters, such as "Import".
    help : str, default=""
        One sentence that says what a run of this kind does.
    lane : {"long", "short", "pipeline"}, default="long"
        Queue that its runs wait in. Runs that take seconds are short, so that they need not wait behind long ones. Runs
        that wait for runs that they submitted, and do little else, have a lane of their own, so that they never keep
        those from starting.
    page : str, optional
        Address of the page that shows the result (``/<page>?run=<id>``), such as "automl".
    subject : str, optional
        Setting with the id of the run whose page shows the result; by default the run itself.
    part_of : str, optional
        Setting with the id of the row, such as a run, that its results are of no use without: they are deleted with it.
        By default the `subject`.
    resumable : bool, default=False
        Whether a later attempt continues from the working folder of an earlier one.
    checkpoints : tuple of str, default=()
        Patterns of the files in the working folder that a later attempt needs on another machine.
    restarts : bool, default=False
        Whether a run that was interrupted begins anew by itself, so that it ends as if nothing had happened.
    stoppable : bool, default=False
        Whether the task heeds ``context.should_stop()`` and keeps what it has.
    stop_label : str, default="Stop and keep best"
        Label of the button that stops it.
    repeatable : bool, default=True
        Whether the settings alone are enough to run it again.
    keeps_data : bool, default=True
        Whether what it makes depends on the dataset as it was, so that the dataset is not read anew in its place.
    submits : tuple of str, default=()
        Kinds of run that its runs may start from within a sandbox.
    needs : callable, optional
        Function of the settings, and of the rows and columns of the dataset (0 for none), that returns what a run needs
        of a machine (`Needs`); by default one core, and memory by the size of the table.
    module : str, default=""
        Full name of the module with ``run``, for a task outside the task packages.

    Examples
    --------
    >>> TaskSpec(name="ingest", title="Import", lane="short").resumable
    False
    """

    name: str
    title: str
    help: str = ""
    lane: Literal["long", "short", "pipeline"] = "long"
    page: str | None = None
    subject: str | None = None
    part_of: str | None = None
    resumable: bool = False
    checkpoints: tuple[str, ...] = ()
    restarts: bool = False
    stoppable: bool = False
    stop_label: str = "Stop and keep best"
    repeatable: bool = True
    keeps_data: bool = True
    submits: tuple[str, ...] = ()
    needs: Callable[[JsonObject, int, int], Needs] = table_needs
    module: str = ""

    def result_run_id(self, run: Run) -> str:
        """Return the id of the run that `page` has to open to show the result of `run`."""
        return run.id if self.subject is None else str(run.settings[self.subject])


class _TaskRegistry(Registry[TaskSpec]):
    """The specs of all modules in the task packages, then those that extensions added."""

    def __getitem__(self, name: str) -> TaskSpec:
        for package in get_settings().task_packages:
            spec = _spec(package, name)
            if spec is not None:
                return spec
        return super().__getitem__(name)

    def __iter__(self) -> Iterator[str]:
        names = [
            item.name
            for package in get_settings().task_packages
            for item in pkgutil.iter_modules(importlib.import_module(package).__path__)
            if _spec(package, item.name) is not None
        ]
        return iter(dict.fromkeys([*names, *super().__iter__()]))

    def __len__(self) -> int:
        return len(list(iter(self)))


TASKS = _TaskRegistry("task", [])
"""All kinds of run by name."""


def _spec(package: str, name: str) -> TaskSpec | None:
    module = _find_module(f"{package}.{name}") if re.fullmatch(r"[a-z][a-z0-9_]*", name) else None
    spec: TaskSpec | None = getattr(module, "SPEC", None)
    if spec is not None and spec.name != name:
        raise ValueError(f"The task in {package}.{name} is named '{spec.name}'; the names must be equal.")
    return spec


@lru_cache(maxsize=256)
def _find_module(name: str) -> ModuleType | None:
    return None if importlib.util.find_spec(name) is None else importlib.import_module(name)


@lru_cache(maxsize=64)
def load(task: str) -> ModuleType:
    """Return a task's module. Tasks import what is heavy inside ``run``, so this is cheap in any process.

    Raises
    ------
    JobError
        When the task is unknown.
    """
    for package in get_settings().task_packages:
        if _spec(package, task) is not None:
            return importlib.import_module(f"{package}.{task}")
    if task in TASKS:
        return importlib.import_module(TASKS[task].module)
    raise JobError(f"Unknown task '{task[:80]}'.", unknown_name(task, TASKS))


def task_spec(task: str) -> TaskSpec:
    """Return what is known of a kind of run; of a task that no longer exists, only its name.

    Old runs of such a task can be looked at, but not resumed, stopped or repeated.

    Examples
    --------
    >>> task_spec("ingest").title, task_spec("no_longer_there").title
    ('Import', 'no_longer_there')
    """
    return TASKS.get(task) or TaskSpec(name=task, title=task, repeatable=False)
