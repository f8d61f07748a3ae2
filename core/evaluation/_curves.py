"""Curves of a model's outputs on the test rows: plain lists, thinned to what a screen can show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.evaluation._estimates import effective_rows
from core.evaluation._intervals import kish, wilson

__all__ = ["by_threshold", "calibration", "confusion", "curves"]

_POINTS = 200
_BINS = 10
_CURVE_CLASSES = 20


def confusion(y: NDArray[np.generic], output: NDArray[np.float64]) -> list[list[int]]:
    """Return counts of rows, by the true class and by the predicted one."""
    k = output.shape[1]
    counts = np.bincount(y.astype(np.intp) * k + output.argmax(axis=1), minlength=k * k)
    table: list[list[int]] = counts.reshape(k, k).tolist()
    return table


def _thin(*series: NDArray[np.float64]) -> list[list[float]]:
    length = len(series[0])
    keep = np.unique(np.linspace(0, length - 1, min(length, _POINTS)).round().astype(int))
    return [np.round(values[keep], 6).tolist() for values in series]


def calibration(
    positive: NDArray[np.bool_],
    scores: NDArray[np.float64],
    bins: int = _BINS,
    groups: NDArray[np.intp] | None = None,
    sample_weight: NDArray[np.float64] | None = None,
) -> list[dict[str, float]]:
    """Return predicted and observed shares in bins of equally many rows, with Wilson intervals.

    Parameters
    ----------
    positive : array of bool of shape (n,)
        Whether a row is of the class.
    scores : array of shape (n,)
        Predicted probability of the class.
    bins : int, default=10
        Number of bins.
    groups : array of int of shape (n,), optional
        Group of each row. Rows of a group depend on each other, so the intervals are those of the effective number of
        independent rows.
    sample_weight : array of shape (n,), optional
        Weights of the rows. Bins still have equally many rows; one whose rows weigh nothing is left out.
    """
    order = np.argsort(scores, kind="stable")
    points = []
    for rows in np.array_split(order, bins):
        if not len(rows):
            continue
        weights = np.ones(len(rows)) if sample_weight is None else sample_weight[rows]
        if weights.sum() <= 0:
            continue
        share = float(np.average(positive[rows], weights=weights))
        effective = len(rows) if groups is None else effective_rows(positive[rows], groups[rows])
        effective *= kish(weights) / len(rows)
        low, high = wilson(share * effective, effective)
        points.append(
            {
                "predicted": float(np.average(scores[rows], weights=weights)),
                "observed": share,
                "low": float(low),
                "high": float(high),
                "n": len(rows),
            }
        )
    return points


def by_threshold(
    positive: NDArray[np.bool_], scores: NDArray[np.float64], sample_weight: NDArray[np.float64] | None = None
) -> dict[str, list[float | None]]:
    """Return the metrics of selecting the rows with at least a score, at thresholds from 0 to 1 in hundredths.

    Parameters
    ----------
    positive : array of bool of shape (n,)
        Whether a row is of the class.
    scores : array of shape (n,)
        Predicted probability of the class.
    sample_weight : array of shape (n,), optional
        Weights of the rows.

    Returns
    -------
    dict
        threshold, precision (None where no row is selected), recall, f1, selected (share of the rows).
    """
    thresholds = np.linspace(0, 1, 101).round(2)  # as they are shown
    weights = np.ones(len(scores)) if sample_weight is None else sample_weight
    selected, total = _weight_above(scores, weights, thresholds)
    right, hits = _weight_above(scores[positive], weights[positive], thresholds)
    precision = [float(hit / count) if count else None for hit, count in zip(right, selected, strict=True)]
    f1 = 2 * right / np.where(selected + hits > 0, selected + hits, 1)
    return {
        "threshold": thresholds.tolist(),
        "precision": precision,
        "recall": (right / (hits or 1)).round(6).tolist(),
        "f1": f1.round(6).tolist(),
        "selected": (selected / (total or 1)).round(6).tolist(),
    }


def _weight_above(
    scores: NDArray[np.float64], weights: NDArray[np.float64], thresholds: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Return the weight of the rows with at least each score, and of all rows."""
    order = np.argsort(scores)
    below = np.concatenate([[0.0], np.cumsum(weights[order])])
    return below[-1] - below[np.searchsorted(scores[order], thresholds, side="left")], float(below[-1])


def _selected_weight(
    positive: NDArray[np.bool_], scores: NDArray[np.float64], sample_weight: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the weight selected from each distinct score on, the highest first: outside and inside of the class."""
    weights = np.ones(len(scores)) if sample_weight is None else sample_weight
    counted = weights > 0
    positive, scores, weights = positive[counted], scores[counted], weights[counted]
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    inside = np.where(positive[order], weights[order], 0.0).cumsum()[last]
    outside = np.where(positive[order], 0.0, weights[order]).cumsum()[last]
    return outside, inside


def _roc(
    negatives: NDArray[np.float64], positives: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return false and true positive rates, without the points on a line between two others."""
    if len(positives) > 2:
        corner = np.r_[True, (np.diff(negatives, 2) != 0) | (np.diff(positives, 2) != 0), True]
        negatives, positives = negatives[corner], positives[corner]
    return np.r_[0.0, negatives / negatives[-1]], np.r_[0.0, positives / positives[-1]]


def _precision_recall(
    negatives: NDArray[np.float64], positives: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return recall and precision from the lowest score to the highest, and a last point where no row is selected."""
    precision = positives / (negatives + positives)
    return np.r_[positives[::-1] / positives[-1], 0.0], np.r_[precision[::-1], 1.0]


def curves(
    y: NDArray[np.generic],
    output: NDArray[np.float64],
    labels: Sequence[str] | None,
    *,
    groups: NDArray[np.intp] | None = None,
    sample_weight: NDArray[np.float64] | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Return ROC, precision-recall, calibration and thresholds of each class, or predicted and actual numbers.

    Parameters
    ----------
    y : array of shape (n,)
        Class codes, or numbers.
    output : array of shape (n, k) or (n,)
        Probabilities of the classes, or predicted numbers.
    labels : sequence of str or None
        Labels by code; None for regression.
    groups : array of int of shape (n,), optional
        Group of each row.
    sample_weight : array of shape (n,), optional
        Weights of the rows.
    seed : int, default=0
        Seed of the sample of rows of a regression.

    Returns
    -------
    dict
        Classes: ``{"classes": {label: {"roc": {"fpr", "tpr"}, "pr": {"recall", "precision"}, "share",
        "calibration": [...], "threshold": {...}}}, "left_out": n}``; a binary task has its positive class only.
        Regression: ``{"actual": [...], "predicted": [...]}``, at most 1,000 rows drawn at random.
    """
    if labels is None:
        rows = np.arange(len(y))
        if len(rows) > 1000:
            rows = np.random.default_rng(seed).choice(rows, 1000, replace=False)
        return {"actual": y[rows].astype(float).tolist(), "predicted": output[rows].astype(float).tolist()}
    codes = [1] if len(labels) == 2 else list(range(len(labels)))
    counts = np.bincount(y.astype(np.intp), minlength=len(labels))
    shown = sorted(codes, key=lambda code: -counts[code])[:_CURVE_CLASSES]
    by_label = {}
    for code in sorted(shown):
        positive = y == code
        present = positive if sample_weight is None else positive[sample_weight > 0]
        if not present.any() or present.all():
            continue
        scores = output[:, code]
        negatives, positives = _selected_weight(positive, scores, sample_weight)
        roc = _thin(*_roc(negatives, positives))
        pr = _thin(*_precision_recall(negatives, positives))
        by_label[labels[code]] = {
            "roc": {"fpr": roc[0], "tpr": roc[1]},
            "pr": {"recall": pr[0], "precision": pr[1]},
            "share": float(np.average(positive, weights=sample_weight)),
            "calibration": calibration(positive, scores, groups=groups, sample_weight=sample_weight),
            "threshold": by_threshold(positive, scores, sample_weight),
        }
    return {"classes": by_label, "left_out": len(codes) - len(by_label)}
