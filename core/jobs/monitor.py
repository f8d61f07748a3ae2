"""The monitor of a run: ``python -m core.jobs.monitor <run_id>``, in a session of its own.

It starts the worker, renews the lease, and checks four times per second whether the run was cancelled, is past its
deadline or uses too much memory. It alone writes the run's terminal state, once.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from core.access import INSTALLATION, Access
from core.catalog import ACTIVE, Run, RunState, database_file, runs
from core.catalog.engine import reading
from core.errors import StoppedError, StorageError
from core.jobs import processes, reserve, scheduler, worker
from core.jobs.context import run_dir
from core.jobs.outcome import clear_outcome, outcome_age_s, read_outcome
from core.jobs.run_log import shorten
from core.jobs.task_specs import task_spec
from core.jsonable import JsonObject
from core.settings import get_settings

_POLL_S = 0.25
_FINAL_TRIES_S = 60.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ending:
    """The terminal state of a run, and what is stored with it."""

    state: RunState
    result: JsonObject | None = None
    error_message: str | None = None
    error_hint: str | None = None

    def fields(self) -> JsonObject:
        """Return the columns of the run's row that this ending sets."""
        return {name: value for name, value in vars(self).items() if name != "state" and value is not None}


class Monitor:
    """Supervises one run from STARTING to its terminal state.

    Parameters
    ----------
    run : Run
        Row of the run.
    worker_pid : int
        Process id of a child that waits for the signal to begin.
    """

    def __init__(self, run: Run, worker_pid: int) -> None:
        self.run = run
        self.settings = get_settings()
        self.folder = run_dir(run.id)
        self.peak_mb = 0.0
        self.worker = psutil.Process(worker_pid)
        self.renew_at = 0.0

    def claim(self) -> bool:
        """Become the run's monitor; return False when another process has the run."""
        pid, created = processes.identity(os.getpid())
        worker_pid, worker_created = processes.identity(self.worker.pid)
        claimed = runs.change_state(
            self.run.id,
            [RunState.STARTING],
            RunState.RUNNING,
            monitor_pid=pid,
            monitor_created=created,
            worker_pid=worker_pid,
            worker_created=worker_created,
            lease_until=time.time() + self.settings.lease_s,
            access=Access.engine(self.run.workspace),
        )
        if claimed:
            clear_outcome(self.folder)
        return claimed

    def cancelled(self) -> bool:
        """Return whether the run has been cancelled."""
        row = _read(self.run.id)
        return row is not None and row.cancel_requested_at is not None

    def supervise(self) -> Ending | None:
        """Wait for the worker, or end it; return how the run ended, None when another monitor has the run."""
        status = None
        while status is None:
            try:
                row = _read(self.run.id)
                # The run was declared lost while this process was suspended, and perhaps started again.
                if row is None or row.state not in ACTIVE or row.monitor_pid != os.getpid():
                    self._end_worker()
                    return None
                ending = self._limits(row)
                if ending is not None:
                    self._end_worker()
                    return ending
                self._renew()
            except StorageError:  # a locked or full database recovers; the run continues
                _log.exception("the catalog is not available; trying again")
            shorten(self.folder)
            if outcome_age_s(self.folder) > self.settings.grace_s:
                _log.warning("the task is done but its process does not end (perhaps a thread of its own): ending it")
                self._end_worker()
            status = self._status()
        processes.end(self._processes, self.settings.grace_s)  # processes that the worker left behind
        return self._outcome(status)

    def _status(self) -> int | None:
        """Return the worker's exit status, negative for a signal; None when it still works after a short wait."""
        with contextlib.suppress(psutil.TimeoutExpired):
            return int(self.worker.wait(_POLL_S))
        return None

    def _limits(self, row: Run) -> Ending | None:
        if row.cancel_requested_at is not None:
            return Ending(RunState.CANCELLED)
        if row.timeout_s is not None and row.elapsed_s > row.timeout_s:
            return Ending(
                RunState.TIMED_OUT,
                error_message=f"The run reached its limit of {row.timeout_s:,.0f} s and was ended.",
                error_hint="Allow more time, or ask for less work.",
            )
        used = processes.resident_mb(processes.members(os.getpid(), self.run.id))
        self.peak_mb = max(self.peak_mb, used)
        if row.memory_limit_mb is not None and used > row.memory_limit_mb:
            return Ending(
                RunState.OUT_OF_MEMORY,
                error_message=f"The run used {used:,.0f} MB; its limit is {row.memory_limit_mb:,} MB.",
                error_hint="Use fewer rows or columns, or raise PLUMBLINE_MEMORY_LIMIT_MB.",
            )
        return None

    def _renew(self) -> None:
        now = time.time()
        if now > self.renew_at:
            runs.set_fields(
                self.run.id, ACTIVE, lease_until=now + self.settings.lease_s, access=Access.engine(self.run.workspace)
            )
            self.renew_at = now + self.settings.lease_s / 3

    def _processes(self) -> list[psutil.Process]:
        return processes.members(os.getpid(), self.run.id) + processes.marked(self.run.id)

    def _end_worker(self) -> None:
        processes.end(self._processes, self.settings.grace_s)
        self.worker.wait()

    def _outcome(self, status: int) -> Ending:
        outcome = read_outcome(self.folder)
        if outcome is not None and outcome.error is None:
            return Ending(RunState.SUCCEEDED, outcome.result)
        if outcome is not None and outcome.error is not None:
            state = RunState.CANCELLED if isinstance(outcome.error, StoppedError) else RunState.FAILED
            return Ending(state, error_message=outcome.error.message, error_hint=outcome.error.hint)
        if -status in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            message = f"The run's process was killed from outside ({signal.Signals(-status).name})."
            hint = "If no one did that, the system ran out of memory: use fewer rows or columns."
        elif status < 0:
            message = f"The run's process crashed ({signal.strsignal(-status)})."
            hint = "This is a defect of Plumbline or of a library. The log has the details."
        elif status == errno.ENOSPC:
            message, hint = worker.DISK_FULL
        else:
            message = f"The run's process ended without a result (exit status {status})."
            hint = "The log may have the reason."
        return Ending(RunState.FAILED, error_message=message, error_hint=hint)

    def finish(self, ending: Ending) -> None:
        """Write the terminal state; a database that is locked or full gets a minute to recover."""
        if ending.state is RunState.SUCCEEDED or not task_spec(self.run.task).resumable:
            shutil.rmtree(self.folder / "work", ignore_errors=True)
        give_up = time.monotonic() + _FINAL_TRIES_S
        while True:
            try:
                runs.change_state(
                    self.run.id,
                    ACTIVE,
                    ending.state,
                    finished_at=time.time(),
                    lease_until=None,
                    peak_rss_mb=round(self.peak_mb, 1),
                    **ending.fields(),
                    access=Access.engine(self.run.workspace),
                )
                return
            except StorageError:
                if time.monotonic() > give_up:
                    raise  # the lease runs out, and the next tick declares the run INTERRUPTED
                _log.exception("the terminal state could not be written; trying again")
                reserve.release()
                time.sleep(1.0)


def _read(run_id: str) -> Run | None:
    with reading(INSTALLATION) as session:
        return session.get(Run, run_id)


def main(run_id: str) -> int:
    """Supervise one run; return the process's exit status."""
    database_file.expect_existing()
    # The worker is forked, not started as a new interpreter, which saves a second of imports. That is safe here,
    # where there is no thread and no connection yet. It waits for one byte: an empty pipe means that there is no work.
    read_fd, write_fd = os.pipe()
    worker_pid = os.fork()
    if worker_pid == 0:
        os.close(write_fd)
        return worker.main(run_id) if os.read(read_fd, 1) else 2
    os.close(read_fd)
    # A signal to the session is meant for the worker; this process must stay to record how it ended.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    run = _read(run_id)
    if run is None:
        return 2
    monitor = Monitor(run, worker_pid)
    if not monitor.claim():
        return 2
    if not monitor.cancelled():
        os.write(write_fd, b"1")
    os.close(write_fd)
    ending = monitor.supervise()
    if ending is not None:
        monitor.finish(ending)
    scheduler.tick()
    return 0


if __name__ == "__main__":
    # `python -m` puts the working directory on the path: that must be the project's folder.
    assert Path(__file__).is_relative_to(Path.cwd())
    sys.exit(main(sys.argv[1]))
