"""The class of two that precision, recall, curves and decisions are about: what was asked for, or what a word says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from core.automl._types import Label
from core.errors import SettingsError
from core.favorable import favorable_outcome

__all__ = ["OrderedLabels", "order_labels"]


class OrderedLabels(NamedTuple):
    """Labels of a target in the order of their codes, of two the positive one last.

    Parameters
    ----------
    labels : list
        The labels.
    reason : str
        Why the last one of two is the positive class, as a sentence; empty with more classes.
    """

    labels: list[Label]
    reason: str


def order_labels(labels: Sequence[Label], asked: str | None, target: str) -> OrderedLabels:
    """Return the labels in the order of their codes.

    Parameters
    ----------
    labels : sequence
        Distinct labels of the target, sorted.
    asked : str or None
        Text of the positive label that the settings name; None lets words decide, and where they do not, the last
        label is positive.
    target : str
        Name of the target.

    Raises
    ------
    SettingsError
        When the target does not have the label that was asked for.

    Examples
    --------
    >>> order_labels(["invite", "reject"], None, "decision")
    OrderedLabels(labels=['reject', 'invite'], reason="'invite' names an outcome that is good for the person.")
    >>> order_labels(["cat", "dog"], None, "pet").reason
    "'dog' is the last in sorted order, because nobody chose a class and no known word decides."
    """
    if asked is not None:
        positive = [label for label in labels if str(label) == asked]
        if not positive:
            raise SettingsError(
                f"'{target}' has no value '{asked}'.", f"Choose one of {', '.join(map(repr, labels[:10]))}."
            )
        last, reason = positive[0], f"'{asked}' was chosen in the settings."
    elif len(labels) != 2:
        return OrderedLabels(list(labels), "")
    else:
        known = favorable_outcome(labels)
        last = labels[-1]
        reason = f"'{last}' is the last in sorted order, because nobody chose a class and no known word decides."
        if known is not None:
            last, reason = next(label for label in labels if label == known.label), known.reason
    ordered = [label for label in labels if label != last] + [last]
    return OrderedLabels(ordered, reason if len(labels) == 2 else "")
