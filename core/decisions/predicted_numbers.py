"""The rows with the highest predicted numbers, and what was true of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.decisions.labeled_scores import LabeledScores
from core.errors import InputError
from core.evaluation import MIN_UNITS, Estimate

__all__ = ["TopValues", "top_values"]


@dataclass(frozen=True)
class TopValues:
    """True values of the rows with the highest predictions.

    Parameters
    ----------
    mean : Estimate
        Mean true value of these rows.
    overall : Estimate
        Mean true value of all rows.
    tied : int
        Rows that share the prediction at the edge of the selection; 0 where none is cut off from its equals.
    """

    mean: Estimate
    overall: Estimate
    tied: int


def top_values(rows: LabeledScores, share: float) -> TopValues:
    """Return the mean true value of the rows with the highest predictions, beside that of all rows.

    Parameters
    ----------
    rows : LabeledScores
        Rows with true and predicted numbers.
    share : float
        Share of the rows (of their weights) to select. Rows of equal prediction count in part at the edge.

    Raises
    ------
    InputError
        When it is not a share above 0.

    Examples
    --------
    >>> rows = LabeledScores(np.arange(100.0), np.arange(100.0))
    >>> top = top_values(rows, 0.1)
    >>> top.mean.value, top.overall.value, top.tied
    (94.5, 49.5, 0)
    """
    if not 0 < share <= 1:
        raise InputError(f"The share is {share}.", "Give a number above 0, and at most 1.")
    weight = np.ones(len(rows)) if rows.weight is None else rows.weight
    order = np.argsort(-rows.score, kind="stable")
    score, cumulated = rows.score[order], np.cumsum(weight[order])
    wanted = share * cumulated[-1]
    edge = score[min(int(np.searchsorted(cumulated, wanted * (1 - 1e-12))), len(score) - 1)]
    above, equal = rows.score > edge, rows.score == edge
    block = float(weight[equal].sum())
    part = (wanted - float(weight[above].sum())) / block if block > 0 else 1.0
    part = min(max(part, 0.0), 1.0)
    tied = int(np.count_nonzero(equal)) if part < 1 - 1e-9 and np.count_nonzero(equal) > 1 else 0
    everyone = np.ones(len(rows))
    return TopValues(_mean(rows, weight * (above + part * equal)), _mean(rows, weight * everyone), tied)


def _mean(rows: LabeledScores, weight: NDArray[np.float64]) -> Estimate:
    """Return a weighted mean with Student's interval; whole groups vary together."""
    from scipy.special import stdtrit

    truth, counted = np.asarray(rows.truth, dtype=np.float64), weight > 0
    total = float(weight.sum())
    value, count = float((weight * truth).sum() / total), int(np.count_nonzero(counted))
    units = np.arange(len(rows)) if rows.groups is None else np.unique(rows.groups, return_inverse=True)[1]
    size = len(np.unique(units[counted]))
    if size < MIN_UNITS:
        noun = "row" if rows.groups is None else "group"
        reason = f"no interval: there {'is' if size == 1 else 'are'} only {size} {noun}{'s' * (size != 1)}"
        return Estimate(value, math.nan, math.nan, count, reason=reason)
    squares = float((np.bincount(units, weight * (truth - value)) ** 2).sum())
    half = float(stdtrit(size - 1, 0.975)) * math.sqrt(squares * size / (size - 1)) / total
    return Estimate(value, value - half, value + half, count)
