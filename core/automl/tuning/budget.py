"""The clock of a search."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

__all__ = ["GRACE_S", "Budget"]

GRACE_S = 300.0
"""Seconds after its budget, or another budget if that is more, in which a search without a model waits for one."""


class Budget:
    """A time budget.

    Parameters
    ----------
    seconds : float or None
        Length; None is for ever.
    clock : callable, optional
        Returns the seconds that are used up; by default those since now, on a clock that nobody sets.

    Examples
    --------
    >>> Budget(10, clock=lambda: 4.0).left()
    6.0
    """

    def __init__(self, seconds: float | None, clock: Callable[[], float] | None = None) -> None:
        began = time.monotonic()
        self.seconds = seconds
        self._clock = clock or (lambda: time.monotonic() - began)

    def elapsed(self) -> float:
        """Return the seconds that are used up."""
        return self._clock()

    def left(self) -> float:
        """Return the seconds until the end; infinite without a budget."""
        return math.inf if self.seconds is None else self.seconds - self.elapsed()

    def grace_left(self) -> float:
        """Return the seconds in which a search that has no model yet may still come to one, after its budget."""
        return math.inf if self.seconds is None else self.left() + max(GRACE_S, self.seconds)

    @property
    def fraction(self) -> float | None:
        """Share of the budget that is used, at most 1; None without a budget."""
        return None if self.seconds is None else min(1.0, self.elapsed() / self.seconds)
