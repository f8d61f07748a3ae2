"""Starts runs that wait, and recovers runs that were lost. Any number of processes may do so at the same time."""

from __future__ import annotations

import contextlib
import os
import time

import psutil

from core.access import INSTALLATION, Access
from core.catalog import ACTIVE, TERMINAL, Run, RunState, runs
from core.catalog.engine import reading
from core.jobs import launch, processes, reserve
from core.jobs.context import run_dir
from core.jobs.run_log import LOG_NAME
from core.jobs.schedules import fire_due
from core.jobs.task_specs import task_spec
from core.settings import get_settings

__all__ = ["request_cancel", "requeue", "tick"]


def tick() -> None:
    """Recover lost runs, end those whose parent ended, queue those that are due, start waiting ones up to the limits.

    Cheap when there are none.
    """
    launch.reap()
    for run in runs.lapsed(time.time()):
        _recover(run)
    while left_alone := [run for run, parent in runs.left_alone() if parent is None or not _continues(parent)]:
        for run in left_alone:
            request_cancel(run)
    fire_due(time.time())
    settings = get_settings()
    # Lanes of their own, so that an import does not wait half an hour for a search, nor a step for its pipeline.
    for lane, limit, children_wait in (
        ("short", settings.max_running_short, True),
        ("long", settings.max_running, True),
        ("pipeline", settings.max_running_pipelines, False),
    ):
        while claimed := runs.claim_next(lane, limit, settings.lease_s, children_wait=children_wait):
            _start(claimed)


def request_cancel(run: Run) -> None:
    """Cancel a run that waits, and ask the monitor of one that works to end it; an ended one is not changed."""
    now = time.time()
    while not (  # between two of these checks it may have started, ended, or been queued again
        runs.change_state(
            run.id,
            [RunState.QUEUED],
            RunState.CANCELLED,
            cancel_requested_at=now,
            finished_at=now,
            access=Access.engine(run.workspace),
        )
        or runs.set_fields(run.id, ACTIVE, cancel_requested_at=now, access=Access.engine(run.workspace))
        or runs.get(run.id, access=Access.engine(run.workspace)).state.terminal
    ):
        pass


def _start(run: Run) -> None:
    folder = run_dir(run.id)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reserve.reserve()
        with open(folder / LOG_NAME, "ab") as log:
            pid = launch.start_monitor(run.id, log.fileno(), os.environ | _environment(run.id))
    except OSError as error:
        runs.change_state(
            run.id,
            [RunState.STARTING],
            RunState.FAILED,
            finished_at=time.time(),
            lease_until=None,
            error_message=f"The run could not be started: {error.strerror or error}.",
            error_hint="Check the disk space and the permissions of the data folder, then repeat the run.",
            access=Access.engine(run.workspace),
        )
        return
    # With its identity, a monitor that is slow to start is not considered lost when the lease runs out.
    with contextlib.suppress(psutil.NoSuchProcess):
        _, created = processes.identity(pid)
        runs.set_fields(
            run.id, [RunState.STARTING], monitor_pid=pid, monitor_created=created, access=Access.engine(run.workspace)
        )


def _environment(run_id: str) -> dict[str, str]:
    """Return the mark of the run's processes, and this process's settings: the child uses the same catalog."""
    settings = get_settings()
    return {
        "PYTHONUNBUFFERED": "1",
        processes.MARK: run_id,
        "PLUMBLINE_HOME": str(settings.home.absolute()),
        "PLUMBLINE_DATABASE": settings.database_url,
        "PLUMBLINE_STORAGE": settings.storage_url,
    }


def _recover(run: Run) -> None:
    """Close a run whose monitor is lost, and queue it again if its task is resumable."""
    if processes.is_alive(run.monitor_pid, run.monitor_created):
        return  # slow, not lost (a suspended laptop, a busy disk): it renews its lease when it wakes
    last_seen = (run.lease_until or time.time()) - get_settings().lease_s
    closed = runs.change_state(
        run.id,
        ACTIVE,
        RunState.INTERRUPTED,
        finished_at=max(last_seen, run.started_at or last_seen),
        lease_until=None,
        error_message="The run's process is gone: the computer restarted, or someone ended it.",
        error_hint="Resume it if its page offers that, or repeat it with the same settings.",
        access=Access.engine(run.workspace),
    )
    if not closed:
        return
    processes.end(lambda: processes.marked(run.id), grace_s=0)
    with reading(INSTALLATION) as session:
        ended = session.get_one(Run, run.id)  # read again: it may have been cancelled in the meantime
    if _continues(ended, never_started=run.state is RunState.STARTING):
        requeue(run.id)


def _continues(run: Run, *, never_started: bool = False) -> bool:
    """Return whether a run that was interrupted is queued again by itself."""
    return (
        run.state is RunState.INTERRUPTED
        and run.cancel_requested_at is None
        and run.attempt < get_settings().max_attempts
        and (never_started or task_spec(run.task).resumable)
    )


def requeue(run_id: str) -> bool:
    """Queue an ended run as its next attempt; return False when it has not ended, or when it succeeded."""
    with reading(INSTALLATION) as session:
        run = session.get(Run, run_id)
    if run is None:
        return False
    return runs.change_state(
        run_id,
        TERMINAL - {RunState.SUCCEEDED},
        RunState.QUEUED,
        attempt=run.attempt + 1,
        queued_at=time.time(),
        used_s=run.elapsed_s,
        started_at=None,
        finished_at=None,
        monitor_pid=None,
        monitor_created=None,
        worker_pid=None,
        worker_created=None,
        cancel_requested_at=None,
        stop_requested_at=None,
        error_message=None,
        error_hint=None,
        access=Access.engine(run.workspace),
    )
