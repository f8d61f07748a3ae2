"""The closed list of what a sandboxed worker may have done with the catalog, and the check before each change.

Each operation is a function that tasks call anyway, by the module that it belongs to. It is always called with the
access to the run's own workspace, whatever the worker says.
"""

from __future__ import annotations

import inspect
import time
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from core.catalog import (
    alerts,
    approvals,
    artifacts,
    components,
    datasets,
    events,
    models,
    monitor_plans,
    runs,
    steps,
    versions,
)
from core.errors import DeniedError, JobError
from core.jobs import api, scheduler
from core.jobs.sandbox.grant import Grant
from core.jobs.task_specs import task_spec

__all__ = ["OPERATIONS", "Operation"]

Arguments = Mapping[str, Any]
_OWN_FIELDS = {"title", "dataset_id"}
_CLOCK_S = 3_600.0


@dataclass(frozen=True)
class Operation:
    """A function that a sandboxed worker may call.

    Parameters
    ----------
    function : callable
        The function.
    check : callable, optional
        Raises an error where this run may not call it with these arguments.
    """

    function: Callable[..., Any]
    check: Callable[[Grant, Arguments], None] | None = None

    @property
    def name(self) -> str:
        """Name by which the worker asks for it."""
        return f"{self.function.__module__}:{self.function.__name__}"

    def call(self, grant: Grant, args: tuple[Any, ...], kwargs: dict[str, Any], actor: str) -> Any:
        """Check the arguments, call the function, and return what it returns.

        Raises
        ------
        JobError
            When the arguments are not those of the function.
        DeniedError
            When the run may not do this.
        """
        signature, adapters = self.signature()
        if "access" in signature.parameters:
            kwargs = {**kwargs, "access": grant.access(actor)}
        try:
            bound = signature.bind(*args, **kwargs)
            for name, adapter in adapters.items():
                if name in bound.arguments:
                    adapter.validate_python(bound.arguments[name])
        except (TypeError, ValidationError) as error:
            raise JobError(f"The arguments of '{self.name}' are damaged.") from error
        if self.check is not None:
            self.check(grant, bound.arguments)
        value = self.function(*bound.args, **bound.kwargs)
        grant.note(value)
        return value

    def signature(self) -> tuple[inspect.Signature, dict[str, TypeAdapter[Any]]]:
        """Return the function's signature, and what validates each parameter but the access."""
        return _signature(self.function)


@lru_cache(maxsize=128)
def _signature(function: Callable[..., Any]) -> tuple[inspect.Signature, dict[str, TypeAdapter[Any]]]:
    """Return a function's signature, and what validates its parameters."""
    signature = inspect.signature(function)
    hints = typing.get_type_hints(function)
    adapters: dict[str, TypeAdapter[Any]] = {}
    for name, parameter in signature.parameters.items():
        if name == "access":
            continue
        hint = _concrete(hints[name])
        if parameter.kind is parameter.VAR_KEYWORD:
            hint = dict[str, hint]  # type: ignore[valid-type]
        elif parameter.kind is parameter.VAR_POSITIONAL:
            hint = tuple[hint, ...]  # type: ignore[valid-type]
        adapters[name] = TypeAdapter(hint)
    return signature, adapters


def _concrete(hint: Any) -> Any:
    """Return the types that a collection of values arrives in."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return typing.Union[tuple(map(_concrete, typing.get_args(hint)))]  # noqa: UP007  (of types that are known now)
    if origin in (Collection, Iterable):
        (item,) = typing.get_args(hint)
        return list[item] | tuple[item, ...] | set[item]  # type: ignore[valid-type]
    return hint


def _own_fields(grant: Grant, given: Arguments) -> None:
    fields = given.get("fields", {})
    if given["run_id"] != grant.run.id or not fields.keys() <= _OWN_FIELDS:
        raise DeniedError("A sandboxed run may change its own title and dataset only.")


def _own_artifact(grant: Grant, given: Arguments) -> None:
    grant.require_workspace(given["artifact"])
    if given["artifact"].name.startswith("."):
        raise DeniedError("Files whose name begins with a dot are the run engine's own.")
    grant.require_run(given["artifact"].run_id)
    grant.require_contents(given["artifact"])


def _own_step(grant: Grant, given: Arguments) -> None:
    grant.require_workspace(given["step"])
    grant.require_step(given["step"])


def _changed_step(grant: Grant, given: Arguments) -> None:
    step = steps.get(given["step_id"], access=grant.access(""))
    grant.require_step(step)
    grant.require_contents(given.get("fields", {}).get("outputs"))


def _own_alert(grant: Grant, given: Arguments) -> None:
    grant.require_workspace(given["alert"])
    if given["alert"].run_id != grant.run.id:
        raise DeniedError("A sandboxed run may raise alerts of its own only.")
    if not abs(given["alert"].raised_at - time.time()) < _CLOCK_S:  # it would be sent before all others, or never
        raise DeniedError("A sandboxed run may raise alerts of now only.")


def _dataset(name: str) -> Callable[[Grant, Arguments], None]:
    def check(grant: Grant, given: Arguments) -> None:
        grant.require_workspace(given[name])
        grant.require_contents(given[name])

    return check


def _submitted(grant: Grant, given: Arguments) -> None:
    if given["task"] not in task_spec(grant.run.task).submits:
        raise DeniedError(f"A run of '{grant.run.task}' does not start runs of '{given['task'][:80]}'.")
    if given.get("parent") is None:
        grant.pass_on(given["settings"])
    elif given["parent"] != grant.run.id:
        raise DeniedError("A sandboxed run may start runs for itself only.")


OPERATIONS = {
    operation.name: operation
    for operation in (
        # What reads rows of the workspace.
        Operation(approvals.approved),
        Operation(artifacts.find),
        Operation(artifacts.get),
        Operation(artifacts.run_with),
        Operation(components.get),
        Operation(components.names),
        Operation(components.versions),
        Operation(datasets.find),
        Operation(datasets.get),
        Operation(datasets.is_used),
        Operation(datasets.kept_bytes),
        Operation(datasets.with_fingerprint),
        Operation(events.read),
        Operation(models.aliases),
        Operation(models.find),
        Operation(models.get),
        Operation(models.history),
        Operation(models.of_run),
        Operation(models.version),
        Operation(models.version_by_id),
        Operation(models.version_title),
        Operation(models.versions),
        Operation(monitor_plans.compared),
        Operation(monitor_plans.get),
        Operation(runs.children),
        Operation(runs.find),
        Operation(runs.get),
        Operation(steps.latest_by_key),
        Operation(steps.latest_of_path),
        Operation(steps.of_run),
        Operation(versions.find),
        # What adds to the run, or is made by it.
        Operation(events.append, lambda grant, given: grant.require_run(given["run_id"])),
        Operation(alerts.add, _own_alert),
        Operation(runs.set_fields, _own_fields),
        Operation(runs.add, lambda grant, given: grant.require_new_run(given["run"])),
        Operation(artifacts.add, _own_artifact),
        Operation(datasets.add, _dataset("dataset")),
        Operation(datasets.replace, _dataset("dataset")),
        Operation(versions.add, _dataset("version")),
        Operation(models.add_version, lambda grant, given: grant.require_version(given["version"])),
        Operation(models.point),
        Operation(steps.add, _own_step),
        Operation(steps.update, _changed_step),
        # What starts and ends the runs that work for it.
        Operation(api.submit, _submitted),
        Operation(api.cancel, lambda grant, given: grant.require_child(given["run_id"])),
        Operation(scheduler.tick),
    )
}
"""All operations by name."""
