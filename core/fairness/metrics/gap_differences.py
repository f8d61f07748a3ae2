"""By how much the gaps of two models differ, for all pairs of groups together.

The interval of a pair's gaps a (first model) and b (second model) rests on u = b - a and v = b + a, which are smooth
where the sizes of gaps are not: |b| - |a| is u, limited to the range from -|v| to |v|, with the sign of v. Both have
normal intervals with the spread of a paired bootstrap, and the widest values within them bound the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from core.fairness.metrics.arrays import FloatArray, Label
from core.fairness.metrics.paired_bootstrap import PairedValues

__all__ = ["pair_table"]

_PAIR_COLUMNS = ["metric", "group", "other", "first", "second", "difference", "low", "high"]


def pair_table(values: PairedValues, labels: list[Label], metrics: Sequence[str], confidence: float) -> pd.DataFrame:
    """Return the gaps of all pairs of usable groups, with intervals that hold together."""
    chosen = [
        (metric, group, other)
        for metric in range(len(metrics))
        for group, other in combinations(np.flatnonzero(values.usable[metric]).tolist(), 2)
    ]
    if not chosen:
        return pd.DataFrame(columns=_PAIR_COLUMNS)
    metric, group, other = (np.array(part, dtype=np.intp) for part in zip(*chosen, strict=True))

    def gaps(table: FloatArray) -> FloatArray:
        difference: FloatArray = table[..., metric, group] - table[..., metric, other]
        return difference

    a, b, a_draws, b_draws = (gaps(table) for table in values[:4])
    change, total = b_draws - a_draws, b_draws + a_draws
    spreads = [draws.std(axis=0, ddof=1) for draws in (change, total)]
    quantiles = []
    for draws, spread in zip((change, total), spreads, strict=True):
        moving = spread > 0
        distances = np.abs(draws - draws.mean(axis=0))[:, moving] / spread[moving]
        quantiles.append(np.quantile(distances.max(axis=1), confidence) if moving.any() else 0.0)
    reach = max(quantiles)
    low, high = _bounds(b - a, reach * spreads[0], b + a, reach * spreads[1])
    for bound in (low, high):
        bound[spreads[0] == 0] = np.nan  # the same numbers in every row: nothing says how often they would differ
    return pd.DataFrame(
        {
            "metric": [metrics[index] for index in metric],
            "group": [labels[index] for index in group],
            "other": [labels[index] for index in other],
            "first": a,
            "second": b,
            "difference": np.abs(b) - np.abs(a),
            "low": low,
            "high": high,
        },
        columns=_PAIR_COLUMNS,
    )


def _bounds(u: FloatArray, u_reach: FloatArray, v: FloatArray, v_reach: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the smallest and largest |b| - |a| where b - a and b + a are within these distances of u and v.

    Where neither changes its sign, the function is monotone in both: its extremes lie at the corners of the rectangle
    and where an axis cuts it.
    """

    def corners(center: FloatArray, reach: FloatArray) -> list[FloatArray]:
        ends = [center - reach, center + reach]
        return [*ends, np.where((ends[0] < 0) & (ends[1] > 0), 0.0, ends[0])]

    values = [(np.abs(one + two) - np.abs(two - one)) / 2 for one in corners(u, u_reach) for two in corners(v, v_reach)]
    return np.min(values, axis=0), np.max(values, axis=0)
