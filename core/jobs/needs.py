"""What a run needs of the machine that it works on: cores, GPUs and memory."""

from __future__ import annotations

from dataclasses import dataclass

from core.units import size_text

__all__ = ["Needs"]


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a run needs to itself while it works.

    Parameters
    ----------
    cpus : int, default=1
        Number of cores.
    gpus : int, default=0
        Number of GPUs.
    memory_mb : int, default=1000
        Memory (MB, 2**20 bytes).

    Examples
    --------
    >>> print(Needs(cpus=4, memory_mb=6_000))
    4 CPUs and 6.3 GB of memory
    """

    cpus: int = 1
    gpus: int = 0
    memory_mb: int = 1_000

    def __str__(self) -> str:
        parts = ["1 CPU" if self.cpus == 1 else f"{self.cpus:,} CPUs"]
        if self.gpus:
            parts.append("1 GPU" if self.gpus == 1 else f"{self.gpus:,} GPUs")
        return f"{', '.join(parts)} and {size_text(self.memory_mb * 2**20)} of memory"

    def fit(self, *, cpus: float, gpus: float, memory_mb: float) -> bool:
        """Return whether a machine with this much to give can hold the run."""
        return self.cpus <= cpus and self.gpus <= gpus and self.memory_mb <= memory_mb
