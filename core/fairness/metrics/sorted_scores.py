"""Scores sorted once per group: every count at any threshold afterwards, without the rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from core.errors import InputError
from core.fairness.metrics.arrays import BoolArray, FloatArray, IndexArray

__all__ = ["SortedScores", "as_scores"]


def as_scores(values: ArrayLike) -> FloatArray:
    """Return scores as numbers.

    Raises
    ------
    InputError
        When they are not finite numbers.
    """
    try:
        scores = np.asarray(values, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"The scores are not numbers ({error}).", "Give probabilities or any other numbers."
        ) from error
    infinite = int(np.count_nonzero(~np.isfinite(scores)))
    if infinite:
        raise InputError(f"{infinite:,} scores are not finite.", "Leave these rows out, and report how many they are.")
    return scores


@dataclass(frozen=True)
class SortedScores:
    """The distinct scores of each group, highest first, with the rows at and above each.

    Parameters
    ----------
    score : array of shape (d,)
        Distinct scores, group after group.
    selected, hits : array of shape (d,)
        Rows of the group whose score is at least this one, and positive rows among them.
    starts : array of shape (groups + 1,)
        Position at which each group begins.
    """

    score: FloatArray
    selected: FloatArray
    hits: FloatArray
    starts: IndexArray

    @classmethod
    def build(
        cls,
        scores: FloatArray,
        positive: BoolArray,
        codes: IndexArray,
        groups: int,
        weights: FloatArray | None = None,
    ) -> SortedScores:
        """Sort the rows by group and score."""
        order = np.argsort(-scores)
        # The second sort is by a small integer and keeps the order within: a radix sort, which is nearly free.
        small = codes[order].astype(np.int16 if groups < 2**15 else np.int64)
        order = order[np.argsort(small, kind="stable")]
        score, group, label = scores[order], codes[order], positive[order]
        new = np.empty(len(score), dtype=bool)
        new[:1] = True
        np.logical_or(score[1:] != score[:-1], group[1:] != group[:-1], out=new[1:])
        first = np.flatnonzero(new)
        starts = np.searchsorted(group[first], np.arange(groups + 1))
        ends = np.append(first[1:], len(score))
        if weights is None:
            other = ends.astype(np.float64)
            hits = np.concatenate([[0], np.cumsum(label)])[ends].astype(np.float64)
        else:
            # Both labels by themselves, so that a sum of none is exactly 0.
            weight = weights[order]
            other = np.concatenate([[0.0], np.cumsum(weight * ~label)])[ends]
            hits = np.concatenate([[0.0], np.cumsum(weight * label)])[ends]
        for sums in (other, hits):  # from sums over all groups to sums within each
            base = np.where(starts[:-1] > 0, sums[np.maximum(starts[:-1] - 1, 0)], 0.0)
            sums -= np.repeat(base, np.diff(starts))
        return cls(score[first], other if weights is None else other + hits, hits, starts)

    @property
    def groups(self) -> int:
        """Number of groups."""
        return len(self.starts) - 1

    def of(self, group: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return score, selected and hits of one group, beginning with a threshold that selects nothing."""
        part = slice(self.starts[group], self.starts[group + 1])
        return (
            np.concatenate([[np.inf], self.score[part]]),
            np.concatenate([[0.0], self.selected[part]]),
            np.concatenate([[0.0], self.hits[part]]),
        )

    @cached_property
    def totals(self) -> tuple[FloatArray, FloatArray]:
        """Rows and positive rows of each group."""
        last = self.starts[1:] - 1
        empty = np.diff(self.starts) == 0
        return np.where(empty, 0.0, self.selected[last]), np.where(empty, 0.0, self.hits[last])

    def cells(self, thresholds: FloatArray) -> FloatArray:
        """Count at one threshold per group.

        Parameters
        ----------
        thresholds : array of shape (groups,)
            A row is selected when its score is at least its group's threshold.

        Returns
        -------
        array of shape (groups, 4)
            True negatives, false positives, false negatives, true positives.
        """
        cells = np.zeros((self.groups, 4))
        rows, positives = self.totals
        for group, threshold in enumerate(thresholds):
            begin, end = self.starts[group], self.starts[group + 1]
            count = end - begin - np.searchsorted(self.score[begin:end][::-1], threshold, side="left")
            selected, hits = (
                (0.0, 0.0) if not count else (self.selected[begin + count - 1], self.hits[begin + count - 1])
            )
            cells[group] = (
                rows[group] - selected - positives[group] + hits,
                selected - hits,
                positives[group] - hits,
                hits,
            )
        return cells
