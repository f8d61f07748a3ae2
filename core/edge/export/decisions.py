"""Decisions of a policy on the outputs of a model, so that a file's can be compared with the model's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.edge.export.metadata import Label
from core.edge.portable.rules import Rules
from core.edge.portable.written import Value

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["NO_DECISION", "TIE", "can_decide", "decide_rows", "group_names", "near_thresholds"]

NO_DECISION = -1
"""Decision on a row whose group has no rule, or that has no score."""
TIE = 1e-5
"""Distance from a threshold, as a share of it, within which either decision is right: last digits differ."""


def can_decide(rules: Rules | None, frame: pd.DataFrame) -> bool:
    """Return whether a frame has the columns that a policy decides by.

    Parameters
    ----------
    rules : Rules or None
        The policy.
    frame : DataFrame
        Rows.
    """
    return rules is not None and set(rules.columns) <= set(frame.columns)


def decide_rows(
    rules: Rules,
    frame: pd.DataFrame,
    outputs: NDArray[np.floating],
    labels: Sequence[Label] | None,
    ids: Sequence[str] | None = None,
) -> NDArray[np.int64]:
    """Return 1, 0 or `NO_DECISION` for each row.

    Parameters
    ----------
    rules : Rules
        The policy.
    frame : DataFrame of n rows
        Rows with the columns that it decides by.
    outputs : array of shape (n, classes) or (n, 1)
        Probabilities of the classes, or numbers.
    labels : sequence or None
        The classes; None for numbers.
    ids : sequence of str, optional
        Ids that drawn decisions depend on; by default the positions of the rows.
    """
    groups, scores = group_names(rules, frame), _scores(rules, outputs, labels)
    rows = np.flatnonzero(np.array([group in rules for group in groups], dtype=bool) & np.isfinite(scores)).tolist()
    decisions = np.full(len(frame), NO_DECISION, dtype=np.int64)
    if rows:
        names = [str(row) for row in range(len(frame))] if ids is None else ids
        decisions[rows] = rules.decide(scores[rows], [groups[row] for row in rows], [names[row] for row in rows])
    return decisions


def near_thresholds(
    rules: Rules, frame: pd.DataFrame, outputs: NDArray[np.floating], labels: Sequence[Label] | None
) -> NDArray[np.bool_]:
    """Return which rows have a score that is a threshold but for its last digits, see `decide_rows`."""
    scores = _scores(rules, outputs, labels)
    near = np.zeros(len(frame), dtype=bool)
    groups = np.array(group_names(rules, frame), dtype=object)
    for group in dict.fromkeys(groups.tolist()):
        own = groups == group
        for threshold in rules.thresholds(group):
            near[own] |= np.abs(scores[own] - threshold) <= TIE * abs(threshold)
    return near


def group_names(rules: Rules, frame: pd.DataFrame) -> list[str]:
    """Return the group of each row, as a policy names it."""
    return rules.names.of_values([_values(frame[name]) for name in rules.columns], len(frame))


def _values(column: pd.Series) -> list[Value]:
    """Return cells as plain values; None where one is missing."""
    cells = column.astype(object)
    values: list[Value] = cells.where(cells.notna(), None).tolist()
    return [value.item() if isinstance(value, np.generic) else value for value in values]


def _scores(rules: Rules, outputs: NDArray[np.floating], labels: Sequence[Label] | None) -> NDArray[np.float64]:
    """Return the scores that a policy is about: the probability of its positive label, or the number."""
    values = np.asarray(outputs, dtype=np.float64)
    if labels is None or rules.positive is None:
        return values[:, -1]
    return values[:, [str(label) for label in labels].index(rules.positive)]
