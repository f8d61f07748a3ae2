"""Intervals of costs and of shares, for rows that may have weights or belong together in groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.decisions.labeled_scores import LabeledScores
from core.evaluation import MIN_UNITS, Estimate, kish, normal_quantile, wilson

__all__ = ["CONFIDENCE", "cost_bounds", "effective_rows", "few_rows", "share_estimate", "share_size"]

CONFIDENCE = 0.95
_NEGLIGIBLE = 1e-12  # share of the largest square that rounding leaves of a variance of 0

Array = NDArray[np.float64]


def _unit_codes(rows: LabeledScores) -> NDArray[np.intp]:
    """Return the number of each row's group, from 0; without groups each row is one."""
    if rows.groups is None:
        return np.arange(len(rows), dtype=np.intp)
    return np.unique(rows.groups, return_inverse=True)[1].astype(np.intp)


def few_rows(rows: LabeledScores) -> str:
    """Return why a cost has no interval on these rows; empty where it has one."""
    units = _unit_codes(rows)
    counted = np.ones(len(rows), dtype=bool) if rows.weight is None else rows.weight > 0
    noun = "row" if rows.groups is None else "group"
    positive = np.asarray(rows.truth, dtype=bool)
    for truth, which in ((positive, "with the label"), (~positive, "without the label")):
        count = len(np.unique(units[np.logical_and(counted, truth)]))
        if count < MIN_UNITS:
            return f"no interval: there {'is' if count == 1 else 'are'} only {count} {noun}{'s' * (count != 1)} {which}"
    return ""


def cost_bounds(cells: Array, costs: Array, mean: Array, rows: Array) -> tuple[Array, Array]:
    """Return the bounds of mean costs per row.

    Each is Wald's interval for a linear function of multinomial shares after rows of each outcome were added, as
    Agresti and Coull (1998) add them to two outcomes: an outcome that no row had may still happen.

    Parameters
    ----------
    cells : array of shape (k, 4)
        Counts of the four outcomes.
    costs : array of shape (4,)
        Cost of each outcome.
    mean : array of shape (k,)
        Mean costs.
    rows : array of shape (k,)
        Effective numbers of rows.
    """
    z = normal_quantile(CONFIDENCE)
    shares = cells / cells.sum(axis=1, keepdims=True)
    selects, rejects = cells[:, :2].sum(axis=1) > 0, cells[:, 2:].sum(axis=1) > 0
    possible = np.stack([selects, selects, rejects, rejects], axis=1)  # with everybody selected, nobody is missed
    added = possible * (z**2 / possible.sum(axis=1, keepdims=True))
    total = rows[:, None] + added.sum(axis=1, keepdims=True)
    moved = (shares * rows[:, None] + added) / total
    center = moved @ costs
    half = z * np.sqrt(np.maximum(moved @ costs**2 - center**2, 0.0) / total[:, 0])
    least = np.where(possible, costs, np.inf).min(axis=1)
    most = np.where(possible, costs, -np.inf).max(axis=1)
    return np.minimum(np.maximum(center - half, least), mean), np.maximum(np.minimum(center + half, most), mean)


def share_estimate(hits: NDArray[np.bool_], among: NDArray[np.bool_], rows: LabeledScores) -> Estimate:
    """Return the share of rows that are hits among some rows, with Wilson's interval, see `share_size`."""
    share, size = share_size(hits, among, rows)
    count = int(np.count_nonzero(among))
    if not size > 0:
        return Estimate(np.nan, np.nan, np.nan, count, reason="no interval: there are no such rows")
    low, high = wilson(share * size, size)
    return Estimate(share, min(float(low), share), max(float(high), share), count)


def share_size(hits: NDArray[np.bool_], among: NDArray[np.bool_], rows: LabeledScores) -> tuple[float, float]:
    """Return the share of rows that are hits among some rows, and the effective number of the latter.

    Rows of different weight, or of few groups, count as so many that the share would have the variance that it has.

    Parameters
    ----------
    hits, among : array of shape (n,)
        Rows that count, and the rows that they are counted among.
    rows : LabeledScores
        The rows.
    """
    weight = np.ones(len(rows)) if rows.weight is None else rows.weight
    base = weight * among
    total, size = float(base.sum()), float(np.count_nonzero(among))
    if not total > 0:
        return np.nan, 0.0
    share = float((base * hits).sum()) / total
    if rows.weight is not None or rows.groups is not None:
        units = _unit_codes(rows)
        size = kish(np.bincount(units, base).astype(np.float64))
        variance = float((np.bincount(units, base * (hits - share)) ** 2).sum()) / total**2
        if 0 < share < 1 and variance > 0:
            size = min(share * (1 - share) / variance, float(np.count_nonzero(among)))
    return share, size


def effective_rows(
    rows: LabeledScores, order: NDArray[np.intp], ends: NDArray[np.intp], costs: Array, mean: Array, spread: Array
) -> Array:
    """Return how many independent rows of equal weight would give each mean cost the variance that it has.

    The variance comes from the sums of whole groups, which are followed along the sorted scores.

    Parameters
    ----------
    rows : LabeledScores
        The rows.
    order : array of shape (n,)
        Rows by score, highest first.
    ends : array of shape (k - 1,)
        Positions of the last rows that are selected at each threshold but the first, which selects none.
    costs : array of shape (4,)
        Costs of the outcomes tp, fp, fn, tn.
    mean, spread : array of shape (k,)
        Mean costs, and the variance of a single row's cost.
    """
    count = float(len(rows))
    if rows.weight is None and rows.groups is None:
        return np.full(len(mean), count)
    truth, units = np.asarray(rows.truth)[order], _unit_codes(rows)[order]
    weight = np.ones(len(order)) if rows.weight is None else rows.weight[order]
    rejected = weight * np.where(truth, costs[2], costs[3])
    change = weight * np.where(truth, costs[0], costs[1]) - rejected
    size, start = (np.bincount(units, values).astype(np.float64) for values in (weight, rejected))
    by_unit = np.argsort(units, kind="stable")
    running = np.cumsum(change[by_unit]) - change[by_unit]
    running -= running[np.searchsorted(units[by_unit], np.arange(len(size)))][units[by_unit]]
    before = np.empty(len(order))
    before[by_unit] = start[units[by_unit]] + running
    squares = (start**2).sum() + np.r_[0.0, np.cumsum(2 * before * change + change**2)[ends]]
    products = (start * size).sum() + np.r_[0.0, np.cumsum(size[units] * change)[ends]]
    variance = (squares - 2 * mean * products + mean**2 * (size**2).sum()) / weight.sum() ** 2
    limit = _NEGLIGIBLE * max(float((costs**2).max()), 1e-300)
    known = (spread > limit) & (variance > limit / count)
    ratio = np.divide(spread, variance, out=np.full(len(mean), kish(size)), where=known)
    bounded: Array = np.clip(ratio, 1.0, count)
    return bounded
