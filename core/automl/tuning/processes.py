"""The search's helper processes: forked from one that has their libraries, ended at once, never outliving the search.

An error in one is written to its folder as a typed record, which the search raises or reports; the log has the
traceback. A process without a record was killed, by the operating system for instance.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from core.errors import PlumblineError, SearchError, from_record, to_record
from core.files import write_text
from core.fork_server import AVAILABLE, ForkedProcess, fork_server

__all__ = ["THREADS", "HelperProcess", "describe_fit_error", "end_with_parent", "errors_recorded", "preload"]

# Threads that wait spin for microseconds only: by default they would take the cores from the helper beside them, and
# sleeping at once costs more than a small tree takes to grow. Learners get their number of threads explicitly; linear
# algebra on a fold is too small to gain from more than one.
THREADS = {"GOMP_SPINCOUNT": "10000", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
PRELOAD = f"{__name__}:preload_helpers"
"""What the fork server of the helpers loads."""
_ROOT = Path(__file__).resolve().parents[3]
_ERROR = "error.json"


def preload(*modules: str) -> None:
    """Load modules, which takes seconds, before they are needed."""
    for module in modules:
        import_module(module)


def preload_helpers() -> None:
    """Load what all helpers need."""
    from core.automl.learners.build import preload_learners

    preload_learners()
    preload("core.automl.tuning.cross_validation", "core.automl.tuning.proposer")


def end_with_parent(parent: int) -> None:
    """End this process, and what it started, once its parent is gone."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.25)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


@contextlib.contextmanager
def errors_recorded(folder: Path) -> Iterator[None]:
    """Write down an error of the block for the parent process, its traceback to the log, and end with exit code 1."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  (the parent raises it again)
        traceback.print_exc()
        write_text(folder / _ERROR, json.dumps(to_record(error)))
        sys.exit(1)


def describe_fit_error(error: Exception) -> PlumblineError:
    """Return what a library raised about one fit as an error that says so, without a traceback."""
    if isinstance(error, PlumblineError):
        return error
    return SearchError(
        f"{type(error).__name__}: {error}"[:500], "Block this learner, and look for extreme values in the table."
    )


class HelperProcess:
    """A helper process in a process group of its own.

    Parameters
    ----------
    module : str
        Full name of the module, with a ``main(folder)``.
    folder : Path
        Folder that it works in; its output goes to a log there.
    """

    def __init__(self, module: str, folder: Path) -> None:
        self._error = folder / _ERROR
        self._error.unlink(missing_ok=True)
        theirs, stdin = os.pipe()
        self._stdin = open(stdin, "w", encoding="utf-8")  # noqa: SIM115  (closed when the process ends)
        try:
            with open(folder / f"{module}.log", "ab") as log:
                self._process = _start(module, folder, theirs, log.fileno())
        finally:
            os.close(theirs)

    def send(self, line: str) -> None:
        """Write a line to its standard input; a process that is gone takes none."""
        with contextlib.suppress(BrokenPipeError):
            self._stdin.write(line + "\n")
            self._stdin.flush()

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    @property
    def failed(self) -> bool:
        """Whether it has ended by itself with an error."""
        return self._process.poll() not in (None, 0)

    @property
    def error(self) -> PlumblineError | None:
        """The error that ended it; None when it wrote none down."""
        if not self._error.exists():
            return None
        return from_record(json.loads(self._error.read_text(encoding="utf-8")))

    @property
    def exit_reason(self) -> str:
        """How it ended, in words that follow "it was"."""
        code = self._process.poll()
        if code is None:
            return "not ended"
        if code >= 0:
            return f"ended with exit code {code}"
        with contextlib.suppress(ValueError):
            return f"ended by the signal {signal.Signals(-code).name}"
        return f"ended by the signal {-code}"

    @property
    def usual_cause(self) -> str:
        """What usually ends a process from outside."""
        return "the usual cause is too little memory"

    def collect(self) -> None:
        """Do nothing: it writes into its folder itself."""

    def kill(self) -> None:
        """End it and all it started, at once."""
        self._process.kill()
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()


class _SpawnedProcess:
    """A process that was started by itself, where none can be forked."""

    def __init__(self, module: str, folder: Path, stdin: int, output: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, str(folder)],
            cwd=_ROOT,
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | THREADS,
            process_group=0,
        )

    def poll(self) -> int | None:
        """Return its exit code, negative for a signal; None while it works."""
        return self._process.poll()

    def kill(self) -> None:
        """End it and all it started, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _start(module: str, folder: Path, stdin: int, output: int) -> ForkedProcess | _SpawnedProcess:
    if AVAILABLE:
        return fork_server(PRELOAD, os.environ | THREADS).start(module, folder, stdin, output)
    return _SpawnedProcess(module, folder, stdin, output)
