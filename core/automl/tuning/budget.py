"""The clock of a search."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

__all__ = ["Budget"]


@dataclass(frozen=True)
class Budget:
    """A time budget.

    Parameters
    ----------
    began : float
        Start of its clock, seconds since the epoch.
    seconds : float or None
        Length; None is for ever.

    Examples
    --------
    >>> Budget(time.time() - 4, 10).left() < 6.1
    True
    """

    began: float
    seconds: float | None

    def elapsed(self, at: float | None = None) -> float:
        """Return the seconds from the start to a moment, by default to now."""
        return (time.time() if at is None else at) - self.began

    def left(self) -> float:
        """Return the seconds until the end; infinite without a budget."""
        return math.inf if self.seconds is None else self.seconds - self.elapsed()

    @property
    def fraction(self) -> float | None:
        """Share of the budget that is used, at most 1; None without a budget."""
        return None if self.seconds is None else min(1.0, self.elapsed() / self.seconds)
