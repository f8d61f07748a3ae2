"""Permutation tests of rates by group, drawn from counts alone.

Permuting the groups over the rows leaves every margin as it is, so the hits of each group follow a multivariate
hypergeometric distribution, whose cost does not grow with the rows. Hits are dealt among the rows of the rate's
denominator. Rates of rows with one label (such as the true positive rate), F1 and means of two rates share one deal, in
which the selected rows are dealt among the positive and among the negative rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.fairness.metrics.arrays import BoolArray, FloatArray
from core.fairness.metrics.counts import rate, sum_cells
from core.fairness.metrics.registry import Rate

__all__ = ["p_values"]


def _deal(hits: float, sizes: FloatArray, draws: int, random: np.random.Generator) -> FloatArray:
    """Return how many of the hits each group gets, (draws, groups)."""
    remaining = np.full(draws, round(hits), dtype=np.int64)
    rows = np.rint(sizes).astype(np.int64)  # expected counts are fractions
    rest = int(rows.sum())
    remaining = np.minimum(remaining, rest)
    dealt = np.empty((draws, len(sizes)))
    for group, size in enumerate(rows):
        rest -= int(size)
        # The hits of this group among its rows and those of all groups after it.
        own = random.hypergeometric(size, rest, remaining) if size + rest else np.zeros(draws, dtype=np.int64)
        dealt[:, group] = own
        remaining = remaining - own
    return dealt


def _deal_by_label(cells: FloatArray, draws: int, random: np.random.Generator) -> FloatArray:
    """Return counts after the selected rows were dealt anew within each label, (draws, groups, 4)."""
    negatives, positives = cells[:, 0] + cells[:, 1], cells[:, 2] + cells[:, 3]
    false = _deal(cells[:, 1].sum(), negatives, draws, random)
    true = _deal(cells[:, 3].sum(), positives, draws, random)
    return np.stack([negatives - false, false, positives - true, true], axis=-1)


def _range(values: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore"):
        spread: FloatArray = np.nanmax(values, axis=-1) - np.nanmin(values, axis=-1)
    return spread


def p_values(
    rates: Sequence[Rate], cells: FloatArray, usable: BoolArray, draws: int, random: np.random.Generator
) -> FloatArray:
    """Test for each rate that the groups do not differ.

    Parameters
    ----------
    rates : sequence of Rate
        The rates.
    cells : array of shape (groups, 4)
        Counts of the groups of one control level.
    usable : array of shape (groups, rates)
        Groups that are compared, by rate.
    draws : int
        Number of permutations.
    random : Generator
        Random number generator that draws the permutations.

    Returns
    -------
    array of shape (rates,)
        Share of permutations whose largest difference is at least the observed one, itself among them; NaN where there
        are not two groups to compare.
    """
    p = np.full(len(rates), np.nan)
    by_label: dict[bytes, FloatArray] = {}
    for index, record in enumerate(rates):
        chosen = usable[:, index]
        if chosen.sum() < 2:
            continue
        table = cells[chosen]
        observed = _range(rate(record, table))
        if record.permuted_by_label:
            # One deal for all of these, so that they agree with each other.
            key = chosen.tobytes()
            if key not in by_label:
                by_label[key] = _deal_by_label(table, draws, random)
            drawn = rate(record, by_label[key])
        else:
            hits, among = (sum_cells(table, weights) for weights in record.ratio)
            with np.errstate(invalid="ignore", divide="ignore"):
                drawn = _deal(hits.sum(), among, draws, random) / among
        p[index] = (1 + np.count_nonzero(_range(drawn) >= observed - 1e-12)) / (draws + 1)
    return p
