"""How a model's score grows with the training rows, and whether more of them would help."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from core.automl.learners.registry import learner_title
from core.evaluation import METRICS, Estimate

__all__ = ["CurvePoint", "LearningCurve", "describe_curve"]

_ROUNDING = 1e-9  # relative difference of gains that are equal but for rounding
_NEGLIGIBLE = 0.05  # of the gain over guessing, below which another doubling is not worth having


@dataclass(frozen=True)
class CurvePoint:
    """A share of the training rows, and the scores of models that learned from it.

    Parameters
    ----------
    share : float
        Share of each fold's training rows, 1 for all.
    rows : int
        Number of rows, on average over the folds.
    scores : tuple of float
        Score of each fold on its validation rows, which are the same for every share.
    """

    share: float
    rows: int
    scores: tuple[float, ...]

    @property
    def score(self) -> float:
        """Mean score over the folds."""
        return float(np.mean(self.scores))


@dataclass(frozen=True)
class LearningCurve:
    """Scores of a search's winner by the number of training rows, in cross-validation.

    Parameters
    ----------
    metric : str
        Key of `METRICS` of the scores.
    learner : str
        Key of the learner: that of the winner, or of the best single model where a blend won.
    trial : int or None
        Number of the trial; 0 for the linear model.
    points : tuple of CurvePoint
        Points by the number of rows, the last with all training rows; a single point is not a curve.
    guessing : float or None
        Score of the baseline that guesses, in the same cross-validation.
    validation_share : float
        Number of validation rows of a fold per training row.
    reason : str, default=""
        Reason why points are missing.

    Examples
    --------
    >>> points = (CurvePoint(0.5, 400, (0.80, 0.82, 0.81)), CurvePoint(1.0, 800, (0.84, 0.86, 0.86)))
    >>> curve = LearningCurve("roc_auc", "lgbm", 7, points, 0.5, 0.5)
    >>> round(curve.gain.value, 3), round(curve.gain.low, 3) > 0
    (0.043, True)
    """

    metric: str
    learner: str
    trial: int | None
    points: tuple[CurvePoint, ...]
    guessing: float | None
    validation_share: float
    reason: str = ""

    @property
    def gain(self) -> Estimate | None:
        """Gain from half of the training rows to all of them, larger being better; None without both points.

        The interval is a t interval over the folds with the variance of Nadeau and Bengio (2003), since folds share
        most of their training rows.
        """
        by_share = {point.share: point for point in self.points}
        if 0.5 not in by_share or 1.0 not in by_share:
            return None
        sign = 1.0 if METRICS[self.metric].larger_is_better else -1.0
        gains = sign * (np.array(by_share[1.0].scores) - np.array(by_share[0.5].scores))
        value, rows = float(gains.mean()), by_share[1.0].rows
        if len(gains) < 2:
            return Estimate(value, None, None, rows, reason="no interval: a single holdout was scored")
        error = math.sqrt((1 / len(gains) + self.validation_share) * float(gains.var(ddof=1)))
        if error <= _ROUNDING * max(abs(value), 1e-3):
            return Estimate(value, None, None, rows, reason="no interval: the gain is the same in every fold")
        width = _t_quantile(len(gains) - 1) * error
        return Estimate(value, value - width, value + width, rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the curve as JSON-serializable values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LearningCurve:
        """Return the curve that `to_dict` described."""
        points = tuple(CurvePoint(item["share"], item["rows"], tuple(item["scores"])) for item in values["points"])
        return cls(**{**values, "points": points})


def _t_quantile(freedom: int) -> float:
    from scipy.stats import t

    return float(t.ppf(0.975, freedom))


def describe_curve(curve: LearningCurve) -> str:
    """Return a sentence on whether more training rows would help, with its uncertainty.

    Examples
    --------
    >>> points = (CurvePoint(0.5, 400, (0.80, 0.82, 0.81)), CurvePoint(1.0, 800, (0.84, 0.86, 0.86)))
    >>> describe_curve(LearningCurve("roc_auc", "lgbm", 7, points, 0.5, 0.5))  # doctest: +ELLIPSIS
    'More rows would probably help: from 400 to 800 training rows the ROC AUC of LightGBM 7 improved by 0.043 [...'
    """
    gain = curve.gain
    if gain is None:
        return f"Whether more rows would help was not measured: {curve.reason or 'too few rows'}."
    half, full = (next(point for point in curve.points if point.share == share) for share in (0.5, 1.0))
    name = f"{learner_title(curve.learner)} {curve.trial}" if curve.trial else learner_title(curve.learner)
    low, high = gain.low, gain.high
    decimals = _decimals(abs(gain.value) if low is None or high is None else high - low)
    metric = METRICS[curve.metric]
    change = f"improved by {gain.value + 0.0:,.{decimals}f}".replace("-", "−")
    measured = f"from {half.rows:,} to {full.rows:,} training rows the {metric.title} of {name} {change}"
    if low is None or high is None:
        return f"{measured[0].upper()}{measured[1:]} ({gain.reason})."
    interval = f"[{low:,.{decimals}f}, {high:,.{decimals}f}]".replace("-", "−")
    over_guessing = math.inf if curve.guessing is None else abs(full.score - curve.guessing)
    if curve.guessing is not None and high <= _NEGLIGIBLE * over_guessing:
        return f"More rows of the same kind would hardly help: {measured} {interval}."
    most = f"Doubling them once more should bring {high:,.{decimals}f} at most, because gains shrink as rows grow."
    if low > 0:
        return f"More rows would probably help: {measured} {interval}. {most}"
    return f"Whether more rows would help is not certain: {measured} {interval}. {most}"


def _decimals(size: float) -> int:
    """Return how many decimals show two digits of the width of an interval, or of a value without one."""
    return 3 if size <= 0 else min(6, max(0, 1 - math.floor(math.log10(size))))
