"""Labels of a choice that differ for each of its options."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

__all__ = ["labels"]


def labels(by_id: Mapping[str, str]) -> dict[str, str]:
    """Return the labels by id; where two are equal, the first characters of the id are added.

    A browser sends the label of the chosen option: of two options with the same label, the wrong one could be taken.
    """
    count = Counter(by_id.values())
    return {key: label if count[label] == 1 else f"{label} ({key[:8]})" for key, label in by_id.items()}
