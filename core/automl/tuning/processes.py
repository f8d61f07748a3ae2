"""The search's helper processes: started by ``python -m``, ended at once, never outliving their parent."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

__all__ = ["Helper", "cores", "end_with_parent"]

# Threads that wait spin for microseconds only: by default they would take the cores from the helper beside them, and
# sleeping at once costs more than a small tree takes to grow. Learners are told their own number of threads; linear
# algebra on a fold is too small to gain from more than one.
_THREADS = {"GOMP_SPINCOUNT": "10000", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_ROOT = Path(__file__).resolve().parents[3]


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def end_with_parent(parent: int) -> None:
    """End this process, and what it started, once its parent is gone."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.25)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


class Helper:
    """A helper process in a process group of its own.

    Parameters
    ----------
    module : str
        Full name of the module, with a ``main``.
    folder : Path
        The folder it works in; its output goes to a log there.
    """

    def __init__(self, module: str, folder: Path) -> None:
        with open(folder / f"{module}.log", "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(folder)],
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | _THREADS,
                process_group=0,
                text=True,
            )
        self._log = folder / f"{module}.log"

    def send(self, line: str) -> None:
        """Write a line to its standard input; a process that is gone takes none."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    @property
    def failed(self) -> bool:
        """Whether it has ended by itself with an error."""
        return self._process.poll() not in (None, 0)

    def last_words(self) -> str:
        """Return the end of what it printed."""
        return self._log.read_text(errors="replace")[-500:].strip()

    def kill(self) -> None:
        """End it and all it started, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
