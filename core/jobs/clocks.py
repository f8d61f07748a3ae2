"""The clock of a run: seconds of work, whatever happens to the system's clock, and however long it is suspended."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["WorkClock"]


class WorkClock:
    """Adds up the time between two looks at a clock that nobody sets.

    Parameters
    ----------
    elapsed_s : float, default=0.0
        Seconds of earlier attempts.
    longest_s : float, default=inf
        Longest time between two looks. After a longer one the process was suspended, and nothing of it counts.
    now : callable, default=time.monotonic
        Clock, in seconds; it may stand still while the system is suspended.

    Examples
    --------
    >>> moments = iter([100.0, 100.5, 7300.5, 7301.0])
    >>> clock = WorkClock(3.0, longest_s=15, now=lambda: next(moments))
    >>> clock.look(), clock.look(), clock.look()
    (3.5, 3.5, 4.0)
    """

    def __init__(
        self,
        elapsed_s: float = 0.0,
        *,
        longest_s: float = float("inf"),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.elapsed_s = elapsed_s
        self._longest_s = longest_s
        self._now = now
        self._last = now()

    def look(self) -> float:
        """Return the seconds of work up to now."""
        now = self._now()
        passed, self._last = now - self._last, now
        if 0 <= passed <= self._longest_s:
            self.elapsed_s += passed
        return self.elapsed_s
