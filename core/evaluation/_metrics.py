"""The metrics: one record each, with its title, direction, tasks and how it is computed.

A further metric is one more record::

    from core.evaluation import METRICS, Metric

    METRICS.add(Metric("mcc", title="MCC", larger_is_better=True, tasks=("binary", "multiclass"), function=mcc))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.evaluation._statistics import (
    Array,
    ConfusionCounts,
    ErrorSums,
    ErrorTotals,
    LabelCounts,
    LabelLosses,
    LabelTotals,
    LogLosses,
    Rankings,
)
from core.registry import Registry

__all__ = ["METRICS", "Metric", "Sums", "metric_choices", "resolve_metric"]

_CLASSES = ("binary", "multiclass")
_NUMBERS = ("regression",)
_LABELS = ("multilabel",)

S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)


class Statistic(Protocol[S_co]):
    """Row-wise work on one model's outputs that metrics share; a call returns sums for many weightings at once."""

    def __init__(self, y: NDArray[np.generic], output: Array) -> None: ...

    def __call__(self, weights: Array) -> S_co:
        """Return the sums for weights of shape (weightings, n)."""
        ...


@dataclass(frozen=True)
class Sums(Generic[S]):
    """A metric as a formula over a shared statistic: fast for many weightings of the rows.

    Parameters
    ----------
    statistic : type
        Class of the statistic, such as `ConfusionCounts`. Metrics with the same one share its work.
    formula : callable
        Takes what the statistic returns for weights of shape (weightings, n), returns an array of shape (weightings,).
    """

    statistic: type[Statistic[S]]
    formula: Callable[[S], Array]


@dataclass(frozen=True)
class Metric:
    """One metric.

    Parameters
    ----------
    name : str
        Key that settings and results use.
    title : str
        Usual name, as pages and reports show it.
    larger_is_better : bool
        Direction of better.
    tasks : tuple of str
        Tasks that the metric fits: binary, multiclass, regression, multilabel (any number of labels for a row).
    help : str, default=""
        One sentence about what the metric measures.
    sums : Sums, optional
        Definition by a shared statistic, which evaluates a thousand resamples at once.
    function : callable, optional
        Definition by ``function(y, output, weight)`` for one weighting, where `weight` has shape (n,); slower. `output`
        has shape (n, k), the probabilities of the class codes 0 to k-1, or (n,), predicted numbers.
    proportion_of : {"rows", "class", "labels"}, optional
        Base of a metric that is a proportion, from 0 to 1: all rows, the rows of each class, or the labels of all rows.
        Its interval stays within 0 and 1.
    perfect : float, optional
        Value of a model without a fault, for a metric without a bound on the other side, such as an error. Its interval
        is that of the distance, on the logarithmic scale.
    area : bool, default=False
        Whether the metric is an area under the ROC curve.
    by_frequency : bool, default=False
        Whether each of three classes and more counts by its frequency, so that a class of few rows hardly matters.

    Examples
    --------
    >>> METRICS["rmse"].larger_is_better
    False
    """

    name: str
    title: str
    larger_is_better: bool
    tasks: tuple[str, ...]
    help: str = ""
    sums: Sums[Any] | None = None
    function: Callable[[NDArray[np.generic], Array, Array], float] | None = None
    proportion_of: Literal["rows", "class", "labels"] | None = None
    perfect: float | None = None
    area: bool = False
    by_frequency: bool = False

    def __post_init__(self) -> None:
        if (self.sums is None) == (self.function is None):
            raise ValueError(f"The metric '{self.name}' needs either sums or a function.")


def _accuracy(counts: Array) -> Array:
    return np.asarray(np.einsum("bii->b", counts) / counts.sum(axis=(1, 2)))


def _balanced_accuracy(counts: Array) -> Array:
    right, actual = np.einsum("bii->bi", counts), counts.sum(axis=2)
    recall = np.where(actual > 0, right / actual, 0.0)
    return np.asarray(recall.sum(axis=1) / (actual > 0).sum(axis=1))


def _f1_by_class(counts: Array) -> Array:
    right, both = np.einsum("bii->bi", counts), counts.sum(axis=2) + counts.sum(axis=1)
    return np.where(both > 0, 2 * right / both, 0.0)


def _f1_macro(counts: Array) -> Array:
    present = counts.sum(axis=2) + counts.sum(axis=1) > 0  # as scikit-learn: the labels that occur on either side
    return np.asarray((_f1_by_class(counts) * present).sum(axis=1) / present.sum(axis=1))


def _f1_weighted(counts: Array) -> Array:
    actual = counts.sum(axis=2)
    return np.asarray((_f1_by_class(counts) * actual).sum(axis=1) / actual.sum(axis=1))


def _r2(errors: ErrorTotals) -> Array:
    return np.where(errors.variance > 0, 1 - errors.squared / errors.variance, np.nan)


def _f1(hits: Array, extra: Array, missed: Array) -> Array:
    both = 2 * hits + extra + missed
    return np.where(both > 0, 2 * hits / both, 0.0)


def _f1_micro(totals: LabelTotals) -> Array:
    return _f1(totals.hits.sum(axis=1), totals.extra.sum(axis=1), totals.missed.sum(axis=1))


def _f1_labels(totals: LabelTotals) -> Array:
    return np.asarray(_f1(totals.hits, totals.extra, totals.missed).mean(axis=1))


def _hamming_loss(totals: LabelTotals) -> Array:
    return np.asarray((totals.extra + totals.missed).mean(axis=1) / totals.rows)


METRICS: Registry[Metric] = Registry(
    "metric",
    [
        Metric(
            "roc_auc",
            title="ROC AUC",
            larger_is_better=True,
            tasks=_CLASSES,
            help="How often a row of the class gets a higher score than another row; 0.5 is chance.",
            sums=Sums(Rankings, lambda areas: areas.mean(areas.roc)),
            proportion_of="class",
            area=True,
            by_frequency=True,
        ),
        Metric(
            "accuracy",
            title="Accuracy",
            larger_is_better=True,
            tasks=_CLASSES,
            help="Share of rows whose most probable class is the true one.",
            sums=Sums(ConfusionCounts, _accuracy),
            proportion_of="rows",
        ),
        Metric(
            "balanced_accuracy",
            title="Balanced accuracy",
            larger_is_better=True,
            tasks=_CLASSES,
            help="Mean over the classes of the share that is predicted correctly, so rare classes count as much.",
            sums=Sums(ConfusionCounts, _balanced_accuracy),
            proportion_of="class",
        ),
        Metric(
            "f1_macro",
            title="F1, macro",
            larger_is_better=True,
            tasks=_CLASSES,
            help="Harmonic mean of precision and recall, averaged over the classes.",
            sums=Sums(ConfusionCounts, _f1_macro),
            proportion_of="class",
        ),
        Metric(
            "f1_weighted",
            title="F1, weighted",
            larger_is_better=True,
            tasks=_CLASSES,
            help="Harmonic mean of precision and recall, averaged over the classes by their frequency.",
            sums=Sums(ConfusionCounts, _f1_weighted),
            proportion_of="class",
            by_frequency=True,
        ),
        Metric(
            "log_loss",
            title="Log loss",
            larger_is_better=False,
            tasks=_CLASSES,
            help="Mean negative logarithm of the true class's probability; it judges the probabilities themselves.",
            sums=Sums(LogLosses, lambda losses: losses),
            perfect=0.0,
        ),
        Metric(
            "average_precision",
            title="Average precision",
            larger_is_better=True,
            tasks=_CLASSES,
            help="Mean precision over all thresholds, weighted by the gain in recall; suits rare classes.",
            sums=Sums(Rankings, lambda areas: areas.mean(areas.precision)),
            proportion_of="class",
            by_frequency=True,
        ),
        Metric(
            "r2",
            title="R²",
            larger_is_better=True,
            tasks=_NUMBERS,
            help="Share of the target's variance that the predictions explain; 0 is always predicting the mean.",
            sums=Sums(ErrorSums, _r2),
            perfect=1.0,
        ),
        Metric(
            "rmse",
            title="RMSE",
            larger_is_better=False,
            tasks=_NUMBERS,
            help="Root of the mean squared error, in the target's unit; large errors weigh more.",
            sums=Sums(ErrorSums, lambda errors: np.sqrt(errors.squared)),
            perfect=0.0,
        ),
        Metric(
            "mae",
            title="MAE",
            larger_is_better=False,
            tasks=_NUMBERS,
            help="Mean absolute error, in the target's unit.",
            sums=Sums(ErrorSums, lambda errors: errors.absolute),
            perfect=0.0,
        ),
        Metric(
            "mape",
            title="MAPE",
            larger_is_better=False,
            tasks=_NUMBERS,
            help="Mean absolute error as a share of the true value.",
            sums=Sums(ErrorSums, lambda errors: errors.relative),
            perfect=0.0,
        ),
        Metric(
            "f1_micro",
            title="F1, micro",
            larger_is_better=True,
            tasks=_LABELS,
            help="Harmonic mean of precision and recall over the labels of all rows together.",
            sums=Sums(LabelCounts, _f1_micro),
            proportion_of="labels",
        ),
        Metric(
            "f1_labels",
            title="F1, mean of the labels",
            larger_is_better=True,
            tasks=_LABELS,
            help="Harmonic mean of precision and recall of each label, averaged: rare labels count as much.",
            sums=Sums(LabelCounts, _f1_labels),
            proportion_of="labels",
        ),
        Metric(
            "exact_match",
            title="Exact match",
            larger_is_better=True,
            tasks=_LABELS,
            help="Share of rows whose labels are all right, none missing and none too many.",
            sums=Sums(LabelCounts, lambda totals: totals.exact / totals.rows),
            proportion_of="rows",
        ),
        Metric(
            "hamming_loss",
            title="Hamming loss",
            larger_is_better=False,
            tasks=_LABELS,
            help="Share of all decisions, one per row and label, that are wrong.",
            sums=Sums(LabelCounts, _hamming_loss),
            perfect=0.0,
        ),
        Metric(
            "label_log_loss",
            title="Log loss per label",
            larger_is_better=False,
            tasks=_LABELS,
            help="Mean negative logarithm of the probability of what is true of each label.",
            sums=Sums(LabelLosses, lambda losses: losses),
            perfect=0.0,
        ),
    ],
)
"""Metrics that a search can optimize, the default of a task first."""


def metric_choices(task: str) -> list[str]:
    """Return the metrics that fit a task, the default first.

    Examples
    --------
    >>> metric_choices("regression")
    ['r2', 'rmse', 'mae', 'mape']
    """
    return [name for name, metric in METRICS.items() if task in metric.tasks]


def resolve_metric(name: str, task: str) -> str:
    """Return the metric that "auto" stands for, or `name` itself."""
    return metric_choices(task)[0] if name == "auto" else name
