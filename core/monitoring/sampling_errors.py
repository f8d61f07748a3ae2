"""How far a metric of a chunk of rows is from its mean by chance alone, by the spread that the reference has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import InputError, SettingsError
from core.registry import unknown_name

__all__ = ["SAMPLING_ERRORS", "sampling_error"]

Array = NDArray[np.float64]
Component: TypeAlias = tuple[Array, float]
"""Contribution of each row that counts, and the share of the rows that count."""


def _roc_auc(truth: NDArray[np.bool_], score: Array, selected: NDArray[np.bool_]) -> Component:
    """Return for each row of the rarer class how much of the other class it is above (Sen 1960)."""
    from scipy.stats import rankdata

    if truth.mean() > 0.5:
        truth, score = ~truth, -score
    negatives = int((~truth).sum())
    ranks, own = rankdata(score, method="average"), rankdata(score[truth], method="average")
    return (ranks[truth] - own) / max(negatives, 1), float(truth.mean())


def _f1(truth: NDArray[np.bool_], score: Array, selected: NDArray[np.bool_]) -> Component:
    counts = truth | selected
    right = (truth & selected)[counts]
    factor = counts.sum() / max(float((~right).sum()) / 2 + float(right.sum()), 1e-12)
    return right * factor, float(counts.mean())


def _share(
    hits: Callable[[NDArray[np.bool_], NDArray[np.bool_]], NDArray[np.bool_]],
    among: Callable[[NDArray[np.bool_], NDArray[np.bool_]], NDArray[np.bool_]],
) -> Callable[[NDArray[np.bool_], Array, NDArray[np.bool_]], Component]:
    def component(truth: NDArray[np.bool_], score: Array, selected: NDArray[np.bool_]) -> Component:
        rows = among(truth, selected)
        return hits(truth, selected)[rows].astype(np.float64), float(rows.mean())

    return component


SAMPLING_ERRORS: dict[str, Callable[[NDArray[np.bool_], Array, NDArray[np.bool_]], Component]] = {
    "roc_auc": _roc_auc,
    "f1": _f1,
    "precision": _share(lambda truth, selected: truth, lambda truth, selected: selected),
    "recall": _share(lambda truth, selected: selected, lambda truth, selected: truth),
    "specificity": _share(lambda truth, selected: ~selected, lambda truth, selected: ~truth),
    "accuracy": _share(lambda truth, selected: truth == selected, lambda truth, selected: np.ones_like(truth)),
}
"""Contributions of rows to a metric, by its name."""


def sampling_error(metric: str, y_true: ArrayLike, y_score: ArrayLike, *, n: int, threshold: float = 0.5) -> float:
    """Return the standard error of a metric on n rows that are like those of the reference.

    The spread of the rows' contributions to the metric in the reference, divided by the root of the rows of the chunk
    that count for it: those that are selected for precision, positive for recall, and so on; for ROC AUC the rows of
    the rarer class. The formulas are those of NannyML, which follow from the variance of a mean. Two are rough: that of
    ROC AUC leaves out the spread of the more frequent class and is too small, that of F1 is too large. The intervals of
    `estimate_performance` do not use them.

    Parameters
    ----------
    metric : {"roc_auc", "f1", "precision", "recall", "specificity", "accuracy"}
        Name of the metric.
    y_true : array-like of shape (m,)
        Whether a row of the reference is positive.
    y_score : array-like of shape (m,)
        Scores of the reference.
    n : int
        Rows of the chunk.
    threshold : float, default=0.5
        Score from which a row is selected.

    Returns
    -------
    float
        NaN where no row of the reference counts.

    Raises
    ------
    SettingsError
        When the metric is unknown, or n is below 1.
    InputError
        When labels and scores do not fit each other.

    Examples
    --------
    >>> round(sampling_error("accuracy", [1, 0, 1, 0], [0.9, 0.1, 0.2, 0.4], n=100), 4)
    0.0433
    """
    if metric not in SAMPLING_ERRORS:
        raise SettingsError(f"Unknown metric '{metric}'.", unknown_name(metric, SAMPLING_ERRORS))
    if n < 1:
        raise SettingsError(f"The chunk has {n} rows.", "Give at least one row.")
    truth, score = np.asarray(y_true).astype(bool), np.asarray(y_score, dtype=np.float64)
    if truth.shape != score.shape or truth.ndim != 1 or not len(truth):
        raise InputError(
            f"There are {truth.size:,} labels and {score.size:,} scores.", "Give one label and one score for each row."
        )
    values, share = SAMPLING_ERRORS[metric](truth, score, score >= threshold)
    return float(np.std(values) / np.sqrt(n * share)) if share > 0 else float("nan")
