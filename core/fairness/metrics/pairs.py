"""All pairs of groups compared in one metric, and the gap that is surest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.errors import SettingsError
from core.evaluation import mover
from core.fairness.metrics.arrays import FloatArray, IndexArray, Interval
from core.fairness.metrics.group_table import GroupTable
from core.fairness.metrics.groups import is_missing, label_text
from core.registry import unknown_name

__all__ = ["PairwiseGaps", "SurestGap", "pairwise_gaps"]

_LARGEST_Z = 37.0  # its tail is the smallest that a number can hold
_BISECTIONS = 32


@dataclass(frozen=True)
class SurestGap:
    """The gap between two groups that chance explains least.

    Parameters
    ----------
    highest, lowest : str
        Labels of the groups with the higher and the lower value, as `label_text` writes them.
    highest_index, lowest_index : int
        Positions of both in `GroupTable.labels`.
    highest_value, lowest_value : float
        Values of both.
    gap : float
        Difference of the values, at least 0.
    low, high : float
        Bounds of the gap, which hold for all pairs together: they exclude 0 exactly where `p_adjusted` is below 1 minus
        the confidence.
    p_value, p_adjusted : float
        p-value of no difference, and that adjusted for the pairs and the definitions; of the surest gap, Bonferroni's
        adjustment is that of Holm (1979).
    """

    highest: str
    lowest: str
    highest_index: int
    lowest_index: int
    highest_value: float
    lowest_value: float
    gap: float
    low: float
    high: float
    p_value: float
    p_adjusted: float


@dataclass(frozen=True)
class PairwiseGaps:
    """The pairs of groups with enough rows, compared in one metric.

    Parameters
    ----------
    metric : str
        Metric that is compared.
    surest : SurestGap or None
        Pair with the smallest p-value; None with fewer than two groups to compare.
    table : DataFrame
        One row per pair, the surest first: highest, lowest (labels), gap, low, high, p_value, p_adjusted.
    small : tuple of str
        Groups that rest on too few rows to be judged.
    missing : bool
        Whether the rows with a missing value were left out of the pairs, since there are other groups to compare.
    comparisons : int
        Number of comparisons that p-values and bounds are adjusted for.
    """

    metric: str
    surest: SurestGap | None
    table: pd.DataFrame
    small: tuple[str, ...]
    missing: bool
    comparisons: int


def pairwise_gaps(metrics: GroupTable, metric: str, *, definitions: int = 1) -> PairwiseGaps:
    """Compare all pairs of groups with enough rows in a metric, and find the gap that is surest.

    The interval of a gap is MOVER's (for rates Newcombe's) at the level that holds for all pairs together, and the
    p-value is that of the largest such interval without 0, so that both say the same. Rows with a missing value are a
    group that is compared only where there are not two others.

    Parameters
    ----------
    metrics : GroupTable
        Metrics by group, without control features.
    metric : str
        Name of the metric.
    definitions : int, default=1
        Number of definitions of fairness (or metrics) among which this one was chosen; all of their pairs count.

    Returns
    -------
    PairwiseGaps

    Raises
    ------
    SettingsError
        When the metric is unknown, or the metrics have control features.

    See Also
    --------
    GroupMetrics.difference_intervals : Gaps to one reference group, each by itself.

    Examples
    --------
    >>> from core.fairness import group_metrics
    >>> selected = [1] * 60 + [0] * 40 + [1] * 30 + [0] * 70 + [1] * 3
    >>> groups = ["a"] * 100 + ["b"] * 100 + ["c"] * 3
    >>> gaps = pairwise_gaps(group_metrics(selected, selected, groups), "selection_rate")
    >>> gaps.surest.highest, gaps.surest.lowest, round(gaps.surest.gap, 2), gaps.small
    ('a', 'b', 0.3, ('c',))
    """
    if metrics.level_labels is not None:
        raise SettingsError("Pairs are compared in one table of groups.", "Leave the control features out.")
    if metric not in metrics.metrics:
        raise SettingsError(f"Unknown metric '{metric}'.", unknown_name(metric, metrics.metrics))
    if definitions < 1:
        raise SettingsError(f"The number of definitions is {definitions}.", "Use 1 or more.")
    values, names = metrics.values_of(metric), [label_text(label) for label in metrics.labels]
    bounded = np.isfinite(metrics.bounds(metric, np.arange(len(values)), np.ones(len(values)))[0])
    known = metrics.usable(metric) & bounded
    others = known & ~np.array([is_missing(label) for label in metrics.labels])
    compared = np.flatnonzero(others if others.sum() > 1 else known)
    small = tuple(name for name, judged in zip(names, known, strict=True) if not judged)
    first, second = (compared[side] for side in np.triu_indices(len(compared), 1))
    swap = values[first] < values[second]
    highest, lowest = np.where(swap, second, first), np.where(swap, first, second)
    comparisons = max(len(first) * definitions, 1)
    table = _compare(metrics, metric, values, highest, lowest, comparisons)
    surest = None
    if len(table):
        row, pair = table.iloc[0], table.index[0]
        high, low = int(highest[pair]), int(lowest[pair])
        surest = SurestGap(
            names[high],
            names[low],
            high,
            low,
            float(values[high]),
            float(values[low]),
            *(float(row[part]) for part in ("gap", "low", "high", "p_value", "p_adjusted")),
        )
    table.insert(0, "lowest", [names[group] for group in lowest[table.index]])
    table.insert(0, "highest", [names[group] for group in highest[table.index]])
    left_out = bool((known & ~others).any()) and others.sum() > 1
    return PairwiseGaps(metric, surest, table.reset_index(drop=True), small, left_out, comparisons)


def _compare(
    metrics: GroupTable,
    metric: str,
    values: FloatArray,
    highest: IndexArray,
    lowest: IndexArray,
    comparisons: int,
) -> pd.DataFrame:
    """Return gap, low, high, p_value and p_adjusted of each pair, the surest first; the index is its position."""
    from scipy.special import ndtr, ndtri

    gaps = values[highest] - values[lowest]

    def interval(z: FloatArray) -> Interval:
        bounds = [metrics.bounds(metric, groups, z) for groups in (highest, lowest)]
        return mover(values[highest], bounds[0], values[lowest], bounds[1])

    # The largest quantile whose interval excludes 0.
    inside, outside = np.zeros(len(gaps)), np.full(len(gaps), _LARGEST_Z)
    for _ in range(_BISECTIONS):
        middle = (inside + outside) / 2
        excludes = interval(middle)[0] > 0
        inside, outside = np.where(excludes, middle, inside), np.where(excludes, outside, middle)
    p = 2 * ndtr(-inside)
    tail = (1 - metrics.options.confidence) / 2 / comparisons
    low, high = interval(np.full(len(gaps), -ndtri(tail)))
    adjusted = np.minimum(p * comparisons, 1.0)
    table = pd.DataFrame({"gap": gaps, "low": low, "high": high, "p_value": p, "p_adjusted": adjusted})
    return table.iloc[np.lexsort([-gaps, -inside])]
