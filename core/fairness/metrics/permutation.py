"""Permutation tests of rates by group, drawn from counts alone.

Permuting the groups over the rows leaves every margin as it is, so the hits of each group follow a multivariate
hypergeometric distribution, whose cost does not grow with the rows. Hits are dealt among the rows of the rate's
denominator. Rates of rows with one label (such as the true positive rate), F1 and means of two rates share one deal, in
which the selected rows are dealt among the positive and among the negative rows.

The statistic is that of the chi-squared test: squared distances of the groups from their mean, by the rows behind them.
The largest difference would be that of the smallest groups, whatever the large ones show.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.fairness.metrics.arrays import BoolArray, FloatArray
from core.fairness.metrics.counts import denominator, divide, rate
from core.fairness.metrics.intervals import effective_rows_of, share_parts
from core.fairness.metrics.registry import Rate

__all__ = ["p_values", "spread"]


def _deal(hits: float, sizes: FloatArray, draws: int, random: np.random.Generator) -> FloatArray:
    """Return how many of the hits each group gets, (draws, groups)."""
    remaining = np.full(draws, round(hits), dtype=np.int64)
    rows = np.rint(sizes).astype(np.int64)  # expected and effective counts are fractions
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


def _deal_by_label(cells: FloatArray, squares: FloatArray, draws: int, random: np.random.Generator) -> FloatArray:
    """Return counts after the selected rows were dealt anew within each label, (draws, groups, 4)."""
    dealt = []
    for label in (slice(0, 2), slice(2, 4)):
        weights = cells[:, label].sum(axis=1)
        rows = np.nan_to_num(divide(weights**2, squares[:, label].sum(axis=1)))
        shares = divide(cells[:, label][:, 1], weights)
        selected = _deal(float(np.nansum(shares * rows)), rows, draws, random) * np.nan_to_num(divide(weights, rows))
        dealt += [weights - selected, selected]
    return np.stack(dealt, axis=-1)


def spread(values: FloatArray, rows: FloatArray) -> FloatArray:
    """Return squared distances of groups from their mean, by the rows behind them; groups without a value do not count.

    Examples
    --------
    >>> spread(np.array([0.2, 0.4]), np.array([10.0, 30.0])).round(6).item()
    0.3
    """
    known = np.isfinite(values)
    filled, own = np.where(known, values, 0.0), np.where(known, rows, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (own * filled).sum(axis=-1, keepdims=True) / own.sum(axis=-1, keepdims=True)
    return np.asarray((own * (filled - mean) ** 2).sum(axis=-1))


def p_values(
    rates: Sequence[Rate],
    cells: FloatArray,
    squares: FloatArray,
    usable: BoolArray,
    draws: int,
    random: np.random.Generator,
) -> FloatArray:
    """Test for each rate that the groups do not differ.

    Parameters
    ----------
    rates : sequence of Rate
        The rates.
    cells, squares : array of shape (groups, 4)
        Sums of weights, and of their squares, of the groups of one control level: both the counts where rows have no
        weights. Weighted rows are dealt in effective numbers.
    usable : array of shape (groups, rates)
        Groups that are compared, by rate.
    draws : int
        Number of permutations.
    random : Generator
        Random number generator that draws the permutations.

    Returns
    -------
    array of shape (rates,)
        Share of permutations that are at least as far from equal as the groups are, these among them; NaN where there
        are not two groups to compare.
    """
    p = np.full(len(rates), np.nan)
    by_label: dict[bytes, FloatArray] = {}
    for index, record in enumerate(rates):
        chosen = usable[:, index]
        if chosen.sum() < 2:
            continue
        table, own = cells[chosen], squares[chosen]
        if record.permuted_by_label:
            # One deal for all of these, so that they agree with each other.
            key = chosen.tobytes()
            if key not in by_label:
                by_label[key] = _deal_by_label(table, own, draws, random)
            values, drawn, rows = rate(record, table), rate(record, by_label[key]), denominator(record, table)
        else:
            values, _, _ = share_parts(record, table)
            rows = np.rint(effective_rows_of(record, table, own))
            drawn = divide(_deal(float((values * rows).sum()), rows, draws, random), rows)
        observed = spread(values, rows)
        p[index] = (1 + np.count_nonzero(spread(drawn, rows) >= observed * (1 - 1e-9) - 1e-12)) / (draws + 1)
    return p
