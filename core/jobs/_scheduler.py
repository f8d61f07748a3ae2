"""Starts what waits and gives up what was lost. Any number of processes may do so at the same time."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from core.catalog import ACTIVE, TERMINAL, Run, RunState, runs
from core.catalog.engine import reading
from core.jobs import _processes, _reserve
from core.jobs._context import run_dir
from core.jobs._log import LOG_NAME
from core.jobs._tasks import task_spec
from core.settings import get_settings

__all__ = ["requeue", "tick"]

_ROOT = Path(__file__).resolve().parents[2]
_started: set[int] = set()  # pids of children that were not reaped yet


def tick() -> None:
    """Recover lost runs, then start waiting ones up to the concurrency limit; cheap when there are none."""
    _reap()
    for run in runs.lapsed(time.time()):
        _recover(run)
    settings = get_settings()
    # Two lanes: an import must not wait half an hour behind a search.
    for lane, limit in (("short", settings.max_running_short), ("long", settings.max_running)):
        while (claimed := runs.claim_next(lane, limit, settings.lease_s)) is not None:
            _start(claimed)


def _start(run: Run) -> None:
    folder = run_dir(run.id)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _reserve.set_aside()
        with open(folder / LOG_NAME, "ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "core.jobs.monitor", run.id],
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=os.environ | _environment(run.id),
            )
    except OSError as error:
        runs.change_state(
            run.id,
            [RunState.STARTING],
            RunState.FAILED,
            finished_at=time.time(),
            lease_until=None,
            error_message=f"The run could not be started: {error.strerror or error}.",
            error_hint="Look at the disk space and the rights of the data folder, then repeat the run.",
        )
        return
    _started.add(child.pid)
    child.returncode = 0  # it outlives this process on purpose: Popen must not warn of that
    # So that a monitor which is slow to start is not taken for lost when the lease runs out.
    with contextlib.suppress(psutil.NoSuchProcess):
        pid, created = _processes.identity(child.pid)
        runs.set_fields(run.id, [RunState.STARTING], monitor_pid=pid, monitor_created=created)


def _reap() -> None:
    """Collect the monitors that ended, so that no zombies pile up in a server that runs for weeks."""
    for pid in list(_started):
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                continue
        _started.discard(pid)


def _environment(run_id: str) -> dict[str, str]:
    """Mark the run's processes, and hand this one's settings on: the child works on the same catalog."""
    settings = get_settings()
    return {
        "PYTHONUNBUFFERED": "1",
        _processes.MARK: run_id,
        "PLUMBLINE_HOME": str(settings.home.absolute()),
        "PLUMBLINE_DATABASE": settings.database_url,
        "PLUMBLINE_STORAGE": settings.storage_url,
    }


def _recover(run: Run) -> None:
    """Close a run whose monitor fell silent, and queue it again if its task can go on."""
    if _processes.is_alive(run.monitor_pid, run.monitor_created):
        return  # slow, not gone (a suspended laptop, a busy disk): it renews its lease when it wakes
    last_seen = (run.lease_until or time.time()) - get_settings().lease_s
    taken = runs.change_state(
        run.id,
        ACTIVE,
        RunState.INTERRUPTED,
        finished_at=max(last_seen, run.started_at or last_seen),
        lease_until=None,
        error_message="The run's process is gone: the computer restarted, or somebody ended it.",
        error_hint="Resume it if its page offers that, or repeat it with the same settings.",
    )
    if not taken:
        return
    _processes.end(lambda: _processes.marked(run.id), grace_s=0)
    with reading() as session:
        ended = session.get_one(Run, run.id)  # as the last change left it: a cancel may have come meanwhile
    never_began = run.state is RunState.STARTING
    if (
        ended.cancel_requested_at is None
        and ended.attempt < get_settings().max_attempts
        and (never_began or task_spec(run.task).resumable)
    ):
        requeue(run.id)


def requeue(run_id: str) -> bool:
    """Put an ended run back into the queue as its next attempt; False when it has not ended, or succeeded."""
    with reading() as session:
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
    )
