"""The speed of a model, so that work is sized to the time there is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.explain.explained_model import Array, Matrix

__all__ = ["Speed"]

_PROBE_ROWS = 500


@dataclass(frozen=True)
class Speed:
    """Seconds per call, and per row in it.

    Parameters
    ----------
    seconds_per_call, seconds_per_row : float
        Fixed time of a call, and time that each row adds.

    Examples
    --------
    >>> Speed(0.5, 0.01).rows(calls=10, seconds=10)
    50
    """

    seconds_per_call: float
    seconds_per_row: float

    @classmethod
    def measure(cls, function: Callable[[Matrix], Array], X: Matrix) -> Speed:
        """Time calls of one row, the first of which warms the model up, and one of several hundred."""
        times = []
        for rows in (X[:1], X[:1], np.resize(X, (_PROBE_ROWS, X.shape[1]))):
            began = time.perf_counter()
            function(rows)
            times.append(time.perf_counter() - began)
        seconds_per_call, long_call = min(times[:2]), times[2]
        # A busy machine disturbs so short a measurement: at least half of the longer call counts as its rows'.
        return cls(seconds_per_call, max(long_call - seconds_per_call, long_call / 2) / _PROBE_ROWS)

    def rows(self, *, calls: int, seconds: float) -> int:
        """Return how many rows each of so many calls can have.

        Parameters
        ----------
        calls : int
            Number of calls.
        seconds : float
            Time for all of them.
        """
        return max(0, int((seconds / max(calls, 1) - self.seconds_per_call) / self.seconds_per_row))
