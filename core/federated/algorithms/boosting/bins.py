"""Bins of encoded features, from shared statistics: the same at each site."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bins", "make_bins"]


@dataclass(frozen=True)
class Bins:
    """Bins of all features.

    Parameters
    ----------
    edges : list of array
        Upper edges of all but the last bin of each feature; a value at an edge is below it.
    """

    edges: list[NDArray[np.float64]]

    @property
    def counts(self) -> NDArray[np.intp]:
        """Number of bins of each feature."""
        return np.array([len(edges) + 1 for edges in self.edges], dtype=np.intp)

    @property
    def offsets(self) -> NDArray[np.intp]:
        """Position of the first bin of each feature in a histogram, and the length of the histogram at the end."""
        return np.concatenate([[0], np.cumsum(self.counts)]).astype(np.intp)

    def positions(self, X: NDArray[np.floating]) -> NDArray[np.int32]:
        """Return the position in a histogram of each value, shape (n, features)."""
        columns = [
            np.searchsorted(edges, X[:, index].astype(np.float64), side="left") + offset
            for index, (edges, offset) in enumerate(zip(self.edges, self.offsets[:-1], strict=True))
        ]
        return np.asarray(np.column_stack(columns), dtype=np.int32)


def make_bins(summary: NDArray[np.floating], most: int) -> Bins:
    """Return bins between the values that encoded shared statistics have.

    Parameters
    ----------
    summary : array of shape (rows, features)
        Encoded rows of `summary_table`: quantiles of numbers, categories as columns or codes.
    most : int
        Maximum number of bins of a feature.

    Examples
    --------
    >>> make_bins(np.array([[0.0, 5.0], [1.0, 5.0], [3.0, 5.0]]), 63).edges
    [array([0.5, 2. ]), array([], dtype=float64)]
    """
    edges = []
    for column in np.asarray(summary, dtype=np.float64).T:
        values, counts = np.unique(column, return_counts=True)
        middles = (values[:-1] + values[1:]) / 2
        if len(values) > most:
            below = np.cumsum(counts)[:-1]
            wanted = np.arange(1, most) * counts.sum() / most
            middles = middles[np.unique(np.clip(np.searchsorted(below, wanted), 0, len(middles) - 1))]
        edges.append(middles)
    return Bins(edges)
