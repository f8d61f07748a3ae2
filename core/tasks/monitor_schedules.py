"""Schedules that look for new batches of a model, and checks in between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core import jobs
from core.access import Access
from core.batch_sources import SOURCE_KINDS, check_source, source_settings
from core.catalog import Model, Run, Schedule, models, runs, schedules
from core.catalog.row import new_id
from core.checked import CheckedSettings
from core.errors import DeniedError, not_found, shortened
from core.jobs import Timing
from core.settings import get_settings

__all__ = ["add_schedule", "change_schedule", "check_now", "last_check", "schedules_of", "shown_source"]

_TASK = "monitor_check"


def schedules_of(model_id: str, *, access: Access) -> list[Schedule]:
    """Return the schedules that look for batches of a model, the first one that was made first."""
    listed = schedules.find(task=_TASK, access=access)
    return [schedule for schedule in listed if schedule.settings["model"] == model_id]


def shown_source(schedule: Schedule) -> str:
    """Return where the batches of a schedule come from."""
    kind = schedule.settings["kind"]
    return SOURCE_KINDS.require(kind).shown(source_settings(kind, schedule.settings["values"]))


def add_schedule(model_id: str, kind: str, values: Mapping[str, Any], timing: Timing, *, access: Access) -> Schedule:
    """Look for new batches of a model by a schedule. Its champion, or else its newest version, scores them.

    Parameters
    ----------
    model_id : str
        The model.
    kind : str
        Kind of the source, a key of `SOURCE_KINDS`.
    values : mapping
        Settings of the source.
    timing : Timing
        Times at which checks start.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    DeniedError
        When the source may not be read here.
    NotFoundError
        When the workspace does not have this model.
    PlumblineError
        When a value cannot be used, or a credential or package is missing.
    """
    model = models.get(model_id, access=access)
    if get_settings().sandbox != "off":
        raise DeniedError(
            "Runs work in a sandbox here, without the network and without files of the server.",
            "Bring batches as files or datasets. Whoever runs the server can turn the sandbox off.",
        )
    checked = check_source(kind, values, workspace=access.workspace)
    settings = {"model": model.id, "source": new_id(), "kind": kind, "values": checked.model_dump(mode="json")}
    return jobs.add_schedule(_TASK, settings, timing, title=_title(model, kind, checked), access=access)


def change_schedule(schedule_id: str, values: Mapping[str, Any], timing: Timing, *, access: Access) -> Schedule:
    """Change where and when new batches are looked for. What was seen before stays known while the place is the same.

    Parameters
    ----------
    schedule_id : str
        Id of the schedule.
    values : mapping
        Settings of the source.
    timing : Timing
        Times at which checks start.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    DeniedError
        When the source may not be read here.
    NotFoundError
        When the workspace does not have this schedule.
    PlumblineError
        When a value cannot be used, or a credential or package is missing.
    """
    schedule = schedules.get(schedule_id, access=access)
    if schedule.task != _TASK:
        raise not_found("schedule", schedule_id, "The tab Monitor of a model lists its schedules.")
    before, kind = schedule.settings, schedule.settings["kind"]
    checked = check_source(kind, values, workspace=access.workspace).model_dump(mode="json")
    identity = SOURCE_KINDS.require(kind).identity
    moved = any(checked[name] != before["values"].get(name) for name in identity)
    settings = {**before, "source": new_id() if moved else before["source"], "values": checked}
    model = models.get(before["model"], access=access)
    title = _title(model, kind, source_settings(kind, checked))
    return jobs.change_schedule(schedule_id, settings=settings, timing=timing, title=title, access=access)


def _title(model: Model, kind: str, source: CheckedSettings) -> str:
    return shortened(f"Batches of {model.name}: {SOURCE_KINDS[kind].shown(source)}", 200)


def check_now(schedule_id: str, *, access: Access) -> str:
    """Queue a check of the source of a schedule, and return the run's id.

    Raises
    ------
    NotFoundError
        When the workspace does not have this schedule.
    """
    schedule = schedules.get(schedule_id, access=access)
    return jobs.submit(schedule.task, schedule.settings, title=schedule.title, access=access)


def last_check(schedule: Schedule, *, access: Access) -> Run | None:
    """Return the newest check of the source of a schedule, also one that a person started; None before the first."""
    source = schedule.settings.get("source")
    if source is None:  # it starts something else
        return None
    checks = runs.find(task=_TASK, settings_name=source, limit=20, access=access)
    return next((run for run in checks if run.settings["source"] == source), None)
