"""What one threshold does, and which one costs least."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from core.evaluation import Estimate

__all__ = ["Best", "Outcome"]


class Best(NamedTuple):
    """The threshold with the lowest cost."""

    threshold: float
    cost: float


@dataclass(frozen=True)
class Outcome:
    """What one threshold does.

    Parameters
    ----------
    threshold : float
        The threshold: a row is selected when its score is at least this. Infinity selects none.
    tp, fp, fn, tn : float
        Rows by outcome: selected with the label and without it, not selected with the label and without it. With
        weights, their sums.
    cost : Estimate
        Mean cost per row.
    selected : Estimate
        Share of the rows that are selected.
    recall : Estimate
        Share of the rows with the label that are selected.
    precision : Estimate
        Share of the selected rows that have the label; NaN where none is selected.
    """

    threshold: float
    tp: float
    fp: float
    fn: float
    tn: float
    cost: Estimate
    selected: Estimate
    recall: Estimate
    precision: Estimate
