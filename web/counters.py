"""Counts of what a server has done since its start: requests, refusals. Metrics show them."""

from __future__ import annotations

import threading
from collections import defaultdict

__all__ = ["Labels", "count", "counts"]

Labels = tuple[tuple[str, str], ...]
"""Names and values of labels, in the order of their names."""

_lock = threading.Lock()
_counts: dict[tuple[str, Labels], float] = defaultdict(float)


def count(name: str, by: float = 1, **labels: str) -> None:
    """Add to a count.

    Parameters
    ----------
    name : str
        Name of the count.
    by : float, default=1
        Number that is added.
    **labels : str
        Labels of the count; values come from a fixed set, so that there are few counts.
    """
    with _lock:
        _counts[name, tuple(sorted(labels.items()))] += by


def counts(name: str) -> dict[Labels, float]:
    """Return a count by its labels."""
    with _lock:
        return {labels: value for (key, labels), value in _counts.items() if key == name}
