"""The monitor of a run: ``python -m core.jobs.child <run_id>``, in a session of its own.

It starts the worker, renews the lease, and looks every half second whether the run was cancelled, is over its
deadline or uses too much memory. It alone writes the run's terminal state, once.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from sqlalchemy.exc import OperationalError

from core.catalog import ACTIVE, Run, RunState, runs
from core.catalog.engine import reading
from core.jobs import _processes, _scheduler
from core.jobs._context import run_dir
from core.jobs._outcome import clear_outcome, read_outcome
from core.settings import get_settings

_POLL_S = 0.25
_FINAL_TRIES_S = 60.0
_log = logging.getLogger(__name__)


class Monitor:
    """Looks after one run from STARTING to its terminal state."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.settings = get_settings()
        self.folder = run_dir(run.id)
        self.peak_mb = 0.0
        self.worker: subprocess.Popen[bytes] | None = None

    def start(self) -> bool:
        """Claim the run as its monitor and start the worker; False when the run is not ours to start."""
        pid, created = _processes.identity(os.getpid())
        clear_outcome(self.folder)
        if not runs.change_state(
            self.run.id,
            [RunState.STARTING],
            RunState.RUNNING,
            monitor_pid=pid,
            monitor_created=created,
            lease_until=time.time() + self.settings.lease_s,
        ):
            return False
        self.worker = subprocess.Popen(
            [sys.executable, "-m", "core.jobs.worker", self.run.id], stdin=subprocess.DEVNULL
        )
        pid, created = _processes.identity(self.worker.pid)
        runs.set_fields(self.run.id, ACTIVE, worker_pid=pid, worker_created=created)
        return True

    def watch(self) -> tuple[RunState, dict[str, Any]]:
        """Wait for the worker, or end it; return the terminal state and its fields."""
        assert self.worker is not None
        renew_at = 0.0
        while self.worker.poll() is None:
            now = time.time()
            row = _read(self.run.id)
            if row is None or row.state not in ACTIVE:  # declared lost while this process was suspended
                self._end_worker()
                return RunState.INTERRUPTED, {}
            if row.cancel_requested_at is not None:
                self._end_worker()
                return RunState.CANCELLED, {}
            if row.timeout_s is not None and row.elapsed_s > row.timeout_s:
                self._end_worker()
                return RunState.TIMED_OUT, {
                    "error_message": f"The run reached its limit of {row.timeout_s:,.0f} s and was ended.",
                    "error_hint": "Allow more time, or ask for less work.",
                }
            used = _processes.resident_mb(_processes.members(os.getpid(), self.worker.pid))
            self.peak_mb = max(self.peak_mb, used)
            if row.memory_limit_mb is not None and used > row.memory_limit_mb:
                self._end_worker()
                return RunState.OUT_OF_MEMORY, {
                    "error_message": f"The run used {used:,.0f} MB; its limit is {row.memory_limit_mb:,} MB.",
                    "error_hint": "Use fewer rows or columns, or raise PLUMBLINE_MEMORY_LIMIT_MB.",
                }
            if now > renew_at:
                runs.set_fields(self.run.id, ACTIVE, lease_until=now + self.settings.lease_s)
                renew_at = now + self.settings.lease_s / 3
            try:
                self.worker.wait(_POLL_S)
            except subprocess.TimeoutExpired:
                continue
        _processes.end(os.getpid(), None, self.settings.grace_s)  # what the worker left behind
        return self._outcome(self.worker.returncode)

    def _end_worker(self) -> None:
        assert self.worker is not None
        _processes.end(os.getpid(), self.worker.pid, self.settings.grace_s)
        self.worker.wait()

    def _outcome(self, status: int) -> tuple[RunState, dict[str, Any]]:
        outcome = read_outcome(self.folder)
        if outcome is not None and outcome["message"] is None:
            shutil.rmtree(self.folder / "work", ignore_errors=True)
            return RunState.SUCCEEDED, {"result": outcome["result"]}
        if outcome is not None:
            return RunState.FAILED, {"error_message": outcome["message"], "error_hint": outcome["hint"]}
        if status < 0:
            name = signal.Signals(-status).name
            return RunState.FAILED, {
                "error_message": f"The run's process was killed from outside ({name}).",
                "error_hint": "If nobody did that, the system ran out of memory: use fewer rows or columns.",
            }
        return RunState.FAILED, {
            "error_message": f"The run's process ended without a result (exit status {status}).",
            "error_hint": "The log has its last words.",
        }

    def finish(self, state: RunState, fields: dict[str, Any]) -> None:
        """Write the terminal state; a database that is locked or full gets a minute to recover."""
        give_up = time.monotonic() + _FINAL_TRIES_S
        while True:
            try:
                runs.change_state(
                    self.run.id,
                    ACTIVE,
                    state,
                    finished_at=time.time(),
                    lease_until=None,
                    peak_rss_mb=round(self.peak_mb, 1),
                    **fields,
                )
                return
            except OperationalError:
                if time.monotonic() > give_up:
                    raise  # the lease runs out, and whoever looks next declares the run INTERRUPTED
                _log.exception("the terminal state could not be written; trying again")
                time.sleep(1.0)


def _read(run_id: str) -> Run | None:
    with reading() as session:
        return session.get(Run, run_id)


def main(run_id: str) -> int:
    """Look after one run; return the process's exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    # Whoever ends the session means the worker; this process must stay to say how it ended.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    run = _read(run_id)
    if run is None:
        return 2
    monitor = Monitor(run)
    if not monitor.start():
        return 2
    monitor.finish(*monitor.watch())
    _scheduler.tick()
    return 0


if __name__ == "__main__":
    # `python -m` put the folder it was started in on the path: that must be the project's.
    assert Path(__file__).is_relative_to(Path.cwd())
    sys.exit(main(sys.argv[1]))
