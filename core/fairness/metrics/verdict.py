"""What a table of groups says, in one sentence that a person would say."""

from __future__ import annotations

import numpy as np

from core.errors import SettingsError
from core.fairness.metrics.disparity import DEFINITIONS, worst_pair
from core.fairness.metrics.group_metrics import GroupMetrics
from core.fairness.metrics.groups import label_text
from core.fairness.metrics.intervals import mover
from core.fairness.metrics.rates import CellFigures

__all__ = ["SIGNIFICANT", "verdict"]

SIGNIFICANT = 0.05
_SENTENCES = {
    "selection_rate": "{high} is selected {gap} more often than {low}",
    "true_positive_rate": "Among those with the positive label, {high} is selected {gap} more often than {low}",
    "false_positive_rate": "Among those without the positive label, {high} is selected {gap} more often than {low}",
    "precision": "Being selected is right {gap} more often in {high} than in {low}",
    "accuracy": "The model is right {gap} more often for {high} than for {low}",
    "mean_error": "Predictions for {high} are higher, compared with the truth, by {gap} than those for {low}",
}


def verdict(found: GroupMetrics, definition: str = "demographic_parity") -> str:
    """Say in one sentence how the groups differ by a definition of fairness, and whether it may be chance.

    Parameters
    ----------
    found : GroupMetrics
        Metrics by group, without control features.
    definition : str
        A key of `DEFINITIONS`; for predicted numbers it does not matter.

    Examples
    --------
    >>> from core.fairness import group_metrics
    >>> same = group_metrics([1, 0] * 100, [1, 0] * 100, ["a", "a", "b", "b"] * 50)
    >>> verdict(same)
    "All groups have the same selection rate (50.0%): 'a' and 'b'."
    """
    if found.level_labels is not None:
        raise SettingsError("A verdict is about one table of groups.", "Leave the control features out.")
    decisions = any(isinstance(each, CellFigures) for each in found.figures)
    if decisions and definition not in DEFINITIONS:
        raise SettingsError(f"There is no definition '{definition}'.", f"Choose one of {', '.join(DEFINITIONS)}.")
    metric = str(found.summary.loc[definition, "metric"]) if decisions else "mean_error"
    intervals = found.intervals.xs(metric, level="metric")
    usable = ~intervals["small"].to_numpy(dtype=bool)
    values = intervals["value"].to_numpy(dtype=float)
    pair = worst_pair(values, usable)
    if pair is None:
        return (
            f"No two groups have enough rows to compare their {metric.replace('_', ' ')}: "
            f"{found.options.min_group_size} is the least that counts."
        )
    low, high = pair
    names = {"low": f"'{label_text(found.labels[low])}'", "high": f"'{label_text(found.labels[high])}'"}
    gap = values[high] - values[low]
    if abs(gap) < 1e-12:
        told = f"{values[low]:.1%}" if decisions else f"{values[low]:,.4g}"
        groups = " and ".join(f"'{label_text(found.labels[place])}'" for place in np.flatnonzero(usable)[:5])
        return f"All groups have the same {metric.replace('_', ' ')} ({told}): {groups}."
    p = float(found.tests.loc[metric, "p_value"]) if not decisions else float(found.summary.loc[definition, "p_value"])
    if np.isnan(p):
        chance = ""
    elif p < SIGNIFICANT:
        chance = f", and it is not chance (p {'<' if p < 0.001 else '='} {max(p, 0.001):.3f})"
    else:
        chance = f", which chance alone can explain (p = {p:.2f})"
    if definition == "four_fifths" and decisions:
        ratio = values[low] / values[high]
        kept = "which keeps the four-fifths rule" if ratio >= 0.8 else "which breaks the four-fifths rule"
        return f"{names['low']} is selected {ratio:.0%} as often as {names['high']}, {kept}{chance}."
    bounds = intervals[["low", "high"]].to_numpy(dtype=float)
    below, above = mover(values[high], tuple(bounds[high]), values[low], tuple(bounds[low]))
    if decisions:
        size = f"{100 * gap:.1f} points [{100 * float(below):.1f}, {100 * float(above):.1f}]"
    else:
        size = f"{gap:,.4g} [{float(below):,.4g}, {float(above):,.4g}]"
    return _SENTENCES[metric].format(gap=size, **names) + chance + "."
