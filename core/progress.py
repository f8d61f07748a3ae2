"""Progress of long work: events that it reports to its caller through a plain callable."""

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
        Stage of the work, a short stable name such as ``"search"``.
    fraction : float, optional
        Share of the whole work that is done, 0 to 1; None when it is unknown.
    message : str, default=""
        Sentence for the user.
    values : mapping, default={}
        Numbers and other JSON-serializable facts of this step.

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
    """Drop the event: the default where no one watches."""
