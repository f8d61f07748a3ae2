"""How long a model takes, so that work is sized to the time there is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Speed"]

PROBE = 500


@dataclass(frozen=True)
class Speed:
    """Seconds of a call, and of each row in it.

    Examples
    --------
    >>> Speed(0.5, 0.01).rows(calls=10, seconds=10)
    50
    """

    a_call: float
    a_row: float

    @classmethod
    def measure(cls, function: Callable[[NDArray[Any]], Any], X: NDArray[Any]) -> Speed:
        """Time a call of one row, which also warms the model up, and one of some hundred."""
        times = []
        for rows in (X[:1], X[:1], np.resize(X, (PROBE, X.shape[1]))):
            began = time.perf_counter()
            function(rows)
            times.append(time.perf_counter() - began)
        a_call, hundreds = min(times[:2]), times[2]
        # A busy machine disturbs so short a measurement: at least half of the longer call counts as its rows'.
        return cls(a_call, max(hundreds - a_call, hundreds / 2) / PROBE)

    def rows(self, *, calls: int, seconds: float) -> int:
        """Return how many rows each of so many calls can have."""
        return max(0, int((seconds / max(calls, 1) - self.a_call) / self.a_row))
