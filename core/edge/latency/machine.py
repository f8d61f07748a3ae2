"""The machine of a measurement: its name, its load, and the cores that the measuring process is pinned to."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path

import psutil

__all__ = ["cpu_name", "governor", "load_average", "pick_cores"]

_SAMPLE_S = 0.1


def pick_cores(count: int) -> list[int]:
    """Return the cores to pin a measuring process to: the idlest, and not this process's own where others are as idle.

    Parameters
    ----------
    count : int
        Number of cores.

    Returns
    -------
    list of int
        Sorted; empty where the system cannot pin processes.

    Examples
    --------
    >>> len(pick_cores(1)) in (0, 1)
    True
    """
    if not hasattr(os, "sched_getaffinity"):
        return []
    allowed = sorted(os.sched_getaffinity(0))
    if count >= len(allowed):
        return allowed
    shares = psutil.cpu_percent(interval=_SAMPLE_S, percpu=True)
    own = psutil.Process().cpu_num()

    def cost(core: int) -> tuple[int, bool, int]:
        busy = shares[core] if core < len(shares) else 0.0
        return round(busy / 20), core == own, core

    return sorted(sorted(allowed, key=cost)[:count])


def cpu_name() -> str:
    """Return the processor's name.

    Examples
    --------
    >>> cpu_name() != ""
    True
    """
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def governor(core: int) -> str | None:
    """Return the governor of a core's frequency, where it can be read."""
    with contextlib.suppress(OSError):
        return Path(f"/sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor").read_text().strip()
    return None


def load_average() -> float | None:
    """Return the load average of the last minute, where the system has one."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None
