"""Is a difference more than chance? The null of labels dealt to the groups at random, drawn from counts alone.

Dealing the groups anew over the rows leaves every margin as it is, so the hits of each group follow a multivariate
hypergeometric distribution, whose cost does not grow with the rows. A rate among some rows only (true positive rate:
those with the label) is dealt among these; F1 and balanced accuracy among those with the label and those without apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.fairness.metrics.counts import PROPORTIONS, RATES, Cells, rate

__all__ = ["p_values"]

Array = NDArray[np.float64]


def _deal(hits: float, sizes: Array, draws: int, random: np.random.Generator) -> Array:
    """Return how many of the hits each group gets, (draws, groups)."""
    left = np.full(draws, round(hits), dtype=np.int64)
    whole = np.rint(sizes).astype(np.int64)  # expected counts are fractions
    rest = int(whole.sum())
    left = np.minimum(left, rest)
    dealt = np.empty((draws, len(sizes)))
    for group, size in enumerate(whole):
        rest -= int(size)
        # The hits of this group among its rows and those of all groups after it.
        own = random.hypergeometric(size, rest, left) if size + rest else np.zeros(draws, dtype=np.int64)
        dealt[:, group] = own
        left = left - own
    return dealt


def _spread(values: Array) -> Array:
    with np.errstate(invalid="ignore"):
        return np.nanmax(values, axis=-1) - np.nanmin(values, axis=-1)


def p_values(cells: Cells, usable: NDArray[np.bool_], draws: int, random: np.random.Generator) -> Array:
    """Test for each of `RATES` that the groups do not differ.

    Parameters
    ----------
    cells : array of shape (groups, 4)
        Counts of the groups of one control level.
    usable : array of shape (groups, rates)
        Which groups are compared, by rate.
    draws : int
        Number of permutations.
    random : Generator
        Where the draws come from.

    Returns
    -------
    array of shape (rates,)
        Share of permutations whose largest difference is at least the observed one, itself among them; NaN where there
        are not two groups to compare.
    """
    found = np.full(len(RATES), np.nan)
    strata: dict[bytes, Cells] = {}
    for place, name in enumerate(RATES):
        chosen = usable[:, place]
        if chosen.sum() < 2:
            continue
        table = cells[chosen]
        observed = _spread(rate(name, table))
        if name in (
            "balanced_accuracy",
            "f1",
            "true_positive_rate",
            "false_negative_rate",
            "false_positive_rate",
            "true_negative_rate",
        ):
            # One deal for all of these, so that they agree with each other.
            key = chosen.tobytes()
            if key not in strata:
                negatives, positives = table[:, 0] + table[:, 1], table[:, 2] + table[:, 3]
                false = _deal(table[:, 1].sum(), negatives, draws, random)
                true = _deal(table[:, 3].sum(), positives, draws, random)
                strata[key] = np.stack([negatives - false, false, positives - true, true], axis=-1)
            drawn = rate(name, strata[key])
        else:
            hits, of = (table @ np.array(part, dtype=float) for part in PROPORTIONS[name])
            with np.errstate(invalid="ignore", divide="ignore"):
                drawn = _deal(hits.sum(), of, draws, random) / of
        found[place] = (1 + np.count_nonzero(_spread(drawn) >= observed - 1e-12)) / (draws + 1)
    return found
