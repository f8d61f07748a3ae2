"""A distribution of numbers as a bounded list of points with their exact ranks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError

__all__ = ["MAX_POINTS", "QuantilePoints"]

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]

MAX_POINTS = 10_000
"""Points that are kept of a column at most; a column with no more distinct numbers is kept exactly."""


@dataclass(frozen=True, eq=False)
class QuantilePoints:
    """Sorted distinct values of a sample, and how many rows lie below and up to each.

    With at most `MAX_POINTS` distinct values the distribution is exact, whatever the number of rows. With more, the
    points are evenly spaced ranks; between two points the distribution function is interpolated, with an error of at
    most 1 / `MAX_POINTS`, and values that many rows share keep their exact share.

    Parameters
    ----------
    points : array of shape (k,)
        Distinct values in ascending order.
    below : array of int of shape (k,)
        Number of rows below each point.
    upto : array of int of shape (k,)
        Number of rows up to and including each point.

    Examples
    --------
    >>> points = QuantilePoints.of(np.array([3.0, 1.0, 3.0, 2.0]))
    >>> points.points.tolist(), points.upto.tolist(), points.share_upto(np.array([2.5])).tolist()
    ([1.0, 2.0, 3.0], [1, 2, 4], [0.5])
    """

    points: Array
    below: IntArray
    upto: IntArray

    @classmethod
    def of(cls, values: Array, limit: int = MAX_POINTS) -> QuantilePoints:
        """Return the points of a sample without missing values.

        Parameters
        ----------
        values : array of shape (n,)
            Numbers; infinite ones are kept.
        limit : int, default=10000
            Number of points to keep at most.
        """
        ordered = np.sort(np.asarray(values, dtype=np.float64))
        if not len(ordered):
            return cls(ordered, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        ends = np.append(starts[1:], len(ordered))
        if len(starts) > limit:
            ranks = np.round(np.linspace(0, len(ordered) - 1, limit)).astype(np.int64)
            chosen = np.unique(np.searchsorted(starts, ranks, side="right") - 1)
            starts, ends = starts[chosen], ends[chosen]
        return cls(ordered[starts], starts.astype(np.int64), ends.astype(np.int64))

    def __post_init__(self) -> None:
        if not len(self.points) == len(self.below) == len(self.upto):
            raise InputError(
                f"A sketch has {len(self.points):,} points and {len(self.upto):,} ranks.", "Make the sketch again."
            )

    @property
    def rows(self) -> int:
        """Number of rows of the sample."""
        return int(self.upto[-1]) if len(self.upto) else 0

    @property
    def is_exact(self) -> bool:
        """Whether each distinct value of the sample is a point."""
        return bool((self.below[1:] == self.upto[:-1]).all())

    @property
    def counts(self) -> IntArray:
        """Number of rows that have the value of each point."""
        return self.upto - self.below

    def share_upto(self, at: Array) -> Array:
        """Return the distribution function, the share of rows up to and including each value.

        Parameters
        ----------
        at : array of shape (m,)
            Values, in any order.
        """
        if not self.rows:
            return np.full(len(at), np.nan)
        index = np.searchsorted(self.points, at, side="right") - 1
        before, after = np.maximum(index, 0), np.minimum(index + 1, len(self.points) - 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            part = (at - self.points[before]) / (self.points[after] - self.points[before])
        part = np.where(np.isfinite(part), part, 0.0)
        ranks = self.upto[before] + part * np.maximum(self.below[after] - self.upto[before], 0)
        return np.where(index < 0, 0.0, ranks) / self.rows

    def share_below(self, value: float) -> float:
        """Return the share of rows below a value."""
        if not self.rows:
            return float("nan")
        index = int(np.searchsorted(self.points, value, side="left"))
        if index < len(self.points) and self.points[index] == value:
            return float(self.below[index] / self.rows)
        return float(self.share_upto(np.array([value]))[0])

    def share_above(self, value: float) -> float:
        """Return the share of rows above a value."""
        return float(1.0 - self.share_upto(np.array([value]))[0])

    def quantiles(self, shares: Array) -> Array:
        """Return the smallest points up to which at least these shares of the rows lie.

        Parameters
        ----------
        shares : array of shape (m,)
            Shares between 0 and 1.
        """
        if not self.rows:
            return np.full(len(shares), np.nan)
        index = np.searchsorted(self.upto, np.asarray(shares) * self.rows - 1e-9, side="left")
        return np.asarray(self.points[np.minimum(index, len(self.points) - 1)])

    def without(self, value: float) -> QuantilePoints:
        """Return the distribution of the rows that do not have a value which many rows share.

        Examples
        --------
        >>> QuantilePoints.of(np.array([0.0, 0.0, 2.0, 5.0, 5.0])).without(0.0).upto.tolist()
        [1, 3]
        """
        index = int(np.searchsorted(self.points, value))
        if index == len(self.points) or self.points[index] != value:
            return self
        kept = np.arange(len(self.points)) != index
        fewer = np.where(np.arange(len(self.points)) > index, self.upto[index] - self.below[index], 0)
        return QuantilePoints(self.points[kept], (self.below - fewer)[kept], (self.upto - fewer)[kept])

    @property
    def bounds(self) -> tuple[float, float]:
        """The smallest and the largest value."""
        return (float(self.points[0]), float(self.points[-1])) if self.rows else (float("nan"), float("nan"))
