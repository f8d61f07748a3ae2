"""The monitor of a run: ``python -m core.jobs.monitor <run_id>``, in a session of its own.

It starts the worker, counts its seconds of work, renews the lease, and checks four times per second whether the run was
cancelled, is past its time limit or uses too much memory. It alone writes the run's terminal state, once, and only
while its claim holds the run.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import TypeVar

import psutil

from core.access import INSTALLATION, Access
from core.catalog import ACTIVE, Run, RunState, claims, database_file, events
from core.catalog.engine import reading
from core.errors import PlumblineError, StorageError, not_found
from core.jobs import node, processes, reserve, scheduler, worker
from core.jobs.checkpoints import CheckpointKeeper, mark_attempt, restore
from core.jobs.clocks import WorkClock
from core.jobs.context import run_dir
from core.jobs.ending import Ending, ending_by_outcome, ending_by_status, interruption
from core.jobs.engine import is_placed
from core.jobs.launchers import local
from core.jobs.oom import oom_kills
from core.jobs.outcome import has_outcome, read_outcome
from core.jobs.run_log import LiveLog, shorten, store_tail
from core.jobs.sandbox import Sandbox, exit_status
from core.jobs.sweeper import remove_working_files
from core.jobs.task_specs import task_spec
from core.progress import Event
from core.settings import get_settings
from core.storage import be_patient
from core.storage_errors import StorageAwayError

Result = TypeVar("Result")
_POLL_S = 0.25
_SAVE_S = 1.0
_FINAL_TRIES_S = 60.0
_PATIENCE_S = 120.0
"""Seconds for which a run waits for a store that cannot be reached."""
_SHUTDOWN_GRACE_S = 2.0
"""Grace where this process itself is asked to end: whoever shuts a system down kills what is left after 5 s or so."""
_NICENESS = 5
"""How much the work of a run stands back."""
_FROM_THE_BEGINNING = "The files of the attempt before are not on this computer: it starts from the beginning."
_RESTORED = "Continuing on another computer, from the files that the attempt before had stored."
_log = logging.getLogger(__name__)


class Monitor:
    """Supervises one run from STARTING to its terminal state.

    Parameters
    ----------
    run : Run
        Row of the run.
    worker_pid : int
        Process id of a child that waits for the signal to begin.
    claim : str
        Token of the claim that this process acts for.
    sandbox : Sandbox, optional
        Sandbox that this child becomes.
    """

    def __init__(self, run: Run, worker_pid: int, claim: str, sandbox: Sandbox | None = None) -> None:
        self.run = run
        self.sandbox = sandbox
        self.settings = get_settings()
        self.folder = run_dir(run.id)
        self.peak_mb = 0.0
        self.worker = psutil.Process(worker_pid)
        self.terminated = False
        # A look takes a second at most: where one is later by a lease, this process was suspended.
        self.clock = WorkClock(run.elapsed_s, longest_s=self.settings.lease_s)
        self._claim = claim
        self._checkpoints = CheckpointKeeper(run, self.folder, claim)
        self._log = LiveLog(run, self.folder, claim)
        self._save_at = 0.0
        self._done_at: float | None = None
        self._oom_kills = oom_kills()

    def terminate(self, *_: object) -> None:
        """End the run soon, which continues later if its task can: a signal asked this process to end."""
        self.terminated = True

    def claim(self) -> bool:
        """Become the run's monitor; return False when another process has the run."""
        pid, created = processes.identity(os.getpid())
        worker_pid, worker_created = processes.identity(self.worker.pid)
        # One that an engine has placed waits until this moment: neither its lease nor its time has begun.
        return claims.begin(
            self.run,
            self._claim,
            RunState.QUEUED if is_placed() else RunState.STARTING,
            self.settings.lease_s,
            started_at=time.time(),
            host_id=processes.host_id(),
            node=processes.node_name(),
            monitor_pid=pid,
            monitor_created=created,
            worker_pid=worker_pid,
            worker_created=worker_created,
        ) and claims.renew(self.run.id, self._claim, self.settings.lease_s, self.clock.look())

    def begin(self, command: int) -> Ending | None:
        """Let the worker begin: write to the pipe that it waits at; return how the run ends if it cannot."""
        if self.run.attempt > 1:
            try:
                message = self._restore()
            except StorageAwayError as error:  # the next attempt may have more luck
                return interruption(error.message)
            if message is not None:
                access = Access.engine(self.run.workspace)
                events.append(self.run.id, Event("start", None, message), attempt=self.run.attempt, access=access)
        mark_attempt(self.run, self.folder)
        if self.sandbox is None:
            os.write(command, b"1")
        else:
            self.sandbox.start(self.run, self._claim, self.worker.pid, command)
        return None

    def _restore(self) -> str | None:
        """Put the files of the attempt before where the worker looks for them; return what is to be said of it."""
        try:
            restored = self._meanwhile(partial(restore, self.run, self.folder))
        except StorageAwayError:
            raise
        except StorageError as error:
            remove_working_files(self.folder)
            return f"{error.message} {_FROM_THE_BEGINNING}"
        if restored is not None:
            return _RESTORED
        return None if (self.folder / "work").exists() else _FROM_THE_BEGINNING

    def _meanwhile(self, function: Callable[[], Result]) -> Result:
        """Return the result of a function that takes its time, and keep the claim meanwhile."""
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(function)
            while not future.done():
                self.clock.look()
                try:
                    self._save()
                except StorageError:
                    _log.exception("the catalog is not available; trying again")
                wait([future], _POLL_S)
        return future.result()

    def cancelled(self) -> bool:
        """Return whether the run has been cancelled."""
        row = _read(self.run.id)
        return row is not None and row.cancel_requested_at is not None

    def supervise(self) -> Ending | None:
        """Wait for the worker, or end it; return how the run ended, None when another claim holds the run."""
        status = None
        while status is None:
            self.clock.look()
            try:
                row = _read(self.run.id)
                # The run was declared lost while this process was suspended, and perhaps started again.
                if row is None or row.state not in ACTIVE or row.claim_token != self._claim:
                    self._end_worker(0)
                    return None
                ending = self._limits(row)
                if ending is not None:
                    self._end_worker(self.settings.grace_s)
                    return ending
                self._save()
                self._log.look()
            except StorageError:  # a locked or full database recovers; the run continues
                _log.exception("the catalog is not available; trying again")
            if self.terminated:
                return self._interrupt()
            shorten(self.folder)
            self._checkpoints.look()
            if self._lingers():
                _log.warning("the task is done but its process does not end (perhaps a thread of its own): ending it")
                self._end_worker(self.settings.grace_s)
            status = self._status()
        self.clock.look()
        processes.end(self._processes, self.settings.grace_s)  # processes that the worker left behind
        outcome = read_outcome(self.folder, self.run.attempt)
        if outcome is not None:
            return ending_by_outcome(outcome)
        failure = None if self.sandbox is None else self.sandbox.failure()
        return failure or ending_by_status(status, out_of_memory=oom_kills() > self._oom_kills)

    def _status(self) -> int | None:
        """Return the worker's exit status, negative for a signal; None when it still works after a short wait."""
        with contextlib.suppress(psutil.TimeoutExpired):
            status = int(self.worker.wait(_POLL_S))
            return status if self.sandbox is None else exit_status(status)
        return None

    def _limits(self, row: Run) -> Ending | None:
        if row.cancel_requested_at is not None:
            return Ending(RunState.CANCELLED)
        if row.timeout_s is not None and self.clock.elapsed_s - row.limit_from_s > row.timeout_s:
            hint = "Allow more time, or ask for less work."
            if task_spec(row.task).resumable:
                hint = "Resume it to give it the same time once more, or ask for less work."
            return Ending(
                RunState.TIMED_OUT,
                error_message=f"The run reached its limit of {row.timeout_s:,.0f} s and was ended.",
                error_hint=hint,
            )
        used = processes.resident_mb(processes.members(os.getpid(), self.run.id))
        self.peak_mb = max(self.peak_mb, used)
        if self.sandbox is None and row.memory_limit_mb is not None and used > row.memory_limit_mb:
            return Ending(
                RunState.OUT_OF_MEMORY,
                error_message=f"The run used {used:,.0f} MB; its limit is {row.memory_limit_mb:,} MB.",
                error_hint="Use fewer rows or columns, or raise PLUMBLINE_MEMORY_LIMIT_MB.",
            )
        return None

    def _save(self) -> None:
        """Renew the lease and store the seconds of work, about once per second."""
        now = time.monotonic()
        if now < self._save_at:
            return
        self._oom_kills = oom_kills()
        claims.renew(self.run.id, self._claim, self.settings.lease_s, self.clock.elapsed_s)
        self._save_at = now + min(_SAVE_S, self.settings.lease_s / 3)

    def _lingers(self) -> bool:
        """Return whether the worker has left its outcome and does not end."""
        if self._done_at is None and has_outcome(self.folder, self.run.attempt):
            self._done_at = time.monotonic()
        return self._done_at is not None and time.monotonic() - self._done_at > self.settings.grace_s

    def _interrupt(self) -> Ending:
        """End the worker, since this process was asked to end; work that is done nevertheless counts."""
        self._end_worker(min(self.settings.grace_s, _SHUTDOWN_GRACE_S))
        outcome = read_outcome(self.folder, self.run.attempt)
        if outcome is not None and (ending := ending_by_outcome(outcome)).state is not RunState.FAILED:
            return ending
        return interruption("The computer was shut down, or someone ended Plumbline's processes.")

    def _processes(self) -> list[psutil.Process]:
        return processes.members(os.getpid(), self.run.id) + processes.marked(self.run.id, self._claim)

    def _end_worker(self, grace_s: float) -> None:
        processes.end(self._processes, grace_s)
        self.worker.wait()

    def finish(self, ending: Ending) -> bool:
        """Write how the run ended, and return whether the claim held it; a locked or full database gets a minute."""
        give_up = time.monotonic() + _FINAL_TRIES_S
        while True:
            try:
                if ending.state is not RunState.SUCCEEDED:
                    self._meanwhile(self._checkpoints.finish)
                closed = scheduler.close(
                    self.run,
                    self._claim,
                    ending,
                    finished_at=time.time(),
                    elapsed_s=self.clock.elapsed_s,
                    peak_rss_mb=round(self.peak_mb, 1),
                )
                break
            except StorageError:
                if time.monotonic() > give_up:
                    raise  # the lease runs out, and a later tick recovers the run
                _log.exception("the terminal state could not be written; trying again")
                reserve.release()
                time.sleep(1.0)
        if closed:
            try:
                store_tail(self.run, self.folder)
            except StorageError:
                _log.exception("the end of the log could not be stored for other hosts")
        return closed


def _stand_back() -> None:
    """Let pages and monitors go first where all want the processor."""
    os.nice(_NICENESS)
    with contextlib.suppress(OSError):  # where Linux shares the processor among sessions, a session has its own value
        Path("/proc/self/autogroup").write_text(str(_NICENESS))


def _read(run_id: str) -> Run | None:
    with reading(INSTALLATION) as session:
        return session.get(Run, run_id)


def main(run_id: str) -> int:
    """Supervise one run; return the process's exit status: 0 where the run succeeded or was cancelled, else 1 or 2."""
    try:
        if is_placed():
            node.enter(run_id)
            local.preload()  # before the run's time begins, as where runs are forked from a process that has it
        database_file.expect_existing()
        return _main(run_id)
    except PlumblineError as error:
        if is_placed():
            node.complain(str(error))
        raise


def _main(run_id: str) -> int:
    # The worker is forked, not started as a new interpreter, which saves a second of imports. That is safe here,
    # where there is no thread and no connection yet. It waits for one byte: an empty pipe means that there is no work.
    read_fd, write_fd = os.pipe()
    settings = get_settings()
    be_patient(_PATIENCE_S)  # holds for the worker, too
    sandbox = None if settings.sandbox == "off" else Sandbox(settings)
    worker_pid = os.fork()
    if worker_pid == 0:
        os.close(write_fd)
        _stand_back()
        if sandbox is not None:
            sandbox.enter(read_fd)
        return worker.main(run_id) if os.read(read_fd, 1) else 2
    os.close(read_fd)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # until there is a monitor to be told
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    run = _read(run_id)
    if run is None:
        raise not_found("run", run_id, "PLUMBLINE_DATABASE of this machine must be that of the server.")
    monitor = Monitor(run, worker_pid, os.environ.get(processes.CLAIM, ""), sandbox)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, monitor.terminate)
    if not monitor.claim():
        return 2
    ending = None if monitor.cancelled() else monitor.begin(write_fd)
    os.close(write_fd)  # ends a worker that did not receive the command to begin
    ending = ending or monitor.supervise()
    if sandbox is not None:
        sandbox.close()
    if ending is None:
        return 2
    closed = monitor.finish(ending)
    if is_placed():
        if closed:
            node.leave(run_id)
    elif not monitor.terminated:  # else the next process would be ended as well
        scheduler.tick()
    return 0 if ending.state in (RunState.SUCCEEDED, RunState.CANCELLED) else 1


if __name__ == "__main__":
    # `python -m` puts the working directory on the path: that must be the project's folder.
    assert Path(__file__).is_relative_to(Path.cwd())
    sys.exit(main(sys.argv[1]))
