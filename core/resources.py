"""Cores and memory that this process may use: those of its container or job, and not all of the machine's."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["CORES", "MEMORY_MB", "usable_cores", "usable_memory"]

CORES = "PLUMBLINE_RUN_CPUS"
"""Environment variable with the cores that an engine gave to the run of this process."""
MEMORY_MB = "PLUMBLINE_RUN_MEMORY_MB"
"""Environment variable with the memory that it gave."""

_GROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")
_UNLIMITED = 1 << 60  # bytes from which a limit of the first version of control groups is none


def usable_cores() -> int:
    """Return how many cores this process may use: those that it may run on, as far as its quota of time goes.

    A quota of one and a half cores counts as two.

    Examples
    --------
    >>> 1 <= usable_cores() <= (os.cpu_count() or 1)
    True
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [math.ceil(quota) for quota in _quotas() if quota > 0]
    return max(1, min([allowed, *quotas, *_granted(CORES)]))


def usable_memory(*, granted: bool = True) -> int:
    """Return how much memory this process and its container may use (bytes).

    Parameters
    ----------
    granted : bool, default=True
        Whether the memory counts that an engine gave, which is an estimate of what the run needs.

    Examples
    --------
    >>> import psutil
    >>> 0 < usable_memory() <= psutil.virtual_memory().total
    True
    """
    import psutil  # which bundles of models do without

    limits = [megabytes * 2**20 for megabytes in _granted(MEMORY_MB)] if granted else []
    return min([int(psutil.virtual_memory().total), *_memory_limits(), *limits])


def _granted(name: str) -> Iterator[int]:
    """Yield what an engine gave, which need not hold its jobs to it."""
    value = os.environ.get(name, "")
    if value.isdigit() and int(value) > 0:
        yield int(value)


def _quotas() -> Iterator[float]:
    """Yield the cores' worth of time that each control group around this process allows."""
    for folder in _folders(""):
        quota, _, period = _text(folder / "cpu.max").partition(" ")
        if quota.isdigit() and period.strip().isdigit():
            yield int(quota) / int(period)
    for folder in _folders("cpu"):
        quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit() and int(period):
            yield int(quota) / int(period)


def _memory_limits() -> Iterator[int]:
    """Yield the limit of memory of each control group around this process."""
    files = [folder / "memory.max" for folder in _folders("")]
    files += [folder / "memory.limit_in_bytes" for folder in _folders("memory")]
    for file in files:
        limit = _text(file)
        if limit.isdigit() and 0 < int(limit) < _UNLIMITED:
            yield int(limit)


def _folders(controller: str) -> Iterator[Path]:
    """Yield the folders of the control groups around this process, the innermost first.

    Parameters
    ----------
    controller : str
        Controller of the first version of control groups; empty for the second version, which has one tree.
    """
    for line in _text(_OWN).splitlines():
        _, names, path, *_ = [*line.split(":", 2), "", ""]
        if controller not in names.split(","):
            continue
        root = _GROUPS / names if controller else _GROUPS
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for count in range(len(parts), -1, -1):  # within a container its own group is the root
            yield root.joinpath(*parts[:count])
        return


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:  # another system than Linux, or a group without this limit
        return ""
