"""How many rows of a table work in memory, of a table that may be larger than that."""

from __future__ import annotations

from core.resources import usable_memory

__all__ = ["memory_bytes", "rows_in_memory"]

_CELL_BYTES = 8
_WORK = 5
"""Copies of the cells that work on a table has at its peak: the frame, codes of its columns, parts of them."""


def memory_bytes(rows: int, columns: int) -> int:
    """Estimate the memory that work on a whole table takes at its peak (bytes).

    Examples
    --------
    >>> memory_bytes(1_000_000, 50)
    2000000000
    """
    return rows * columns * _CELL_BYTES * _WORK


def rows_in_memory(columns: int, *, share: float = 0.25) -> int:
    """Return how many rows of a table this process can work on.

    Parameters
    ----------
    columns : int
        Number of columns.
    share : float, default=0.25
        Part of the memory of this process and its container that the work may take.

    Examples
    --------
    >>> rows_in_memory(50) > 1_000
    True
    """
    return max(1_000, int(usable_memory() * share) // memory_bytes(1, max(columns, 1)))
