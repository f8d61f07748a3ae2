"""Starts the monitors of runs: forked from a process that has loaded the libraries, or as new interpreters."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from core.fork_server import AVAILABLE, fork_server, running_server
from core.jobs.processes import MARK
from core.private_folder import PRIVATE_UMASK

__all__ = ["PRELOAD", "preload", "reap", "start_monitor", "warm_up"]

_MONITOR = "core.jobs.monitor"
PRELOAD = f"{__name__}:preload"
"""What the process loads that monitors are forked from."""
_LIBRARIES = ("numpy", "pandas", "pyarrow.parquet", "duckdb", "sklearn.pipeline", "sklearn.linear_model")
_UNSET_MARK = "0" * 16  # as long as a run's id, which takes its place
_ROOT = Path(__file__).resolve().parents[3]
_log = logging.getLogger(__name__)
_started: set[int] = set()  # pids of children that are not reaped yet


def warm_up() -> None:
    """Load, in a process of its own, what runs need, so that those that this process starts begin at once.

    For a process that starts many: a server, or a test session. The process takes 150 MB of memory or so, which the
    runs share, and ends with this one; the runs do not. Where processes cannot be forked this does nothing.

    Examples
    --------
    >>> warm_up()
    """
    if not AVAILABLE:
        return
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PLUMBLINE_")}
    try:
        fork_server(PRELOAD, environment | {"PYTHONUNBUFFERED": "1", MARK: _UNSET_MARK})
    except OSError:  # too many processes, or too little memory: without it runs only begin later
        _log.warning("the process that runs are forked from could not be started", exc_info=True)


def preload() -> None:
    """Load what most runs need; no thread may be started here."""
    os.umask(PRIVATE_UMASK)
    for module in (_MONITOR, *_LIBRARIES):
        import_module(module)


def start_monitor(run_id: str, log: int, environment: dict[str, str]) -> int:
    """Start the monitor of a run, and return its process id.

    It may be started twice when the process that it is forked from ends meanwhile: the first one gets the run.

    Parameters
    ----------
    run_id : str
        Id of the run.
    log : int
        Open file that takes its output.
    environment : dict
        Its environment.

    Raises
    ------
    OSError
        When the system starts no process.
    """
    server = running_server(PRELOAD)
    if server is not None and server.ready:
        pid = server.start_detached(_MONITOR, run_id, log, environment)
        if pid is not None:
            return pid
    child = subprocess.Popen(
        [sys.executable, "-m", _MONITOR, run_id],
        cwd=_ROOT,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env=environment,
        umask=PRIVATE_UMASK,
    )
    _started.add(child.pid)
    child.returncode = 0  # it outlives this process on purpose, and Popen must not warn about that
    return child.pid


def reap() -> None:
    """Reap the monitors that ended, so that zombies do not accumulate in a server that runs for weeks."""
    for pid in list(_started):
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                continue
        _started.discard(pid)
