"""What a sandboxed run may take, and how its own processes are held to it."""

from __future__ import annotations

import contextlib
import resource
from dataclasses import asdict, dataclass
from pathlib import Path

from core.catalog import Run
from core.jsonable import JsonObject
from core.resources import usable_cores, usable_memory
from core.settings import Settings

__all__ = ["SandboxLimits"]

_SHARE_OF_MEMORY = 0.75
_SLACK_BYTES = 2 << 30
"""Private memory that a process may reserve above the limit: stacks of threads and pools that are never filled."""
_OPEN_FILES = 4_096
_OOM_SCORE = 800
_CPU_SLACK_S = 60


@dataclass(frozen=True)
class SandboxLimits:
    """Limits of one run.

    Parameters
    ----------
    memory_mb : int
        Memory of all processes together (MB).
    disk_mb : int
        Disk space of all its files together (MB).
    processes : int
        Number of processes and threads.
    cpu_s : float or None
        Processor time of one process (seconds).
    """

    memory_mb: int
    disk_mb: int
    processes: int
    cpu_s: float | None

    @classmethod
    def of(cls, run: Run, settings: Settings) -> SandboxLimits:
        """Return the limits of a run; without a memory limit of its own, a share of the machine's memory."""
        machine_mb = int(usable_memory(granted=False) * _SHARE_OF_MEMORY) >> 20
        cores = usable_cores()
        return cls(
            memory_mb=min(run.memory_limit_mb or machine_mb, machine_mb),
            disk_mb=settings.run_disk_mb,
            processes=settings.run_processes,
            cpu_s=None if run.timeout_s is None else run.timeout_s * cores + _CPU_SLACK_S,
        )

    def to_dict(self) -> JsonObject:
        """Return the limits as JSON-serializable values."""
        return asdict(self)

    def apply(self) -> None:
        """Hold this process, and all that it starts, to the limits for good.

        The limits of memory and files are those of each process alone; the watchdog of the monitor adds them up.
        """
        limits = {
            resource.RLIMIT_DATA: self.memory_mb * 2**20 + _SLACK_BYTES,
            resource.RLIMIT_NPROC: self.processes,
            resource.RLIMIT_FSIZE: self.disk_mb * 2**20,
            resource.RLIMIT_NOFILE: _OPEN_FILES,
            resource.RLIMIT_CORE: 0,
        }
        if self.cpu_s is not None:
            limits[resource.RLIMIT_CPU] = int(self.cpu_s)
        for kind, value in limits.items():
            _, hard = resource.getrlimit(kind)
            bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (bound, bound))
        with contextlib.suppress(OSError):  # where it cannot be set, the system chooses as for any other process
            Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE))
