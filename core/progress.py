"""What long work tells its caller: one event at a time, through a plain callable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Event", "Report", "silent"]


@dataclass(frozen=True)
class Event:
    """One step of progress.

    Parameters
    ----------
    phase : str
        The stage of the work, a short stable name such as ``"search"``.
    fraction : float or None
        Share of the whole work that is done, 0 to 1; None when it cannot be told.
    message : str
        One sentence for people.
    values : mapping
        Figures of this step, JSON-serialisable.

    Examples
    --------
    >>> Event("search", 0.25, "Trial 5", {"score": 0.91}).fraction
    0.25
    """

    phase: str
    fraction: float | None = None
    message: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


Report = Callable[[Event], None]


def silent(event: Event) -> None:
    """Drop the event: the default where nobody watches."""
