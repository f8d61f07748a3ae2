"""Selection rates and their ratios to the highest, in the form that is used in hiring."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.errors import SettingsError
from core.fairness.metrics.definitions import FOUR_FIFTHS, comparable_groups
from core.fairness.metrics.group_metrics import GroupMetrics
from core.fairness.metrics.groups import is_missing, label_text
from core.fairness.metrics.rates import WeightedRateValues

__all__ = ["IMPACT_CITATION", "impact_ratios"]

IMPACT_CITATION = "the four-fifths convention (29 CFR 1607.4 D)"
"""Name of the convention that a ratio below 80% is compared with."""


def impact_ratios(metrics: GroupMetrics) -> pd.DataFrame:
    """Return one row per group: applicants, selected, selection rate, and its ratio to the highest rate.

    The highest rate is that of the groups with enough rows and at least 2% of all, without the rows that have no value:
    a rate of a handful of people is not a measure for all others. Ratios of smaller groups are there, and marked.

    Parameters
    ----------
    metrics : GroupMetrics
        Metrics of decisions by group, without control features.

    Returns
    -------
    DataFrame
        Columns group, applicants, selected (missing with weights), selection_rate, impact_ratio, below_four_fifths,
        small; in the order of the rates.

    Raises
    ------
    SettingsError
        When the metrics are of numbers, or have control features.

    Examples
    --------
    >>> from core.fairness import group_metrics
    >>> decided = [1] * 40 + [0] * 60 + [1] * 80 + [0] * 20
    >>> impact_ratios(group_metrics(decided, decided, ["a"] * 100 + ["b"] * 100))["impact_ratio"].tolist()
    [1.0, 0.5]
    """
    if metrics.rates is None or metrics.level_labels is not None:
        raise SettingsError(
            "Impact ratios are about the decisions of one table of groups.",
            "Give decisions, not numbers, and leave the control features out.",
        )
    cells = metrics.rates.cells
    rate = metrics.rates.values[:, metrics.rates.names.index("selection_rate")]
    missing = np.array([is_missing(label) for label in metrics.labels], dtype=bool)
    comparable = comparable_groups(metrics.rows, metrics.options.min_group_size, missing)
    highest = float(np.nanmax(rate[comparable], initial=0.0))
    ratio = rate / highest if highest > 0 else np.full(len(rate), np.nan)
    weighted = isinstance(metrics.rates, WeightedRateValues)
    table = pd.DataFrame(
        {
            "group": [label_text(label) for label in metrics.labels],
            "applicants": np.rint(metrics.rows).astype(int),
            "selected": np.full(len(rate), np.nan) if weighted else np.rint(cells[:, 1] + cells[:, 3]),
            "selection_rate": rate,
            "impact_ratio": ratio,
            "below_four_fifths": ratio < FOUR_FIFTHS,
            "small": ~comparable & ~missing,
        }
    ).astype({"selected": "Int64"})
    return table.sort_values("selection_rate", ascending=False, kind="stable", ignore_index=True)
