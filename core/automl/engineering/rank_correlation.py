"""How much a feature says about a target, whatever the shape of a monotone relation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["RankCorrelation", "standardized_ranks"]


def standardized_ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the ranks of values, ties in the middle, with the mean 0 and the standard deviation 1; of a constant 0.

    Examples
    --------
    >>> standardized_ranks(np.array([10.0, 10.0, 99.0, 99.0])).tolist()
    [-1.0, -1.0, 1.0, 1.0]
    """
    from scipy.stats import rankdata

    ranks: NDArray[np.float64] = rankdata(values)
    spread = ranks.std()
    return (ranks - ranks.mean()) / spread if spread > 0 else np.zeros(len(ranks))


class RankCorrelation:
    """The size of Spearman's rank correlation with a target; of several targets the largest.

    Parameters
    ----------
    targets : array of shape (n, m)
        Targets.

    Examples
    --------
    >>> related = RankCorrelation(np.array([[1.0], [2.0], [3.0]]))
    >>> round(related(np.array([9.0, 4.0, 1.0])), 6)
    1.0
    """

    def __init__(self, targets: NDArray[np.float64]) -> None:
        self._ranks = np.stack([standardized_ranks(target) for target in targets.T])

    def __call__(self, values: NDArray[np.floating]) -> float:
        """Return the correlation with a feature, shape (n,)."""
        return self.of_ranks(standardized_ranks(values))

    def of_ranks(self, ranks: NDArray[np.float64]) -> float:
        """Return the correlation with a feature by its standardized ranks."""
        return float(np.abs(self._ranks @ ranks).max(initial=0.0)) / len(ranks)
