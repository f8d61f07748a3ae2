"""Metrics of one model's outputs, for one weighting of the rows or for many at once."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from core.evaluation._metrics import METRICS, Metric
from core.evaluation._statistics import Array

__all__ = ["WeightedMetrics", "compute_metric", "compute_metrics", "families_of"]


class WeightedMetrics:
    """Metrics of one model for many weightings of its rows; the row-wise work is done once, here.

    Parameters
    ----------
    names : iterable of str
        Keys of `METRICS`.
    y : array of shape (n,)
        Class codes 0 to k-1, or numbers.
    output : array of shape (n, k) or (n,)
        Probabilities of the classes, or predicted numbers.

    Examples
    --------
    >>> metrics = WeightedMetrics(["mae"], np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    >>> metrics(np.array([[1.0, 1.0], [3.0, 1.0]]))["mae"].tolist()
    [1.0, 0.5]
    """

    def __init__(self, names: Iterable[str], y: NDArray[np.generic], output: Array) -> None:
        self._y, self._output = y, output
        self._metrics = [METRICS[name] for name in names]
        types = {metric.sums.statistic for metric in self._metrics if metric.sums is not None}
        self._statistics = {statistic: statistic(y, output) for statistic in types}

    def __call__(self, weights: Array) -> dict[str, Array]:
        """Return each metric for each weighting, shape (weightings,); NaN where it is undefined.

        Parameters
        ----------
        weights : array of shape (weightings, n)
            Weights of the rows, such as how often a resample draws each.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            sums = {statistic: compute(weights) for statistic, compute in self._statistics.items()}
            return {
                metric.name: self._one_by_one(metric, weights)
                if metric.sums is None
                else metric.sums.formula(sums[metric.sums.statistic])
                for metric in self._metrics
            }

    def _one_by_one(self, metric: Metric, weights: Array) -> Array:
        assert metric.function is not None
        drawn = [row > 0 for row in weights]
        return np.array(
            [
                metric.function(self._y[rows], self._output[rows], weight[rows])
                for rows, weight in zip(drawn, weights, strict=True)
            ],
            dtype=np.float64,
        )


def families_of(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the metrics by the statistic that they share; one without a statistic stands alone.

    Examples
    --------
    >>> families_of(["accuracy", "log_loss", "f1_macro"])
    [('accuracy', 'f1_macro'), ('log_loss',)]
    """
    families: dict[object, list[str]] = {}
    for name in names:
        sums = METRICS[name].sums
        families.setdefault(name if sums is None else sums.statistic, []).append(name)
    return [tuple(family) for family in families.values()]


def compute_metrics(
    names: Iterable[str], y: NDArray[np.generic], output: Array, weight: NDArray[np.floating] | None = None
) -> dict[str, float]:
    """Compute several metrics; NaN where one is undefined.

    Parameters
    ----------
    names : iterable of str
        Keys of `METRICS`.
    y : array of shape (n,)
        Class codes 0 to k-1, or numbers.
    output : array of shape (n, k) or (n,)
        Probabilities of the classes, or predicted numbers.
    weight : array of shape (n,), optional
        Weights of the rows; by default all rows weigh the same.

    See Also
    --------
    compute_metric : One metric.
    WeightedMetrics : Many weightings at once.

    Examples
    --------
    >>> compute_metrics(["accuracy", "log_loss"], np.array([0, 1]), np.array([[0.5, 0.5], [0.5, 0.5]]))
    {'accuracy': 0.5, 'log_loss': 0.6931471805599453}
    """
    weights = np.ones((1, len(y))) if weight is None else np.asarray(weight, dtype=np.float64)[None]
    return {name: float(values[0]) for name, values in WeightedMetrics(names, y, output)(weights).items()}


def compute_metric(
    name: str, y: NDArray[np.generic], output: NDArray[np.floating], weight: NDArray[np.floating] | None = None
) -> float:
    """Compute a metric.

    Parameters
    ----------
    name : str
        Key of `METRICS`.
    y : array of shape (n,)
        Class codes 0 to k-1, or numbers.
    output : array of shape (n, k) or (n,)
        Probabilities of the classes, or predicted numbers.
    weight : array of shape (n,), optional
        Weights of the rows; by default all rows weigh the same.

    Returns
    -------
    float
        In the metric's own direction; NaN where it is undefined (rows of one class, or of one value). With three
        classes and more, roc_auc is one against the rest weighted by class frequency (Provost, Domingos 2000), and
        average_precision the same mean of the classes' own.

    Examples
    --------
    >>> compute_metric("accuracy", np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]]))
    1.0
    """
    weights = np.ones((1, len(y))) if weight is None else np.asarray(weight, dtype=np.float64)[None]
    return float(WeightedMetrics([name], y, np.asarray(output, dtype=np.float64))(weights)[name][0])
