"""What a run needs of the machine that it works on: cores, GPUs and memory."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.jsonable import JsonObject
from core.units import size_text

__all__ = ["Needs", "estimate_memory_mb", "table_needs"]

_LIBRARIES_MB = 700
"""Memory of a process that has loaded the libraries of a search."""
_CELL_BYTES = 8
_COPIES = 5
"""Copies of a table that work on it has at the same time, as measured at the peak of searches and scores."""


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


def estimate_memory_mb(rows: int, columns: int, *, processes: int = 1) -> int:
    """Estimate the memory of work on a table (MB, 2**20 bytes).

    Parameters
    ----------
    rows, columns : int
        Size of the table.
    processes : int, default=1
        Number of processes that have libraries and a copy of the table each.

    Examples
    --------
    >>> estimate_memory_mb(0, 0), estimate_memory_mb(1_000_000, 50)
    (700, 2700)
    """
    table = rows * columns * _CELL_BYTES * (_COPIES + processes - 1)
    return math.ceil((table / 2**20 + _LIBRARIES_MB * processes) / 100) * 100


def table_needs(settings: JsonObject, rows: int, columns: int) -> Needs:
    """Return what most kinds of run need: one core, and memory by the size of their table."""
    return Needs(memory_mb=estimate_memory_mb(rows, columns))
