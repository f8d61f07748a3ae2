"""Metrics with intervals: of each model, and of the first one's gain over each other, from rows or groups of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import InputError, SettingsError
from core.evaluation._metrics import METRICS, metric_choices
from core.evaluation._sample import MIN_UNITS, Sample, TestedModel

__all__ = ["MIN_UNITS", "Comparison", "Estimate", "compare_outputs", "effective_rows", "estimate"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """An estimate with its interval, of 95% unless it was asked for otherwise.

    Parameters
    ----------
    value : float
        Estimated value; NaN where it is undefined.
    low, high : float or None
        Bounds of the interval; None where there is none, also if NaN was given.
    n : int
        Number of rows behind it.
    rarest : int, optional
        Number of rows of the rarest class among them, or of groups that have such rows.
    reason : str, default=""
        Reason for a missing interval.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    rarest: int | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        if self.low != self.low or self.high != self.high:  # NaN
            object.__setattr__(self, "low", None)
            object.__setattr__(self, "high", None)

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
        Task: binary, multiclass, regression or multilabel.
    metric : str
        Key of `METRICS` of the gains.
    y : array of shape (n,) or (n, labels)
        Class codes, numbers, or whether a row has each label.
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
        Gains are positive where the first model is better, whatever the direction of the metric. Bounds are None, with
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
    metrics = {
        model: {name: _estimate(sample, name, tested.values[name], tested.bounds(name)) for name in names}
        for model, tested in models.items()
    }
    first, *others = outputs
    gains = {}
    for other in others:
        gains[other] = _estimate(sample, metric, *models[first].gain(models[other], metric))
    return Comparison(metrics, gains, sample.groups)


def _estimate(sample: Sample, name: str, value: float, bounds: tuple[float, float]) -> Estimate:
    """Return a value of a metric with its bounds, or with the reason why there are none."""
    reason = sample.obstacle(METRICS[name]) if np.isfinite(value) else "no interval: the metric is undefined here"
    if reason or not np.isfinite(bounds).all():
        reason = reason or "no interval: all rows are equal"
        return Estimate(value, None, None, len(sample.y), sample.rarest, reason)
    return Estimate(value, *bounds, len(sample.y), sample.rarest)


def _without_rows(names: Sequence[str], metric: str, outputs: Mapping[str, Array]) -> Comparison:
    nothing = Estimate(float("nan"), None, None, 0, reason="no interval: there are no rows")
    metrics = {model: dict.fromkeys(names, nothing) for model in outputs}
    return Comparison(metrics, dict.fromkeys(list(outputs)[1:], nothing))


def estimate(
    metric: str,
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Estimate a metric of a model's outputs, with its interval.

    Parameters
    ----------
    metric : str
        Key of `METRICS`.
    y_true : array-like of shape (n,)
        Labels, or numbers.
    y_score : array-like of shape (n,) or (n, k)
        Probabilities of the labels in their sorted order, or of the last of two labels; predicted numbers for a metric
        of these.
    groups : array-like of shape (n,), optional
        Group of each row. Rows of a group depend on each other, so whole groups are left out and drawn.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows.
    confidence : float, default=0.95
        Probability with which the interval holds the true value.
    seed : int, default=0
        Seed of the bootstrap, and of the blocks of rows that are left out together where there are many.

    Returns
    -------
    Estimate
        Bounds are None, with the reason, where fewer than 8 rows of a class (or groups that have it) are behind a
        metric that rests on it, or fewer than 8 rows or groups behind the others.

    Raises
    ------
    SettingsError
        When the metric is unknown, or the confidence is not between 0 and 1.
    InputError
        When the values do not fit each other or the metric.

    See Also
    --------
    compare_outputs : All metrics of several models, and their gains.

    Examples
    --------
    >>> y, score = np.tile([0, 1], 30), np.linspace(0, 1, 60)
    >>> result = estimate("roc_auc", y, score)
    >>> round(result.value, 3), round(result.low, 3), round(result.high, 3), result.n, result.rarest
    (0.517, 0.371, 0.659, 60, 30)
    >>> estimate("roc_auc", y[:9], score[:9]).reason
    "no interval: the test has only 4 rows of '1'"
    """
    record = METRICS.require(metric)
    if not 0 < confidence < 1:
        raise SettingsError(f"The confidence is {confidence}.", "Give a number between 0 and 1.")
    truth = np.asarray(y_true)
    output = np.asarray(y_score, dtype=np.float64)
    if truth.ndim != 1 or not len(truth) or len(output) != len(truth) or not np.isfinite(output).all():
        raise InputError(
            f"The outputs of shape {output.shape} do not fit {len(truth):,} labels, or are not all finite numbers.",
            "Give one output (or one per label) for each row, without missing values.",
        )
    labels, y, task = None, truth, "regression"
    if "regression" not in record.tasks:
        labels, y = np.unique(truth, return_inverse=True)
        output = _by_label(output, len(labels), metric)
        task = "binary" if output.shape[1] == 2 else "multiclass"
    sample = Sample(
        task,
        y,
        groups=None if groups is None else np.asarray(groups),
        weights=None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64),
        labels=None if labels is None else labels.tolist(),
        seed=seed,
        confidence=confidence,
    )
    tested = TestedModel(sample, [metric], output)
    return _estimate(sample, metric, tested.values[metric], tested.bounds(metric))


def _by_label(output: Array, labels: int, metric: str) -> Array:
    """Return one column of probabilities for each label."""
    if output.ndim == 1:
        if labels > 2:
            raise InputError(f"There are {labels} labels and one output per row.", "Give a probability of each label.")
        if metric not in ("roc_auc", "average_precision") and (output.min() < 0 or output.max() > 1):
            raise InputError(f"The outputs reach from {output.min():g} to {output.max():g}.", "Give probabilities.")
        return np.column_stack([1 - output, output])
    if output.shape[1] < labels:
        raise InputError(f"There are {labels} labels and {output.shape[1]} outputs.", "Give one output for each label.")
    return output


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
