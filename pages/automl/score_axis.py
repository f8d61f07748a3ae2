"""The range of scores that the chart of a search has: a few very poor trials must not flatten the others."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

__all__ = ["ScoreAxis", "score_axis"]

_WHOLE = 4.0  # times the spread of the better trials, up to which the axis holds all of them


@dataclass(frozen=True)
class ScoreAxis:
    """The range of scores that the chart has.

    Parameters
    ----------
    low, high : float
        Ends of the axis.
    beyond : int
        Number of trials outside, drawn as arrows at its end.
    """

    low: float
    high: float
    beyond: int


def score_axis(scores: pd.Series, best: float, *, larger_is_better: bool) -> ScoreAxis:
    """Return the range that shows all trials, or the better ones where others would flatten them.

    Parameters
    ----------
    scores : Series
        Scores of the trials.
    best : float
        Score of the best model.
    larger_is_better : bool
        Direction of the metric.

    Examples
    --------
    >>> score_axis(pd.Series([0.90, 0.93, 0.94, 0.95]), 0.95, larger_is_better=True)
    ScoreAxis(low=0.895, high=0.955, beyond=0)
    >>> score_axis(pd.Series([0.10, 0.93, 0.94, 0.95, 0.95]), 0.95, larger_is_better=True).beyond
    1
    """
    sign = 1.0 if larger_is_better else -1.0
    losses = sign * best - sign * scores  # how much worse than the best model
    spread = max(0.0, float(losses.quantile(0.75))) or max(0.0, float(losses.max())) or abs(best) * 0.01 or 0.01
    depth = max(0.0, float(losses[losses <= _WHOLE * spread].max()))
    ends = [sign * best - depth, sign * best - min(0.0, float(losses.min()))]
    margin = 0.1 * (ends[1] - ends[0]) or abs(best) * 0.01 or 0.01
    low, high = sorted(sign * end for end in (ends[0] - margin, ends[1] + margin))
    return ScoreAxis(round(low, 12), round(high, 12), int((losses > depth + margin).sum()))
