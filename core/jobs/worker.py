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
from pathlib import Path
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

__all__ = ["main"]

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
        case OSError():
            return StorageError(f"The run failed: {error}.", "The log has the details.")
    return from_record(to_record(error))


def _fail(folder: Path, attempt: int, error: Exception) -> int:
    if _terminated.is_set():  # a library made another error of the one that ends this process
        return TERMINATED
    try:
        with contextlib.suppress(OSError):  # the log may be what fills the disk
            traceback.print_exception(error)
        write_outcome(folder, attempt, Outcome(error=_explain(error)))
    except OSError as full:  # the disk is too full for the outcome as well: the exit status has to report it
        return full.errno or 1
    return 1


def main(run_id: str) -> int:
    """Run the task; return the process's exit status."""
    for number in _SIGNALS:
        signal.signal(number, _terminate)
    faulthandler.enable()
    monitor = os.getppid()
    with reading(INSTALLATION) as session:
        run = session.get(Run, run_id)
    claim = os.environ.get(processes.CLAIM, "")
    if run is None or run.state not in ACTIVE or run.claim_token != claim:
        return 2
    fence(run_id, claim)
    threading.Thread(target=_end_with_parent, args=(monitor, run_id), daemon=True).start()
    folder = run_dir(run_id)
    use_temporary_folder(run_id)
    try:
        write_outcome(folder, run.attempt, Outcome(result=load(run.task).run(RunContext(run))))
    except StoppedError as stopped:
        write_outcome(folder, run.attempt, Outcome(error=stopped))
    except Exception as error:  # noqa: BLE001  (a defect in a task must end as a failed run with a message)
        return _fail(folder, run.attempt, error)
    return 0
