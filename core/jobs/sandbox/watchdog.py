"""Watches what the processes of a sandbox take together, many times per second, and ends them when it is too much."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from core.catalog import RunState
from core.jobs.ending import Ending
from core.jobs.sandbox.folders import RunFolders
from core.jobs.sandbox.limits import SandboxLimits

__all__ = ["Watchdog", "resident_bytes", "used_disk_bytes", "used_memory_bytes"]

_MEMORY_EVERY_S = 0.05
_DISK_EVERY_S = 0.25
_PAGE = os.sysconf("SC_PAGE_SIZE")
_BLOCK = 512
_log = logging.getLogger(__name__)


class Watchdog(threading.Thread):
    """A thread of the monitor that kills a sandbox which takes too much.

    Parameters
    ----------
    pid : int
        Process id of bubblewrap: when it ends, the whole sandbox does.
    limits : SandboxLimits
        Limits of the run.
    folders : RunFolders
        Folders of the run.
    """

    def __init__(self, pid: int, limits: SandboxLimits, folders: RunFolders) -> None:
        super().__init__(name="sandbox-watchdog", daemon=True)
        self.breach: Ending | None = None
        self._pid = pid
        self._limits = limits
        self._folders = folders
        self._ended = threading.Event()

    def run(self) -> None:
        """Look until the sandbox has ended or is told to."""
        disk_at = 0.0
        while not self._ended.wait(_MEMORY_EVERY_S):
            try:
                self._check_memory()
                if self.breach is None and time.monotonic() > disk_at:
                    self._check_disk()
                    disk_at = time.monotonic() + _DISK_EVERY_S
            except OSError:  # a folder or a process that vanished while it was read
                _log.warning("a look at the sandbox failed; trying again", exc_info=True)
            if self.breach is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._pid, signal.SIGKILL)
                return

    def end(self) -> None:
        """Stop looking."""
        self._ended.set()
        self.join()

    def _check_memory(self) -> None:
        used_mb = resident_bytes(self._pid) >> 20
        if used_mb > self._limits.memory_mb:  # where processes share memory, it was counted for each of them
            used_mb = used_memory_bytes(self._pid) >> 20
        if used_mb > self._limits.memory_mb:
            self.breach = Ending(
                RunState.OUT_OF_MEMORY,
                error_message=f"The run used {used_mb:,} MB; its limit is {self._limits.memory_mb:,} MB.",
                error_hint="Use fewer rows or columns, or raise PLUMBLINE_MEMORY_LIMIT_MB.",
            )

    def _check_disk(self) -> None:
        used_mb = used_disk_bytes(self._folders.measured(), self._pid) >> 20
        if used_mb > self._limits.disk_mb:
            self.breach = Ending(
                RunState.FAILED,
                error_message=f"The run's files took {used_mb:,} MB; its limit is {self._limits.disk_mb:,} MB.",
                error_hint="Use fewer rows or columns, or raise PLUMBLINE_RUN_DISK_MB.",
            )


def descendants(pid: int) -> Iterator[int]:
    """Yield a process and all that descend from it."""
    pending = [pid]
    while pending:
        pid = pending.pop()
        yield pid
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                    pending += map(int, file.read().split())


def resident_bytes(pid: int) -> int:
    """Return the memory of a process and its descendants that is in use now."""
    total = 0
    for process in descendants(pid):
        with contextlib.suppress(OSError), open(f"/proc/{process}/statm", encoding="ascii") as file:
            total += int(file.read().split()[1]) * _PAGE
    return total


def used_memory_bytes(pid: int) -> int:
    """Return the memory of a process and its descendants, with what they share counted once; it takes longer."""
    total = 0
    for process in descendants(pid):
        with contextlib.suppress(OSError), open(f"/proc/{process}/smaps_rollup", encoding="ascii") as file:
            total += sum(int(line.split()[1]) << 10 for line in file if line.startswith("Pss:"))
    return total


def used_disk_bytes(folders: list[Path], pid: int) -> int:
    """Return the disk space of files in these folders, and of deleted files that processes still have open."""
    inodes: dict[tuple[int, int], int] = {}
    for folder in folders:
        for parent, _, files in os.walk(folder):
            for name in files:
                with contextlib.suppress(OSError):
                    _count(inodes, os.lstat(os.path.join(parent, name)))
    for process in descendants(pid):
        with contextlib.suppress(OSError):
            for file in os.listdir(f"/proc/{process}/fd"):
                with contextlib.suppress(OSError):
                    status = os.stat(f"/proc/{process}/fd/{file}")
                    if status.st_nlink == 0 and stat.S_ISREG(status.st_mode):
                        _count(inodes, status)
    return sum(inodes.values())


def _count(inodes: dict[tuple[int, int], int], status: os.stat_result) -> None:
    inodes[status.st_dev, status.st_ino] = status.st_blocks * _BLOCK
