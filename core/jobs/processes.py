"""Processes of a run: identified by pid and creation time, found by descent and by a mark, ended together."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

import psutil

from core.settings import get_settings

__all__ = ["CLAIM", "MARK", "end", "host_id", "identity", "is_alive", "marked", "members", "node_name", "resident_mb"]

MARK = "PLUMBLINE_RUN_ID"
"""Environment variable with the run's id; its processes inherit it, whatever happens to their parents."""
CLAIM = "PLUMBLINE_RUN_CLAIM"
"""Environment variable with the token of the claim that the run's monitor and worker act for."""

# Where a creation time is wall-clock time, it may differ a little from call to call. No pid is reused that soon.
_CLOCK_TOLERANCE_S = 2.0
_START_TICKS = 19  # field of /proc/PID/stat after the name: clock ticks from the start of the system


@lru_cache(maxsize=1)
def host_id() -> str:
    """Return what tells apart where a pid has a meaning: the machine, its start and its space of pids."""
    parts = []
    for path in ("/etc/machine-id", "/proc/sys/kernel/random/boot_id"):
        with contextlib.suppress(OSError):
            parts.append(Path(path).read_text(encoding="utf-8").strip())
    with contextlib.suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256("\n".join(parts or [platform.node()]).encode()).hexdigest()[:16]


def node_name() -> str:
    """Return the name by which people know this machine."""
    return (get_settings().node_name or os.environ.get("SLURMD_NODENAME") or platform.node())[:100]


def identity(pid: int) -> tuple[int, float]:
    """Return a living process's (pid, creation time)."""
    return pid, _created(psutil.Process(pid))


def _created(process: psutil.Process) -> float:
    """Return when a process was created, in seconds: from the start of the system where that is known, else the epoch.

    The first does not change when the system's clock is set.
    """
    if sys.platform != "linux":
        return float(process.create_time())
    try:
        fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
    except (FileNotFoundError, ProcessLookupError) as error:
        raise psutil.NoSuchProcess(process.pid) from error
    return int(fields.split()[_START_TICKS]) / os.sysconf("SC_CLK_TCK")


def is_alive(pid: int | None, created: float | None) -> bool:
    """Return whether this process still works; a zombie, or a later process with the same pid, does not count."""
    if pid is None or created is None:
        return False
    try:
        process = psutil.Process(pid)
        return abs(_created(process) - created) < _CLOCK_TOLERANCE_S and _works(process)
    except psutil.NoSuchProcess:
        return False


def members(leader: int, run_id: str) -> list[psutil.Process]:
    """Return the working processes of a session, and all descendants of its leader, but not the leader.

    A grandchild whose parent died is not a descendant anymore, but it is still in the session; one that opened a
    session of its own is still a descendant. Both are returned. Processes of other runs, which a run starts that
    submits others, are not.

    Parameters
    ----------
    leader : int
        Process id of the run's monitor.
    run_id : str
        Id of the run.
    """
    processes: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(process.pid) == leader:
                processes[process.pid] = process
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in psutil.Process(leader).children(recursive=True):
            processes[process.pid] = process
    processes.pop(leader, None)
    return [process for process in processes.values() if _works(process) and _mark(process) in (run_id, None)]


def marked(run_id: str, claim: str | None = None) -> list[psutil.Process]:
    """Return the working processes that inherited a run's mark, without this one.

    They include what descent does not show: an orphan that opened a session of its own. A process of another run
    that reuses a pid does not have the mark.

    Parameters
    ----------
    run_id : str
        Id of the run.
    claim : str, optional
        Token of the claim that they act for, so that those of another attempt are left out.
    """
    processes = []
    for process in psutil.process_iter():
        if process.pid != os.getpid() and _mark(process) == run_id and claim in (None, _claim(process) or claim):
            processes.append(process)
    return processes


def _claim(process: psutil.Process) -> str | None:
    """Return the claim that a process acts for; None where it has none, as in a sandbox, or cannot be asked."""
    with contextlib.suppress(psutil.Error, OSError):
        claim: str | None = process.environ().get(CLAIM)
        return claim
    return None


def _mark(process: psutil.Process) -> str | None:
    """Return the id of the run that a process belongs to; None when it has no mark, or cannot be asked."""
    with contextlib.suppress(psutil.Error, OSError):  # ended, a zombie, or another user's
        mark: str | None = process.environ().get(MARK)
        return mark
    return None


def _works(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def resident_mb(processes: Iterable[psutil.Process]) -> float:
    """Return the resident memory of all processes together, in MB (2**20 bytes)."""
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            total += process.memory_info().rss
    return total / 2**20


def end(find: Callable[[], Iterable[psutil.Process]], grace_s: float) -> None:
    """End all processes that `find` returns: TERM, then KILL for those still there after `grace_s` seconds."""
    known = {process.pid: process for process in find()}
    for process in known.values() if grace_s else ():
        with contextlib.suppress(psutil.Error):
            process.terminate()
    deadline = time.monotonic() + grace_s
    while time.monotonic() < deadline and any(_works(process) for process in known.values()):
        time.sleep(0.05)
    # A process may have started others in the meantime: repeat until none is left.
    for _ in range(20):
        known |= {process.pid: process for process in find()}
        left = [process for process in known.values() if _works(process)]
        if not left:
            return
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGKILL)
        time.sleep(0.05)
