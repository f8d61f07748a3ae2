"""The rows with the highest scores among new rows, and how many of them have the label."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.decisions.intervals import CONFIDENCE, share_size
from core.decisions.labeled_scores import LabeledScores
from core.errors import InputError
from core.evaluation import MIN_UNITS, Estimate, normal_quantile

__all__ = ["TopRows", "top_rows"]

_MIN_ROWS = MIN_UNITS  # that the rows with the highest scores are judged by


@dataclass(frozen=True)
class TopRows:
    """The rows with the highest scores among new rows like these.

    Parameters
    ----------
    count, among : int
        Rows that are selected, out of how many.
    hits : Estimate
        Rows with the label to expect among them. The interval holds the number itself in 95 of 100 such selections.
    tied : float
        Rows out of ``among`` that share the score at the edge of the selection; 0 where a threshold selects exactly
        these.
    fitting : float
        Rows of these that are in the selection.
    """

    count: int
    among: int
    hits: Estimate
    tied: float
    fitting: float


def top_rows(
    rows: LabeledScores, thresholds: NDArray[np.float64], counts: NDArray[np.float64], count: int, among: int
) -> TopRows:
    """Return what to expect of the rows with the highest scores among new rows.

    Parameters
    ----------
    rows : LabeledScores
        Rows that the new ones are like.
    thresholds : array of shape (k,)
        Thresholds between distinct scores, highest first, from infinity to minus infinity.
    counts : array of shape (k, 4)
        Counts of the outcomes tp, fp, fn, tn at each threshold.
    count, among : int
        Number of rows to select, and of the new rows.

    Raises
    ------
    InputError
        When there are not so many rows.
    """
    if not 0 < count <= among:
        raise InputError(f"{count:,} of {among:,} rows cannot be selected.", f"Give a number from 1 to {among:,}.")
    total = float(counts[0].sum())
    share, selected = count / among, counts[:, :2].sum(axis=1) / total
    inner = int(np.flatnonzero(selected <= share * (1 + 1e-12))[-1])  # the last threshold within the selection
    outer = min(inner + 1, len(counts) - 1)
    block = selected[outer] - selected[inner]
    part = (share - selected[inner]) / block if block > 0 else 0.0
    part = part if part > 1e-9 else 0.0
    hits = float(counts[inner, 0] + part * (counts[outer, 0] - counts[inner, 0])) / total
    expected = among * hits
    last = outer if part else inner
    chosen = rows.score >= thresholds[last]
    known = int(np.count_nonzero(chosen))
    edge = known - int(np.count_nonzero(rows.score >= thresholds[last - 1])) if last else 0  # rows of the lowest score
    low = high = math.nan
    reason = "" if known >= _MIN_ROWS else f"no interval: only {known} of the rows have such scores"
    if not reason:
        z = normal_quantile(CONFIDENCE)
        size = share_size(np.asarray(rows.truth, dtype=bool), chosen, rows)[1]
        size *= share / selected[last]
        rate = (expected / count * size + z**2 / 2) / (size + z**2)
        half = z * math.sqrt(count * rate * (1 - rate) * (1 + count / (size + z**2)))
        low, high = max(0.0, count * rate - half), min(float(count), count * rate + half)
        low, high = min(low, expected), max(high, expected)
    return TopRows(
        count,
        among,
        Estimate(expected, low, high, known, reason=reason),
        tied=among * block if part and edge > 1 else 0.0,
        fitting=among * block * part if part and edge > 1 else 0.0,
    )
