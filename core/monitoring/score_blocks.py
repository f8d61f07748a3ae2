"""Rows of a binary model gathered by their score, so that metrics cost as much as there are distinct scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ScoreBlocks"]

Array = NDArray[np.float64]

_SMALLEST = 1e-15


@dataclass(frozen=True, eq=False)
class ScoreBlocks:
    """Rows in blocks of equal or neighboring scores, in ascending order.

    Parameters
    ----------
    score : array of shape (k,)
        Mean score of each block.
    count : array of shape (k,) or (draws, k)
        Rows of each block, or those of several resamples.
    selected : array of bool of shape (k,)
        Whether the rows of a block have at least the threshold. No block has rows on both sides of it.
    loss_positive, loss_negative : array of shape (k,)
        Mean log loss of a block's rows where they are positive, and where they are negative.
    square_positive, square_negative : array of shape (k,)
        Mean squared distance of the score from 1, and from 0.

    Examples
    --------
    >>> blocks = ScoreBlocks.of(np.array([0.2, 0.8, 0.2]), threshold=0.5)
    >>> blocks.score.tolist(), blocks.count.tolist(), blocks.selected.tolist()
    ([0.2, 0.8], [2.0, 1.0], [False, True])
    """

    score: Array
    count: Array
    selected: NDArray[np.bool_]
    loss_positive: Array
    loss_negative: Array
    square_positive: Array
    square_negative: Array

    @classmethod
    def of(cls, scores: Array, *, threshold: float, limit: int | None = None) -> ScoreBlocks:
        """Return the blocks of scores.

        Parameters
        ----------
        scores : array of shape (n,)
            Scores of the rows.
        threshold : float
            Score from which a row is selected.
        limit : int, optional
            Number of blocks from which neighboring scores are put together, to about this many; by default never.
        """
        codes = block_codes(scores, threshold=threshold, limit=limit)
        count = np.bincount(codes).astype(np.float64)
        inside = np.clip(scores, _SMALLEST, 1 - _SMALLEST)

        def mean(values: Array) -> Array:
            return np.asarray(np.bincount(codes, values) / count)

        score = mean(scores)
        return cls(
            score,
            count,
            np.bincount(codes, scores >= threshold) > 0,
            mean(-np.log(inside)),
            mean(-np.log1p(-inside)),
            mean((1 - scores) ** 2),
            mean(scores**2),
        )

    @property
    def rows(self) -> Array:
        """Rows of all blocks, of each resample."""
        return np.asarray(self.count.sum(axis=-1))


def block_codes(scores: Array, *, threshold: float, limit: int | None) -> NDArray[np.intp]:
    """Return the block of each row, numbered by ascending scores."""
    distinct, codes = np.unique(scores, return_inverse=True)
    if limit is not None and len(distinct) > limit:
        edges = np.quantile(scores, np.linspace(0, 1, limit + 1)[1:-1])
        merged = np.searchsorted(np.unique(np.append(edges, threshold)), distinct, side="right")
        codes = np.unique(merged, return_inverse=True)[1][codes]
    return np.asarray(codes, dtype=np.intp)
