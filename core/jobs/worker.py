"""The worker of a run: loads the task by its name and runs it. Started by the monitor, never by hand."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import threading
import time
import traceback
from types import FrameType
from typing import NoReturn

from core.catalog import ACTIVE
from core.catalog.engine import reading
from core.catalog.tables import Run
from core.errors import PlumblineError
from core.jobs._context import RunContext, run_dir
from core.jobs._outcome import write_outcome
from core.jobs._tasks import load


def _end_with_parent(parent: int) -> None:
    """End this process group once the monitor is gone: work that nobody looks after must not go on."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(143)  # lets `finally` blocks of the task run


def main(run_id: str) -> int:
    """Run the task; return the process's exit status."""
    signal.signal(signal.SIGTERM, _terminated)
    with reading() as session:
        run = session.get(Run, run_id)
    if run is None or run.state not in ACTIVE or run.monitor_pid != os.getppid():
        return 2
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    folder = run_dir(run_id)
    try:
        result = load(run.task).run(RunContext(run))
        write_outcome(folder, result=result)
    except PlumblineError as error:
        traceback.print_exc()
        write_outcome(folder, message=error.message, hint=error.hint)
        return 1
    except MemoryError:
        traceback.print_exc()
        write_outcome(folder, message="The run needed more memory than there is.", hint="Use fewer rows or columns.")
        return 1
    except OSError as error:
        traceback.print_exc()
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        message = "The disk is full." if full else f"The run failed: {error.strerror or error}."
        hint = "Free some space, then repeat the run." if full else "The log below has the details."
        with contextlib.suppress(OSError):  # no room for the outcome either: the log has it, the monitor says so
            write_outcome(folder, message=message, hint=hint)
        return 1
    except Exception as error:  # noqa: BLE001  (a defect in a task must end as a readable, failed run)
        traceback.print_exc()
        write_outcome(
            folder,
            message=f"The run failed unexpectedly ({type(error).__name__}: {str(error)[:300]}).",
            hint="This is a defect of ours or an input we did not foresee: the log has the details.",
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
