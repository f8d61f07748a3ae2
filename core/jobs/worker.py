"""The worker of a run: loads the task by its name and runs it, in a process that the monitor forked."""

from __future__ import annotations

import contextlib
import errno
import faulthandler
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import NoReturn

from core.access import INSTALLATION
from core.catalog import ACTIVE
from core.catalog.engine import fence, reading
from core.catalog.tables import Run
from core.errors import LimitError, PlumblineError, StoppedError, StorageError, from_record, to_record
from core.jobs import processes
from core.jobs.context import RunContext, run_dir
from core.jobs.ending import DISK_FULL, TERMINATED
from core.jobs.outcome import Outcome, write_outcome
from core.jobs.task_specs import load
from core.jobs.temporary import use_temporary_folder
from core.settings import get_settings

__all__ = ["Leave", "main", "work"]

Leave = Callable[[Outcome], None]
"""Leaves the outcome of a task where the monitor finds it."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_terminated = threading.Event()


def _end_with_parent(parent: int, run_id: str) -> None:
    """End all processes of the run when the monitor is gone: work must not continue without supervision."""
    while os.getppid() == parent:
        time.sleep(0.25)
    processes.end(lambda: processes.marked(run_id), grace_s=0)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    _terminated.set()
    for number in _SIGNALS:  # another one must not interrupt the clean-up
        signal.signal(number, signal.SIG_IGN)
    raise SystemExit(TERMINATED)  # lets `finally` blocks of the task run


def _explain(error: Exception) -> PlumblineError:
    """Return the error that the user reads."""
    match error:
        case PlumblineError():
            return error
        case MemoryError():
            return LimitError("The run needed more memory than is available.", "Use fewer rows or columns.")
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return StorageError(*DISK_FULL)
        case BlockingIOError():
            return LimitError(
                f"The run started more processes than the {get_settings().run_processes:,} that it may.",
                "Use fewer parallel trials, or raise PLUMBLINE_RUN_PROCESSES.",
            )
        case OSError(errno=errno.EFBIG):
            return LimitError(
                f"A file of the run is larger than the {get_settings().run_disk_mb:,} MB that it may take.",
                "Use fewer rows or columns, or raise PLUMBLINE_RUN_DISK_MB.",
            )
        case OSError():
            return StorageError(f"The run failed: {error}.", "The log has the details.")
    return from_record(to_record(error))


def _fail(leave: Leave, error: Exception) -> int:
    if _terminated.is_set():  # a library made another error of the one that ends this process
        return TERMINATED
    try:
        with contextlib.suppress(OSError):  # the log may be what fills the disk
            traceback.print_exception(error)
        leave(Outcome(error=_explain(error)))
    except OSError as full:  # the disk is too full for the outcome as well: the exit status has to report it
        return full.errno or 1
    return 1


def main(run_id: str) -> int:
    """Run the task; return the process's exit status."""
    monitor = os.getppid()
    with reading(INSTALLATION) as session:
        run = session.get(Run, run_id)
    claim = os.environ.get(processes.CLAIM, "")
    if run is None or run.state not in ACTIVE or run.claim_token != claim:
        return 2
    fence(run_id, claim)
    threading.Thread(target=_end_with_parent, args=(monitor, run_id), daemon=True).start()
    use_temporary_folder(run_id)
    return work(run, partial(write_outcome, run_dir(run_id), run.attempt))


def work(run: Run, leave: Leave) -> int:
    """Run the task, leave its outcome, and return the process's exit status."""
    for number in _SIGNALS:
        signal.signal(number, _terminate)
    faulthandler.enable()
    try:
        leave(Outcome(result=load(run.task).run(RunContext(run))))
    except StoppedError as stopped:
        leave(Outcome(error=stopped))
    except Exception as error:  # noqa: BLE001  (a defect in a task must end as a failed run with a message)
        return _fail(leave, error)
    return 0
