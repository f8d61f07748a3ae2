"""How often the system ended a process because it ran out of memory."""

from __future__ import annotations

from pathlib import Path

__all__ = ["oom_kills"]

_COUNTERS = Path("/proc/vmstat")


def oom_kills() -> int:
    """Return the number of such processes since the system started; 0 where it is not known."""
    try:
        lines = _COUNTERS.read_text(encoding="utf-8").splitlines()
    except OSError:  # another system than Linux, or a closed one
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
