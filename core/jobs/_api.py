"""What pages, scripts and tests do with runs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from core.catalog import ACTIVE, TERMINAL, Run, RunEvent, RunState, artifacts, runs
from core.catalog import events as event_log
from core.errors import JobError
from core.jobs._context import run_dir
from core.jobs._log import tail
from core.jobs._scheduler import requeue, tick
from core.jobs._tasks import load, task_spec
from core.settings import get_settings
from core.storage import get_store

__all__ = [
    "artifact_path",
    "cancel",
    "events",
    "get",
    "log",
    "queue_position",
    "repeat",
    "repeatable",
    "resumable",
    "resume",
    "stop",
    "stoppable",
    "submit",
    "wait",
]


def submit(
    task: str,
    settings: Mapping[str, Any] | BaseModel,
    *,
    dataset: str | None = None,
    workspace: str,
    title: str = "",
    timeout_s: float | None = None,
    memory_limit_mb: int | None = None,
) -> str:
    """Queue a run and start it if there is room.

    Parameters
    ----------
    task : str
        Name of a kind of run, a key of `TASKS`.
    settings : mapping or pydantic model
        Stored with the run as JSON, and handed to the task.
    dataset : str, optional
        Id of the dataset it works on.
    workspace : str
        Whose run it is.
    title : str
        How people recognise it.
    timeout_s : float, optional
        Hard limit in seconds of work, over all attempts; default ``PLUMBLINE_RUN_TIMEOUT_S``.
    memory_limit_mb : int, optional
        Limit of the whole process tree, MB; default ``PLUMBLINE_MEMORY_LIMIT_MB``.

    Returns
    -------
    str
        The run's id.

    Raises
    ------
    JobError
        When the task is unknown.
    """
    load(task)
    installed = get_settings()
    run = runs.add(
        Run(
            workspace=workspace,
            task=task,
            lane=task_spec(task).lane,
            title=title[:300],
            dataset_id=dataset,
            settings=settings.model_dump(mode="json") if isinstance(settings, BaseModel) else dict(settings),
            timeout_s=installed.run_timeout_s if timeout_s is None else timeout_s,
            memory_limit_mb=installed.memory_limit_mb if memory_limit_mb is None else memory_limit_mb,
        )
    )
    tick()
    return run.id


def get(run_id: str, *, workspace: str) -> Run:
    """Return a run as it stands now.

    Raises
    ------
    NotFoundError
        When this workspace has no such run.
    """
    return runs.get(run_id, workspace)


def cancel(run_id: str, *, workspace: str) -> Run:
    """End a run and keep nothing of it. Calling it again, or on a run that has ended, changes nothing."""
    now = time.time()
    runs.get(run_id, workspace)
    while not (  # between two of these questions it may have started, ended, or been queued again
        runs.change_state(run_id, [RunState.QUEUED], RunState.CANCELLED, cancel_requested_at=now, finished_at=now)
        or runs.set_fields(run_id, ACTIVE, cancel_requested_at=now)
        or runs.get(run_id, workspace).state.terminal
    ):
        pass
    tick()
    return runs.get(run_id, workspace)


def stop(run_id: str, *, workspace: str) -> Run:
    """Ask a run to end soon and keep what it has; a queued one is cancelled.

    Raises
    ------
    JobError
        When its task has nothing to keep before its end.
    """
    run = runs.get(run_id, workspace)
    if not task_spec(run.task).stoppable:
        raise JobError(f"A run of '{run.task}' has nothing to keep before its end.", "Cancel it instead.")
    if run.state is RunState.QUEUED:
        return cancel(run_id, workspace=workspace)
    runs.set_fields(run_id, ACTIVE, stop_requested_at=time.time())
    return runs.get(run_id, workspace)


def resume(run_id: str, *, workspace: str) -> Run:
    """Queue an ended run again; it goes on from what its last attempt left.

    Raises
    ------
    JobError
        When its task cannot go on, or the run has not ended, or it succeeded.
    """
    run = runs.get(run_id, workspace)
    if not resumable(run) or not requeue(run_id):
        raise JobError(
            f"Run '{run_id}' ({run.task}, {run.state.lower()}) cannot be resumed.",
            "Repeat it with the same settings instead.",
        )
    tick()
    return runs.get(run_id, workspace)


def repeat(run_id: str, *, workspace: str) -> str:
    """Start a new run with an earlier one's task, settings, dataset and limits; returns the new id.

    Raises
    ------
    JobError
        When what it worked on is gone by its nature (an upload is read once).
    """
    run = runs.get(run_id, workspace)
    if not repeatable(run):
        raise JobError(f"A run of '{run.task}' cannot be repeated.", "Start a new one from its page.")
    return submit(
        run.task,
        run.settings,
        dataset=run.dataset_id,
        workspace=workspace,
        title=run.title,
        timeout_s=run.timeout_s,
        memory_limit_mb=run.memory_limit_mb,
    )


def repeatable(run: Run) -> bool:
    """Tell whether `repeat` would work."""
    return task_spec(run.task).repeatable


def resumable(run: Run) -> bool:
    """Tell whether `resume` would work."""
    # The limit of time holds over all attempts: a run that reached it has none left.
    ended = TERMINAL - {RunState.SUCCEEDED, RunState.TIMED_OUT}
    return run.state in ended and task_spec(run.task).resumable


def stoppable(run: Run) -> bool:
    """Tell whether `stop` would make the run end early with what it has."""
    return run.state in ACTIVE and run.stop_requested_at is None and task_spec(run.task).stoppable


def queue_position(run: Run) -> int | None:
    """Return a queued run's place in the queue of the whole installation, 1 being next; else None."""
    return runs.queue_position(run)


def wait(run_id: str, timeout: float | None = None, *, workspace: str) -> Run:
    """Wait until a run has ended, and return it.

    Raises
    ------
    TimeoutError
        When it has not ended after `timeout` seconds; the run goes on.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    while not (run := runs.get(run_id, workspace)).state.terminal:
        if deadline is not None and time.monotonic() > deadline:
            raise TimeoutError(f"Run '{run_id}' is still {run.state} after {timeout} s.")
        tick()
        time.sleep(0.1)
    return run


def events(run_id: str, *, after: int = 0, phase: str | None = None, workspace: str) -> list[RunEvent]:
    """Return what the run reported so far, in order; only what came after event `after`."""
    runs.get(run_id, workspace)
    return event_log.read(run_id, workspace, after=after, phase=phase)


def log(run_id: str, *, tail_bytes: int = 64_000, workspace: str) -> str:
    """Return the end of the run's log, at most `tail_bytes` bytes of it."""
    runs.get(run_id, workspace)
    return tail(run_dir(run_id), tail_bytes)


def artifact_path(run_id: str, name: str, *, workspace: str) -> Path:
    """Return a local, read-only file with the content of a run's artifact.

    Raises
    ------
    NotFoundError
        When the run has none of this name.
    """
    return get_store().local_path(artifacts.get(run_id, name, workspace).digest)
