"""Processes told apart by (pid, creation time), because the system gives a pid to another process later."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import psutil

__all__ = ["end", "identity", "is_alive", "members", "resident_mb"]


def identity(pid: int) -> tuple[int, float]:
    """Return a living process's (pid, creation time)."""
    return pid, psutil.Process(pid).create_time()


def is_alive(pid: int | None, created: float | None) -> bool:
    """Tell whether this very process still works: no zombie, and no later process with the same pid."""
    if pid is None or created is None:
        return False
    try:
        process = psutil.Process(pid)
        # The clock's resolution and the rounding on the way through a database.
        same = abs(process.create_time() - created) < 0.05
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def members(session: int, root: int | None = None) -> list[psutil.Process]:
    """Return the living processes of a session without its leader, and all descendants of `root`.

    A grandchild whose parent died is no descendant any more but still in the session; one that opened a
    session of its own is still a descendant. Both are found.
    """
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(process.pid) == session:
                found[process.pid] = process
    if root is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in psutil.Process(root).children(recursive=True):
                found[process.pid] = process
    found.pop(session, None)
    return [process for process in found.values() if _works(process)]


def _works(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def resident_mb(processes: list[psutil.Process]) -> float:
    """Return the resident memory of the processes together, in MB (2**20 bytes)."""
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            total += process.memory_info().rss
    return total / 2**20


def end(session: int, root: int | None, grace_s: float) -> None:
    """End all `members`: TERM, then KILL for those still there after `grace_s` seconds."""
    known = {process.pid: process for process in members(session, root)}
    for process in known.values():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while time.monotonic() < deadline and any(_works(process) for process in known.values()):
        time.sleep(0.05)
    # A process may have started others in the meantime: look again until none is left.
    for _ in range(20):
        known |= {process.pid: process for process in members(session, root)}
        left = [process for process in known.values() if _works(process)]
        if not left:
            return
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(0.05)
