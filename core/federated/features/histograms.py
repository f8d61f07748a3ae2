"""Distributions of numbers over all sites, from counts of at least ten rows.

A site is asked how many of its rows lie below some edges, and says so of those where no interval between all that it
has ever said has one to nine rows. The first edges are the same for every column: powers of two. The next ones are
quantiles of what is known by then, so that after some rounds an integer has a cell of its own, and a long tail a few
wide ones.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.features import LARGEST

__all__ = ["CELLS", "REFINEMENTS", "KnownCuts", "ReleasedCuts", "first_edges", "quantiles"]

CELLS = 64
"""Cells between quantiles that are asked for."""
REFINEMENTS = 5
"""Number of times that a distribution is refined."""
_SMALLEST_POWER = -40
_SPARSER = 2.0  # the density of the last rows to that of those before them

Doubles = NDArray[np.float64]


def first_edges() -> Doubles:
    """Return the first edges: powers of two on both sides of zero."""
    powers = 2.0 ** np.arange(_SMALLEST_POWER, np.ceil(np.log2(LARGEST)) + 1)
    return np.concatenate([-powers[::-1], [0.0], powers])


@dataclass
class ReleasedCuts:
    """What a site has said of one column: where it was cut, and how many rows lie below each cut.

    A further cut is made only where every interval between all cuts so far has no row, or enough of them: so nobody
    learns of fewer rows by taking one answer from another.

    Parameters
    ----------
    values : array of shape (n,)
        Numbers of the site, sorted, without missing ones.
    least : int
        Rows of an interval, at least.
    below : list of int, default=[]
        Rows below each cut so far, in increasing order.

    Examples
    --------
    >>> cuts = ReleasedCuts(np.arange(25.0), 10)
    >>> [item.tolist() for item in cuts.release(np.array([0.0, 5.0, 12.0, 20.0, 32.0]))]
    [[2, 4], [12, 25]]
    >>> [item.tolist() for item in cuts.release(np.array([0.0, 11.0, 13.0, 32.0]))]
    [[0, 3], [0, 25]]
    """

    values: Doubles
    least: int
    below: list[int] = field(default_factory=list)

    def release(self, edges: Doubles) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return those of some edges at which the column may be cut, and the rows below them.

        Parameters
        ----------
        edges : array of shape (n,)
            Increasing edges.

        Returns
        -------
        positions, below : arrays of int32
            Positions of edges, and the number of rows below each.
        """
        total, first = len(self.values), not self.below
        positions: list[int] = []
        rows_below: list[int] = []
        if total < self.least:
            return np.array(positions, dtype=np.int32), np.array(rows_below, dtype=np.int32)
        counts = np.searchsorted(self.values, edges, side="left")
        cells = np.diff(counts, prepend=0)  # rows between an edge and the one before it
        start = int(np.searchsorted(counts, 0, side="right")) - 1  # the last edge without rows below it
        if 0 <= start < len(edges) - 1 and cells[start + 1] >= self.least:
            positions.append(start)
            rows_below.append(0)
        for position in np.flatnonzero(cells):
            rows = int(counts[position])
            whole = rows == total and (first or cells[position] >= self.least)
            if whole or (rows < total and rows not in self.below and self._may_cut(rows)):
                if rows not in self.below:
                    bisect.insort(self.below, rows)
                positions.append(int(position))
                rows_below.append(rows)
        return np.asarray(positions, dtype=np.int32), np.asarray(rows_below, dtype=np.int32)

    def _may_cut(self, rows: int) -> bool:
        """Return whether a cut with so many rows below it leaves no interval with too few."""
        index = bisect.bisect_left(self.below, rows)
        before = self.below[index - 1] if index else 0
        after = self.below[index] if index < len(self.below) else len(self.values)
        return rows - before >= self.least and (after == rows or after - rows >= self.least)


@dataclass
class KnownCuts:
    """What a coordinator knows of one column at one site.

    Parameters
    ----------
    cuts : list of (float, float, int), default=[]
        Cuts in increasing order: the edge, the edge before it when it was asked for, and the rows below.
    """

    cuts: list[tuple[float, float, int]] = field(default_factory=list)

    def add(self, edges: Doubles, positions: NDArray[np.int32], below: NDArray[np.int32]) -> None:
        """Take what a site has said of some edges."""
        for position, rows in zip(positions.tolist(), below.tolist(), strict=True):
            if 0 <= position < len(edges):
                before = float(edges[max(position - 1, 0)])
                bisect.insort(self.cuts, (float(edges[position]), before, int(rows)))

    def intervals(self) -> list[tuple[float, float, int]]:
        """Return intervals with their rows.

        Rows below the first cut are taken to lie shortly below it, and those above the last one not much sparser than
        those before it: nobody says how far they reach.
        """
        intervals: list[tuple[float, float, int]] = []
        last, rows_so_far = -np.inf, 0
        for edge, before, rows in self.cuts:
            if rows > rows_so_far:
                intervals.append((before if np.isinf(last) else last, edge, rows - rows_so_far))
            last, rows_so_far = edge, max(rows, rows_so_far)
        if len(intervals) > 1:
            (low, high, count), (start, end, rows) = intervals[-2:]
            intervals[-1] = (start, min(end, start + _SPARSER * (high - low) * rows / count), rows)
        return intervals


def quantiles(sites: list[KnownCuts], shares: Doubles) -> Doubles:
    """Return quantiles over several sites, whose rows are spread evenly within each interval.

    Parameters
    ----------
    sites : list of KnownCuts
        Knowledge of each site.
    shares : array
        Shares from 0 to 1.

    Returns
    -------
    array
        As many numbers; none where nothing is known.

    Examples
    --------
    >>> known = KnownCuts([(10.0, 0.0, 50), (20.0, 10.0, 100)])
    >>> quantiles([known], np.array([0.0, 0.25, 0.5, 0.75, 1.0])).tolist()
    [0.0, 5.0, 10.0, 15.0, 20.0]
    """
    intervals = [interval for site in sites for interval in site.intervals()]
    if not intervals:
        return np.array([], dtype=np.float64)
    low, high, rows = (np.asarray(part, dtype=np.float64) for part in zip(*intervals, strict=True))
    points = np.unique(np.concatenate([low, high]))
    # The distribution is a sum of lines: each interval rises from its low to its high edge.
    heights = np.zeros(len(points))
    for start, end, count in zip(low, high, rows, strict=True):
        heights += count * np.clip((points - start) / (end - start), 0.0, 1.0)
    heights /= rows.sum()
    return np.asarray(np.interp(shares, heights, points))
