"""Schedules: runs that start by themselves. They know tasks by name only; `tick` starts those that are due."""

from __future__ import annotations

import time
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from core.access import Access, Role, require_feature
from core.catalog import Run, RunEvent, Schedule, datasets, runs, schedules
from core.errors import InputError, NotFoundError, PlumblineError
from core.jobs.run_rows import new_run
from core.jobs.task_specs import load
from core.jobs.timing import MOST_COUNTED, DueTimes, Timing
from core.jsonable import JsonObject

__all__ = ["add_schedule", "change_schedule", "fire_due", "timing_of"]

_LATE_S = 60.0
"""Seconds from which on a run that is started late counts as missed: a server looks several times per minute."""


def add_schedule(
    task: str,
    settings: JsonObject | BaseModel,
    timing: Timing,
    *,
    title: str,
    dataset: str | None = None,
    access: Access,
) -> Schedule:
    """Start runs of a task by a schedule, from the next time on.

    Each time starts one run, whichever process comes first. Where several times have passed while no process was there,
    one run starts for all of them, and they are counted (`Schedule.missed`). While the run before still works, no other
    one starts, and the times are counted (`Schedule.skipped`).

    Parameters
    ----------
    task : str
        Name of a kind of run, a key of `TASKS`.
    settings : mapping or pydantic model
        Settings of the runs.
    timing : Timing
        Times at which runs start.
    title : str
        Title of the schedule and of its runs.
    access : Access
        The workspace, and who acts in it.
    dataset : str, optional
        Id of the dataset that the runs work on.

    Raises
    ------
    InputError
        When the title is empty or longer than 200 characters.
    JobError
        When the task is unknown.
    """
    require_feature("schedules")
    load(task)
    if dataset is not None:
        datasets.get(dataset, access=access)
    return schedules.add(
        Schedule(
            workspace=access.workspace,
            title=_checked(title),
            task=task,
            settings=settings.model_dump(mode="json") if isinstance(settings, BaseModel) else dict(settings),
            dataset_id=dataset,
            next_at=timing.next_time(time.time()),
            who=access.actor[:200],
            **timing.model_dump(),
        ),
        access=access,
    )


def change_schedule(
    schedule_id: str,
    *,
    timing: Timing | None = None,
    settings: JsonObject | BaseModel | None = None,
    title: str | None = None,
    enabled: bool | None = None,
    access: Access,
) -> Schedule:
    """Change a schedule, and return it. What is not given stays.

    Times that pass while a schedule is disabled do not count as missed.

    Parameters
    ----------
    schedule_id : str
        Id of the schedule.
    access : Access
        The workspace, and who acts in it.
    timing : Timing, optional
        Times at which runs start.
    settings : mapping or pydantic model, optional
        Settings of the runs.
    title : str, optional
        Title of the schedule and of its runs.
    enabled : bool, optional
        Whether runs start.

    Raises
    ------
    InputError
        When the title is empty or longer than 200 characters.
    NotFoundError
        When the workspace does not have this schedule.
    """
    require_feature("schedules")
    stored = schedules.get(schedule_id, access=access)
    fields: JsonObject = {}
    if title is not None:
        fields["title"] = _checked(title)
    if settings is not None:
        fields["settings"] = settings.model_dump(mode="json") if isinstance(settings, BaseModel) else dict(settings)
    if timing is not None:
        fields |= timing.model_dump()
    if enabled is not None:
        fields |= {"enabled": enabled, "problem": ""}
    if timing is not None or (enabled and not stored.enabled):
        fields["next_at"] = (timing or timing_of(stored)).next_time(time.time())
    return schedules.update(schedule_id, **fields, access=access) if fields else stored


def timing_of(schedule: Schedule) -> Timing:
    """Return when the runs of a schedule start.

    Raises
    ------
    SettingsError
        When this installation cannot use it, such as a time zone that it does not know.
    """
    return Timing(cron=schedule.cron, interval_s=schedule.interval_s, time_zone=schedule.time_zone)


def fire_due(now: float) -> None:
    """Queue the runs of all schedules whose time has come, each once. Cheap when there are none."""
    for schedule in schedules.due(now):
        try:
            timing = timing_of(schedule)
            times = timing.due_times(schedule.next_at or now, now)
        except PlumblineError as error:  # as after a change of the installation: it waits for a user
            schedules.take(schedule, at=now, next_at=None, problem=str(error))
            continue
        _fire(schedule, times, now)


def _fire(schedule: Schedule, times: DueTimes, now: float) -> None:
    if _works(schedule):
        problem = f"No run started for {_clock(times.last, schedule.time_zone)}: the run before had not ended."
        schedules.take(schedule, at=now, next_at=times.following, skipped=times.passed, problem=problem)
        return
    missed = times.passed if times.passed > 1 or now - times.last > _LATE_S else 0
    try:
        run = new_run(
            schedule.task,
            schedule.settings,
            dataset=schedule.dataset_id,
            title=schedule.title + (f" (after {_missed(missed)})" if missed else ""),
            access=Access(schedule.workspace, Role.EDITOR, schedule.who),
        )
    except PlumblineError as error:  # such as a task of an extension that is no longer there
        schedules.take(schedule, at=now, next_at=times.following, missed=missed, problem=str(error))
        return
    event = _event(run, schedule, times, missed)
    schedules.take(schedule, at=now, next_at=times.following, missed=missed, run=run, event=event)


def _works(schedule: Schedule) -> bool:
    """Return whether the last run of a schedule has not ended."""
    if not schedule.last_run_id:
        return False
    try:
        return not runs.get(schedule.last_run_id, access=Access.engine(schedule.workspace)).state.terminal
    except NotFoundError:  # it was deleted
        return False


def _event(run: Run, schedule: Schedule, times: DueTimes, missed: int) -> RunEvent:
    message = f"Started by the schedule '{schedule.title}' for {_clock(times.last, schedule.time_zone)}."
    if missed:
        message += f" {_missed(missed).capitalize()}: Plumbline was not running. This run is for all of them."
    return RunEvent(
        workspace=run.workspace,
        run_id=run.id,
        phase="schedule",
        message=message,
        values={"schedule": schedule.id, "due_at": times.last, "missed": missed},
    )


def _missed(count: int) -> str:
    least = "at least " if count == MOST_COUNTED else ""
    return f"{least}{count:,} missed {'time' if count == 1 else 'times'}"


def _clock(at: float, time_zone: str) -> str:
    return f"{datetime.fromtimestamp(at, ZoneInfo(time_zone)):%d %b %Y, %H:%M} ({time_zone})"


def _checked(title: str) -> str:
    title = title.strip()
    if not title or len(title) > 200:
        raise InputError(f"'{title[:40]}' is not a usable title.", "Choose a title of 1 to 200 characters.")
    return title
