"""Metrics with intervals: of each model, and of the first one's gain over each other, from rows or groups of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.evaluation._metrics import METRICS, metric_choices
from core.evaluation._sample import MIN_UNITS, Sample, TestedModel

__all__ = ["MIN_UNITS", "Comparison", "Estimate", "compare_outputs", "effective_rows"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """An estimate with its 95% interval.

    Parameters
    ----------
    value : float
        Estimated value.
    low, high : float
        Bounds of the interval; NaN where it is not known.
    n : int
        Number of rows behind it.
    rarest : int, optional
        Number of rows of the rarest class among them, or of groups that have such rows.
    reason : str, default=""
        Reason for a missing interval.
    """

    value: float
    low: float
    high: float
    n: int
    rarest: int | None = None
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the estimate as a plain dict, without what does not apply to it."""
        record: dict[str, Any] = {"value": self.value, "low": self.low, "high": self.high, "n": self.n}
        if self.rarest is not None:
            record["rarest"] = self.rarest
        if self.reason:
            record["reason"] = self.reason
        return record


@dataclass(frozen=True)
class Comparison:
    """Models tested on the same rows: every metric of each model, and the first one's gain over each other model.

    Parameters
    ----------
    metrics : dict of dict of Estimate
        Estimates by model and metric.
    gains : dict of Estimate
        Gains by the other model.
    groups : int or None, default=None
        Number of groups, where whole groups were drawn.
    """

    metrics: dict[str, dict[str, Estimate]]
    gains: dict[str, Estimate]
    groups: int | None = None


def compare_outputs(
    task: str,
    metric: str,
    y: NDArray[np.generic],
    outputs: Mapping[str, Array],
    *,
    groups: NDArray[np.generic] | None = None,
    sample_weight: NDArray[np.floating] | None = None,
    labels: Sequence[object] | None = None,
    seed: int = 0,
) -> Comparison:
    """Estimate all metrics of several models, and the first one's gains, with 95% intervals.

    Variances come from leaving out each row, or group of rows; rows are drawn within their class, so an interval is for
    the mix of classes that the test has. An interval of a proportion is a score interval, one of an error is on the
    logarithmic scale with quantiles of the studentized bootstrap, and gains are paired on the rows.

    Parameters
    ----------
    task : str
        Task: binary, multiclass or regression.
    metric : str
        Key of `METRICS` of the gains.
    y : array of shape (n,)
        Class codes, or numbers.
    outputs : mapping of str to array of shape (n, k) or (n,)
        Probabilities, or predicted numbers, by model.
    groups : array of shape (n,), optional
        Group of each row. Rows of a group depend on each other, so whole groups are left out and drawn.
    sample_weight : array of shape (n,), optional
        Weights of the rows. Rows are drawn with the same chance each, and carry their weight along.
    labels : sequence, optional
        Labels by class code, named in the reasons for missing intervals.
    seed : int, default=0
        Seed of the bootstrap, and of the blocks of rows that are left out together where there are many.

    Returns
    -------
    Comparison
        Gains are positive where the first model is better, whatever the direction of the metric. Bounds are NaN, with
        the reason, where fewer than 8 rows of a class (or groups that have it) are behind a metric that rests on it, or
        fewer than 8 rows or groups behind the others.

    Examples
    --------
    >>> y = np.arange(50.0)
    >>> comparison = compare_outputs("regression", "mae", y, {"a": y + 1, "b": y + 3})
    >>> comparison.metrics["a"]["mae"].value, comparison.gains["b"].value, comparison.gains["b"].n
    (1.0, 2.0, 50)
    """
    names = metric_choices(task)
    if not len(y):
        return _without_rows(names, metric, outputs)
    sample = Sample(task, y, groups=groups, weights=sample_weight, labels=labels, seed=seed)
    models = {model: TestedModel(sample, names, output) for model, output in outputs.items()}

    def estimate(name: str, value: float, bounds: tuple[float, float]) -> Estimate:
        reason = sample.obstacle(METRICS[name]) if np.isfinite(value) else "no interval: the metric is undefined here"
        if reason or not np.isfinite(bounds).all():
            nan = float("nan")
            return Estimate(value, nan, nan, len(y), sample.rarest, reason or "no interval: all rows are equal")
        return Estimate(value, *bounds, len(y), sample.rarest)

    metrics = {
        model: {name: estimate(name, tested.values[name], tested.bounds(name)) for name in names}
        for model, tested in models.items()
    }
    first, *others = outputs
    gains = {}
    for other in others:
        gains[other] = estimate(metric, *models[first].gain(models[other], metric))
    return Comparison(metrics, gains, sample.groups)


def _without_rows(names: Sequence[str], metric: str, outputs: Mapping[str, Array]) -> Comparison:
    nan = float("nan")
    nothing = Estimate(nan, nan, nan, 0, reason="no interval: there are no rows")
    metrics = {model: dict.fromkeys(names, nothing) for model in outputs}
    return Comparison(metrics, dict.fromkeys(list(outputs)[1:], nothing))


def effective_rows(hits: NDArray[np.bool_], groups: NDArray[np.generic]) -> float:
    """Return the effective number of independent rows behind a share, where rows depend on each other in groups.

    This is the number of rows divided by the design effect (Kish, Survey Sampling, 1965), by the linearized variance of
    a share of clusters; at least 1 and at most the rows. Where all rows are equal, each group counts once.

    Parameters
    ----------
    hits : array of shape (n,)
        Whether a row counts.
    groups : array of shape (n,)
        Group of each row.

    Examples
    --------
    >>> hits = np.array([True, True, False, False])
    >>> effective_rows(hits, np.array([0, 0, 1, 1])), effective_rows(hits, np.array([0, 1, 0, 1]))
    (1.0, 4.0)
    """
    codes = np.unique(groups, return_inverse=True)[1]
    n, count = len(hits), int(codes.max()) + 1
    share = float(hits.mean())
    if count == 1 or share in (0.0, 1.0):
        return float(count)
    apart = np.bincount(codes, hits - share)
    variance = count / (count - 1) * float(apart @ apart) / n**2
    return float(n) if variance == 0 else float(np.clip(share * (1 - share) / variance, 1, n))
