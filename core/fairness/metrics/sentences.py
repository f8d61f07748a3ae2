"""The comparison of two groups as one sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.evaluation import mover
from core.fairness.metrics.definitions import Definition, extreme_groups
from core.fairness.metrics.registry import GroupMetric

__all__ = ["compare_groups"]

_SIGNIFICANT = 0.05
_LISTED = 5


def compare_groups(
    metric: GroupMetric,
    names: Sequence[str],
    intervals: pd.DataFrame,
    p_value: float,
    *,
    definition: Definition | None = None,
    min_group_size: int = 0,
) -> str:
    """Say how the lowest and the highest group differ in a metric, and whether it may be chance.

    Parameters
    ----------
    metric : GroupMetric
        The metric that is compared.
    names : sequence of str
        Names of the groups.
    intervals : DataFrame
        One row per group: value, low, high, small.
    p_value : float
        p-value of no difference; NaN without a test.
    definition : Definition, optional
        Definition of fairness whose smallest ratio the sentence is about, if it has one.
    min_group_size : int, default=0
        Rows that a group needs to be compared.
    """
    usable = ~intervals["small"].to_numpy(dtype=bool)
    values = intervals["value"].to_numpy(dtype=float)
    pair = extreme_groups(values, usable)
    if pair is None:
        return (
            f"No two groups have enough rows to compare their {metric.phrase}: a group needs at least {min_group_size}."
        )
    low, high = pair
    lowest, highest = f"'{names[low]}'", f"'{names[high]}'"
    gap = values[high] - values[low]
    if abs(gap) < 1e-12:
        value = f"{values[low]:.1%}" if metric.unit == "share" else f"{values[low]:,.4g}"
        groups = " and ".join(f"'{names[group]}'" for group in np.flatnonzero(usable)[:_LISTED])
        return f"All groups have the same {metric.phrase} ({value}): {groups}."
    chance = _chance(p_value)
    if definition is not None and definition.min_ratio is not None:
        ratio = values[low] / values[high]
        kept = "keeps" if ratio >= definition.min_ratio else "breaks"
        if metric.name == "selection_rate":
            finding = f"{lowest} is selected {ratio:.0%} as often as {highest}"
        else:
            finding = f"The {metric.phrase} of {lowest} is {ratio:.0%} of that of {highest}"
        return f"{finding}, which {kept} the {definition.title[0].lower()}{definition.title[1:]}{chance}."
    bounds = intervals[["low", "high"]].to_numpy(dtype=float)
    below, above = mover(values[high], tuple(bounds[high]), values[low], tuple(bounds[low]))
    if metric.unit == "share":
        size = f"{100 * gap:.1f} points [{100 * float(below):.1f}, {100 * float(above):.1f}]"
    else:
        size = f"{gap:,.4g} [{float(below):,.4g}, {float(above):,.4g}]"
    return metric.compare_groups(high=highest, low=lowest, gap=size) + chance + "."


def _chance(p: float) -> str:
    """Return what a p-value says about chance, as the end of a sentence."""
    if np.isnan(p):
        return ""
    if p < _SIGNIFICANT:
        return f", and it is not chance (p {'<' if p < 0.001 else '='} {max(p, 0.001):.3f})"
    return f", which chance alone can explain (p = {p:.2f})"
