"""The memory and processor time that this process, and the others on the machine, use. Measuring process only."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import time
from pathlib import Path

import psutil

__all__ = ["Others", "confine", "peak_mb", "resident_mb"]

_ADDRESSES_MB = 8_192  # threads and memory-mapped files take address space, but no memory


def confine(cores: list[int], memory_mb: int) -> None:
    """Pin this process to some cores, and let a single huge allocation fail at once.

    The parent watches memory that grows step by step.

    Parameters
    ----------
    cores : list of int
        Cores to pin the process to; empty pins nothing.
    memory_mb : int
        Limit of the memory, MB.
    """
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    limit = (memory_mb + _ADDRESSES_MB) * 2**20
    with contextlib.suppress(ValueError, OSError):  # macOS has no such limit; a lower one may be set already
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def resident_mb() -> float:
    """Return the resident memory, MB."""
    return float(psutil.Process().memory_info().rss) / 2**20


def peak_mb() -> float:
    """Return the peak of the resident memory since this program began, MB."""
    # ru_maxrss would count what the parent had when it started this process: Linux hands it over.
    with contextlib.suppress(OSError, IndexError, ValueError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


class Others:
    """Measures the processor time of other processes since it was created."""

    def __init__(self) -> None:
        self._busy, self._own, self._started = _busy_s(), time.process_time(), time.perf_counter()

    def cores(self) -> float | None:
        """Return how many cores other processes used on average; None where the system does not say."""
        passed = time.perf_counter() - self._started
        busy, own = _busy_s() - self._busy, time.process_time() - self._own
        # A system that counts nothing (some sandboxes) shows not even this process.
        return None if busy == 0 and own > 0.1 else max(0.0, busy - own) / passed


def _busy_s() -> float:
    times = psutil.cpu_times()._asdict()
    # "guest" is in "user" already; what the hypervisor steals is used by others, too.
    return float(sum(times.get(name, 0.0) for name in ("user", "nice", "system", "irq", "softirq", "steal")))
