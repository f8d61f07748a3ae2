"""The clock of an explanation: parts take turns, and the time that one leaves goes to the next."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Deadline"]


@dataclass(frozen=True)
class Deadline:
    """A moment at which work ends, or earlier when a stop is requested.

    Parameters
    ----------
    end : float
        Moment on the monotonic clock, in seconds.
    should_stop : callable, optional
        Returns whether to end now; cheap to call often.

    Examples
    --------
    >>> whole = Deadline.after(60)
    >>> 29 < whole.part(0.5).left() <= 30, whole.over
    (True, False)
    """

    end: float
    should_stop: Callable[[], bool] = lambda: False

    @classmethod
    def after(cls, seconds: float, should_stop: Callable[[], bool] | None = None) -> Deadline:
        """Return a deadline so many seconds from now."""
        return cls(time.monotonic() + seconds, should_stop or (lambda: False))

    def left(self) -> float:
        """Return the seconds until the end, 0 when it is over."""
        return max(0.0, self.end - time.monotonic())

    @property
    def over(self) -> bool:
        """Whether to end now."""
        return self.left() <= 0 or self.should_stop()

    @property
    def reason(self) -> str:
        """Why it is over, in words."""
        return "it was stopped" if self.should_stop() else "there was no time left"

    def part(self, share: float) -> Deadline:
        """Return the deadline of a part that may take this share of the time left."""
        return Deadline(time.monotonic() + share * self.left(), self.should_stop)
