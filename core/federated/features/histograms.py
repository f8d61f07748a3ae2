"""Distributions of numbers over all sites, from counts of at least ten rows.

The first cells are the same for every column: powers of two. The next ones are quantiles of what the counts before
have shown, so that after three rounds an integer has a cell of its own, and a long tail a few wide ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.features import LARGEST

__all__ = ["CELLS", "REFINEMENTS", "first_edges", "merged_counts", "quantiles", "refined_edges"]

CELLS = 64
"""Cells of a refined histogram, at most."""
REFINEMENTS = 3
"""Number of times that a histogram is refined."""
_SMALLEST_POWER = -40

Doubles = NDArray[np.float64]


def first_edges() -> Doubles:
    """Return the first edges: powers of two on both sides of zero."""
    powers = 2.0 ** np.arange(_SMALLEST_POWER, np.ceil(np.log2(LARGEST)) + 1)
    return np.concatenate([-powers[::-1], [0.0], powers])


def merged_counts(values: Doubles, edges: Doubles, least: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the cells of a site's histogram, each with so many rows that it may leave the site.

    Cells are joined from left to right until there are enough rows; what is left over at the end is joined to the
    last one.

    Parameters
    ----------
    values : array of shape (n,)
        Numbers of the site, without missing ones.
    edges : array of shape (cells + 1,)
        Increasing edges; a value at an edge is in the cell to its right, and those outside are in the outermost cells.
    least : int
        Rows of a count, at least.

    Returns
    -------
    positions, counts : arrays of int32
        Cell in which each group of joined cells ends, and its count.

    Examples
    --------
    >>> positions, counts = merged_counts(np.arange(25.0), np.array([0.0, 5.0, 12.0, 20.0, 25.0]), 10)
    >>> positions.tolist(), counts.tolist()
    ([1, 3], [12, 13])
    """
    cells = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(cells, minlength=len(edges) - 1)
    positions, totals, running = [], [], 0
    for cell in np.flatnonzero(counts):
        running += int(counts[cell])
        if running >= least:
            positions.append(int(cell))
            totals.append(running)
            running = 0
    if running and totals:
        totals[-1] += running
    return np.asarray(positions, dtype=np.int32), np.asarray(totals, dtype=np.int32)


def refined_edges(edges: Doubles, counts: Doubles, cells: int = CELLS) -> Doubles:
    """Return edges that divide what counts have shown into parts of equal size, besides the edges of what they cover.

    Parameters
    ----------
    edges : array of shape (cells + 1,)
        Edges of the counts.
    counts : array of shape (cells,)
        Counts over all sites.
    cells : int, default=64
        Number of parts.
    """
    return np.unique(quantiles(edges, counts, np.linspace(0, 1, cells + 1)))


def quantiles(edges: Doubles, counts: Doubles, shares: Doubles) -> Doubles:
    """Return quantiles of a histogram whose values are spread evenly within a cell.

    Parameters
    ----------
    edges : array of shape (cells + 1,)
        Edges of the cells.
    counts : array of shape (cells,)
        Counts, not all zero.
    shares : array
        Shares from 0 to 1.
    """
    used = np.flatnonzero(counts)
    heights = np.concatenate([[0.0], np.cumsum(counts[used])]) / counts.sum()
    position = np.clip(np.searchsorted(heights, shares, side="right") - 1, 0, len(used) - 1)
    low, high = edges[used[position]], edges[used[position] + 1]
    within = (shares - heights[position]) / (heights[position + 1] - heights[position])
    return np.asarray(low + within * (high - low))
