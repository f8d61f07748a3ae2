"""What became of an attempt to send an alert, and when the next one follows."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from core.credentials import scrubbed
from core.errors import shortened

__all__ = ["MAX_ATTEMPTS", "Outcome", "retry_delay"]

MAX_ATTEMPTS: Final = 8
"""Attempts to send one alert through one channel, over about a day."""
_FIRST_S = 30.0
_FACTOR = 4.0
_LONGEST_S = 12 * 3_600.0
_JITTER = 0.2
_PROBLEM_CHARS = 500


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt.

    Parameters
    ----------
    state : {"delivered", "waiting", "failed", "refused"}
        State of the delivery: one that waits is tried again.
    problem : str, default=""
        Sentence that says what is wrong. One about a mail that was delivered names the people who did not get it.
    retry_after_s : float, optional
        Seconds that the server asks to wait.
    """

    state: Literal["delivered", "waiting", "failed", "refused"]
    problem: str = ""
    retry_after_s: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "problem", shortened(scrubbed(self.problem), _PROBLEM_CHARS))


def retry_delay(
    attempts: int, *, retry_after_s: float | None = None, draw: Callable[[], float] = random.random
) -> float:
    """Return the seconds until the next attempt: four times as long as before, at most half a day.

    They differ by up to a fifth, so that messages that failed together do not come back together.

    Parameters
    ----------
    attempts : int
        Number of attempts so far.
    retry_after_s : float, optional
        Seconds that the server asks to wait; they count where they are longer, up to half a day.
    draw : callable, optional
        Source of random numbers between 0 and 1.

    Examples
    --------
    >>> [retry_delay(attempts, draw=lambda: 0.5) for attempts in (1, 2, 3)]
    [30.0, 120.0, 480.0]
    >>> retry_delay(1, retry_after_s=3_600, draw=lambda: 0.5)
    3600
    """
    delay = min(_FIRST_S * _FACTOR ** (attempts - 1), _LONGEST_S) * (1 + _JITTER * (2 * draw() - 1))
    return max(delay, min(retry_after_s or 0.0, _LONGEST_S))
