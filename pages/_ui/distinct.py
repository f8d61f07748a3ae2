"""Labels of a choice that tell its options apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

__all__ = ["labels"]


def labels(by_id: Mapping[str, str]) -> dict[str, str]:
    """Return the labels by id, those that occur twice with the beginning of the id.

    A browser tells Streamlit the label that was chosen: of two options with the same label it would take the wrong one.
    """
    count = Counter(by_id.values())
    return {key: label if count[label] == 1 else f"{label} ({key[:8]})" for key, label in by_id.items()}
