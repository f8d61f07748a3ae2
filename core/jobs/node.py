"""What the process of a run does on a node of an engine, where no server prepares anything or looks after what is left.

A node keeps nothing of a run that has ended: the store has its files, its checkpoint and the end of its log. What was
fetched from the store is kept as long as any run works there, within the limit of the cache.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
from pathlib import Path

from core.errors import PlumblineError
from core.files import os_errors_explained
from core.jobs.context import run_dir
from core.jobs.processes import host_id
from core.jobs.run_log import LOG_NAME
from core.private_folder import make_private
from core.settings import get_settings
from core.storage import get_store
from core.upkeep import trim_cache

__all__ = ["complain", "enter", "hold_home", "leave"]

_LOCK = "node.lock"
_MARK = "node"
_log = logging.getLogger(__name__)
_engine_output: int | None = None
_lock: int | None = None


def hold_home() -> None:
    """Keep what was fetched to the home of this process, a server's or a run's, for as long as the process lives."""
    global _lock
    if _lock is None:
        _lock = os.open(get_settings().home.absolute() / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(_lock, fcntl.LOCK_SH)


def enter(run_id: str) -> None:
    """Make the folder of a run, and let this process and its children write to the log there.

    Raises
    ------
    StorageError
        When the home cannot be used.
    """
    global _engine_output
    make_private(get_settings().home.absolute())
    folder = run_dir(run_id)
    with os_errors_explained("Preparing the run's folder on this node"):
        hold_home()
        _occupy(folder)
    _engine_output = os.dup(2)
    log = os.open(folder / LOG_NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for number in (1, 2):
        os.dup2(log, number)
    os.close(log)


def _occupy(folder: Path) -> None:
    """Make a run's folder and lock it, once an attempt that still works there has ended and removed what it had."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / _MARK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)  # held until this process and its worker have ended
        try:
            if os.stat(folder / _MARK).st_ino == os.fstat(lock).st_ino:
                os.pwrite(lock, host_id().encode(), 0)
                return
        except FileNotFoundError:  # it was removed while this process waited
            pass
        os.close(lock)


def complain(sentence: str) -> None:
    """Write a sentence where the engine keeps the output of its jobs: it is the reason why a run has not begun."""
    os.write(2 if _engine_output is None else _engine_output, f"{sentence}\n".encode())


def leave(run_id: str) -> None:
    """Remove what this node has of a run that has ended, and of those that were lost here.

    What was fetched is removed once no run works here. Where the nodes have no storage besides a home that they share,
    all stays: it is the server's.

    Parameters
    ----------
    run_id : str
        Id of the run.
    """
    from core.node_folder import remove_unused  # with NumPy, which a monitor must not have when it forks

    if get_settings().storage is None or _lock is None:
        return
    shutil.rmtree(run_dir(run_id), ignore_errors=True)
    try:
        _remove_lost()
        remove_unused("", 0)  # of work that was divided, and killed
        trim_cache()
        fcntl.flock(_lock, fcntl.LOCK_UN)
        try:
            fcntl.flock(_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # another run works here
            return
        shutil.rmtree(get_store().cache, ignore_errors=True)
    except PlumblineError:  # the next run that ends here does it
        _log.exception("what was fetched to this node could not be looked after")


def _remove_lost() -> None:
    """Remove the folders of runs that no process works on: theirs were killed with all that would do it."""
    for mark in get_settings().runs_dir.glob(f"*/{_MARK}"):
        try:
            lock = os.open(mark, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.pread(lock, 64, 0).decode() == host_id():  # else the home is one that nodes share
                shutil.rmtree(mark.parent, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(lock)
