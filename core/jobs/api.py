"""Functions with which pages, scripts and tests start, watch and end runs."""

from __future__ import annotations

import time
from pathlib import Path

from pydantic import BaseModel

from core.access import Access, Role, limits, require_feature
from core.catalog import ACTIVE, Run, RunEvent, RunState, artifacts, claims, datasets, queue, runs, usage
from core.catalog import events as event_log
from core.errors import JobError, NotFoundError
from core.jobs import engine
from core.jobs.context import run_dir
from core.jobs.needs import Needs
from core.jobs.processes import host_id
from core.jobs.run_log import stored_tail, tail
from core.jobs.run_rows import new_run
from core.jobs.scheduler import request_cancel, tick
from core.jobs.sweeper import has_working_files
from core.jobs.task_specs import task_spec
from core.jsonable import JsonObject
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
    "waits_for_own",
]


def submit(
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
) -> str:
    """Queue a run, and start it unless too many are running.

    Parameters
    ----------
    task : str
        Name of a kind of run, a key of `TASKS`.
    settings : mapping or pydantic model
        Settings of the task; stored with the run as JSON.
    dataset : str, optional
        Id of the dataset that it works on.
    access : Access
        The workspace, and who acts in it.
    title : str, default=""
        Title in lists of runs.
    timeout_s : float, optional
        Limit of the working time of all attempts together (seconds); neither the queue nor a suspension of the computer
        counts. By default ``PLUMBLINE_RUN_TIMEOUT_S``; at most what a workspace may take (`core.access.limits`).
    memory_limit_mb : int, optional
        Memory limit of the whole process tree (MB); by default ``PLUMBLINE_MEMORY_LIMIT_MB``.
    parent : str, optional
        Id of the run that it works for. When that one is cancelled or ends in any way, so does this one; a parent that
        is interrupted and continues keeps it.
    needs : Needs, optional
        Resources of the machine that an engine looks for; by default they are estimated (`estimate_needs`).

    Returns
    -------
    str
        Id of the run.

    Raises
    ------
    JobError
        When the task is unknown.
    LimitError
        When the workspace has stored as much as it may, or as many of its runs wait as may, or no node of the engine
        can hold the run.
    NotFoundError
        When the workspace does not have the parent, or never had the dataset.
    """
    run = new_run(
        task,
        settings,
        dataset=dataset,
        title=title,
        timeout_s=timeout_s,
        memory_limit_mb=memory_limit_mb,
        parent=parent,
        needs=needs,
        access=access,
    )
    if run.lane in engine.engine_lanes():
        engine.require_node(engine.needs_of(run))
    if parent is not None:
        runs.get(parent, access=access)
    usage.require_room(access=access)
    _check_dataset(dataset, access=access)
    runs.add(run, waiting_limit=limits().queued, access=access)
    tick()
    return run.id


def _check_dataset(dataset_id: str | None, *, access: Access) -> None:
    """Refuse a dataset that the workspace never had; one that was deleted may be named by runs on what is left."""
    if dataset_id is not None and not runs.find(dataset_id=dataset_id, limit=1, access=access):
        datasets.get(dataset_id, access=access)


def get(run_id: str, *, access: Access) -> Run:
    """Return a run in its current state.

    Raises
    ------
    NotFoundError
        When the workspace does not have this run.
    """
    return runs.get(run_id, access=access)


def cancel(run_id: str, *, access: Access) -> Run:
    """End a run with all that work for it, and discard its work.

    A run that is cancelled already or has ended is not changed.

    Raises
    ------
    DeniedError
        When the person may only look at the workspace.
    """
    access.require(Role.EDITOR)
    request_cancel(runs.get(run_id, access=access), by=access)
    tick()
    return runs.get(run_id, access=access)


def stop(run_id: str, *, access: Access) -> Run:
    """Ask a run to end early and keep what it has. A queued run is cancelled.

    Raises
    ------
    JobError
        When its task has nothing to keep before its end.
    """
    access.require(Role.EDITOR)
    run = runs.get(run_id, access=access)
    if not task_spec(run.task).stoppable:
        raise JobError(f"A run of '{run.task}' has nothing to keep before its end.", "Cancel it instead.")
    if run.state is RunState.QUEUED:
        return cancel(run_id, access=access)
    runs.set_fields(run_id, ACTIVE, stop_requested_at=time.time(), action="stop", access=access)
    return runs.get(run_id, access=access)


def resume(run_id: str, *, access: Access) -> Run:
    """Queue an ended run again; it continues from what its last attempt left.

    One that reached its time limit gets the same time once more: its work is not lost because of a limit that was set
    before anyone knew how long it takes.

    Raises
    ------
    JobError
        When its task cannot be resumed, or the run has not ended, or it succeeded.
    """
    access.require(Role.EDITOR)
    run = runs.get(run_id, access=access)
    if not resumable(run, access=access) or not claims.requeue(run_id, waiting_limit=limits().queued, access=access):
        raise JobError(
            f"Run '{run_id}' ({run.task}, {run.state.lower()}) cannot be resumed.",
            "Repeat it with the same settings instead.",
        )
    tick()
    return runs.get(run_id, access=access)


def repeat(run_id: str, *, access: Access) -> str:
    """Start a new run with the task, settings, dataset and limits of an earlier one, and return its id.

    Raises
    ------
    JobError
        When its input no longer exists (an upload is read once).
    """
    run = runs.get(run_id, access=access)
    if not repeatable(run):
        raise JobError(f"A run of '{run.task}' cannot be repeated.", "Start a new one from its page.")
    return submit(
        run.task,
        run.settings,
        dataset=run.dataset_id,
        title=run.title,
        timeout_s=run.timeout_s,
        memory_limit_mb=run.memory_limit_mb,
        needs=engine.needs_of(run) if run.needs_mb else None,
        access=access,
    )


def repeatable(run: Run) -> bool:
    """Return whether `repeat` would work."""
    return task_spec(run.task).repeatable


def resumable(run: Run, *, access: Access) -> bool:
    """Return whether `resume` would work."""
    return run.state.terminal and has_working_files(run) and not _parent_ended(run, access=access)


def _parent_ended(run: Run, *, access: Access) -> bool:
    """Return whether a run worked for one that has ended, or is gone: it would be cancelled at once."""
    if not run.parent_id:
        return False
    try:
        return runs.get(run.parent_id, access=access).state.terminal
    except NotFoundError:
        return True


def stoppable(run: Run) -> bool:
    """Return whether `stop` would make the run end early with what it has."""
    return run.state in ACTIVE and run.stop_requested_at is None and task_spec(run.task).stoppable


def queue_position(run: Run) -> int | None:
    """Return how many runs start until a queued run has, itself included, 1 for the next; otherwise None.

    Workspaces take turns, so that it may grow when others, which have had no turn for longer, start something.
    """
    return queue.position(run)


def waits_for_own(run: Run, *, access: Access) -> bool:
    """Return whether a queued run waits for another run of its own workspace, which has as many at work as it may."""
    allowed = limits()
    limit = allowed.running_short if run.lane == "short" else allowed.running
    if limit is None or run.state is not RunState.QUEUED or run.parent_id:
        return False
    active = runs.find(states=ACTIVE, access=access)
    return sum(other.lane == run.lane and other.id != run.id for other in active) >= limit


def wait(run_id: str, timeout: float | None = None, *, access: Access) -> Run:
    """Wait until a run has ended, and return it.

    Raises
    ------
    TimeoutError
        When it has not ended after `timeout` seconds; the run continues.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    while not (run := runs.get(run_id, access=access)).state.terminal:
        if deadline is not None and time.monotonic() > deadline:
            raise TimeoutError(f"Run '{run_id}' is still {run.state} after {timeout} s.")
        tick()
        time.sleep(0.1)
    return run


def events(run_id: str, *, after: int = 0, phase: str | None = None, access: Access) -> list[RunEvent]:
    """Return what the run has reported, in order; only events with an id above `after`."""
    runs.get(run_id, access=access)
    return event_log.read(run_id, after=after, phase=phase, access=access)


def log(run_id: str, *, tail_bytes: int = 64_000, access: Access) -> str:
    """Return the end of the run's log, at most `tail_bytes` bytes of it.

    That of a run of another host is up to date within some seconds, if both use one storage (``PLUMBLINE_STORAGE``).
    Of a run that an engine could not start, it is what its job wrote.
    """
    require_feature("server_facts")
    run, own = runs.get(run_id, access=access), tail(run_dir(run_id), tail_bytes)
    if own and run.host_id in ("", host_id()):
        return own
    text = stored_tail(run_id, tail_bytes, access=access) or own or engine.job_log(run, tail_bytes)
    if not text and run.state in ACTIVE:
        return "This run works on another computer, and its log has nothing yet."
    return text


def artifact_path(run_id: str, name: str, *, access: Access) -> Path:
    """Return a local, read-only file with the content of a run's artifact.

    Raises
    ------
    NotFoundError
        When the run has no artifact of this name.
    """
    return get_store().local_path(artifacts.get(run_id, name, access=access).digest)
