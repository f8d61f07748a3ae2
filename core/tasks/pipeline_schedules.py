"""Schedules of saved pipelines: their runs take the file as it is saved."""

from __future__ import annotations

from collections.abc import Mapping

from core import jobs
from core.access import Access
from core.catalog import SavedPipeline, Schedule, saved_pipelines, schedules
from core.jobs import Timing
from core.jsonable import JsonObject
from core.tasks import pipeline

__all__ = ["add_schedule", "schedules_of", "update_schedules"]


def schedules_of(saved: SavedPipeline, *, access: Access) -> list[Schedule]:
    """Return the schedules of a saved pipeline, the first one that was made first."""
    return [item for item in schedules.find(task="pipeline", access=access) if item.settings["saved"] == saved.id]


def add_schedule(
    saved: SavedPipeline,
    timing: Timing,
    *,
    inputs: Mapping[str, object] | None = None,
    access: Access,
) -> Schedule:
    """Run a saved pipeline by a schedule.

    Parameters
    ----------
    saved : SavedPipeline
        The pipeline.
    timing : Timing
        Times at which runs start.
    inputs : dict of str to object, optional
        Values by the name of an input; the id of a dataset for data.
    access : Access
        The workspace, and who acts in it.
    """
    saved = saved_pipelines.get(saved.id, access=access)
    return jobs.add_schedule("pipeline", _settings(saved, inputs or {}), timing, title=saved.name, access=access)


def update_schedules(saved: SavedPipeline, *, access: Access) -> None:
    """Let the next runs of a pipeline's schedules take its present text, files and name; call it after each change."""
    for schedule in schedules_of(saved, access=access):
        settings = _settings(saved, schedule.settings["inputs"])
        jobs.change_schedule(schedule.id, settings=settings, title=saved.name, access=access)


def _settings(saved: SavedPipeline, inputs: Mapping[str, object]) -> JsonObject:
    return pipeline.settings_of(saved.text, files=saved.files, inputs=inputs, saved=saved.id)
