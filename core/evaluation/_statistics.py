"""Sums over rows that metrics share, for many weightings of the rows at once.

A statistic does the row-wise work once, when it is made; each call then turns weights into sums by matrix products.
A bootstrap of a thousand resamples therefore costs little more than one evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "LABEL_THRESHOLD",
    "ConfusionCounts",
    "ErrorSums",
    "ErrorTotals",
    "LabelCounts",
    "LabelLosses",
    "LabelTotals",
    "LogLosses",
    "RankingAreas",
    "Rankings",
]

Array = NDArray[np.float64]

LABEL_THRESHOLD = 0.5
"""Probability from which on a label is predicted, where a row may have several."""


class ConfusionCounts:
    """Weighted counts of true class by predicted class.

    Parameters
    ----------
    y : array of shape (n,)
        Class codes 0 to k-1.
    output : array of shape (n, k)
        Probabilities of the classes; the most probable class is the predicted one.

    Examples
    --------
    >>> counts = ConfusionCounts(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]))
    >>> counts(np.ones((1, 3)))[0].tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """

    def __init__(self, y: NDArray[np.generic], output: Array) -> None:
        self._classes = output.shape[1]
        cells = y.astype(np.intp) * self._classes + output.argmax(axis=1)
        self._cells, cell_of_row = np.unique(cells, return_inverse=True)
        self._rows = np.eye(len(self._cells))[cell_of_row]

    def __call__(self, weights: Array) -> Array:
        """Return counts of shape (weightings, k, k), rows by the true class."""
        counts = np.zeros((len(weights), self._classes**2))
        counts[:, self._cells] = weights @ self._rows
        return counts.reshape(-1, self._classes, self._classes)


class LogLosses:
    """Weighted mean of the negative log probability of the true class.

    Parameters
    ----------
    y : array of shape (n,)
        Class codes 0 to k-1.
    output : array of shape (n, k)
        Probabilities of the classes; rows are scaled to the sum 1.
    """

    def __init__(self, y: NDArray[np.generic], output: Array) -> None:
        clipped = np.clip(np.asarray(output, dtype=float), 1e-15, None)
        clipped = clipped / clipped.sum(axis=1, keepdims=True)
        self._rows = -np.log(clipped[np.arange(len(y)), y.astype(np.intp)])

    def __call__(self, weights: Array) -> Array:
        """Return the mean for each weighting, shape (weightings,)."""
        return np.asarray(weights @ self._rows / weights.sum(axis=1))


@dataclass(frozen=True)
class RankingAreas:
    """Areas under the curves of each class against the rest, for each weighting.

    Parameters
    ----------
    roc : array of shape (classes, weightings)
        Area under the ROC curve; NaN where only one class has weight.
    precision : array of shape (classes, weightings)
        Average precision; NaN where the class has no weight.
    share : array of shape (classes, weightings)
        Share of the rows that are of the class.
    """

    roc: Array
    precision: Array
    share: Array

    def mean(self, areas: Array) -> Array:
        """Return the mean of areas over the classes, weighted by their frequency (Provost, Domingos 2000).

        With two classes there is one area, which is NaN where only one class has weight.
        """
        usable = (self.share > 0) & (self.share < 1)
        if len(areas) == 1:
            return np.where(usable[0], areas[0], np.nan)
        share = np.where(usable, self.share, 0.0)
        return np.asarray(np.nansum(areas * share, axis=0) / share.sum(axis=0))


class Rankings:
    """Areas under the ROC and the precision-recall curve.

    Parameters
    ----------
    y : array of shape (n,)
        Class codes 0 to k-1.
    output : array of shape (n, k)
        Probabilities of the classes. With two classes the second is ranked, otherwise each against the rest.
    """

    def __init__(self, y: NDArray[np.generic], output: Array) -> None:
        codes, classes = y.astype(np.intp), output.shape[1]
        ranked = range(1, 2) if classes == 2 else range(classes)
        self._rankings = [self._ranking(codes == code, output[:, code]) for code in ranked]

    @staticmethod
    def _ranking(positive: NDArray[np.bool_], scores: Array) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
        order = np.argsort(-scores, kind="stable")
        ordered = scores[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        return order, starts, positive[order].astype(np.float64)

    def __call__(self, weights: Array) -> RankingAreas:
        """Return the areas for each weighting."""
        areas, precisions, shares = [], [], []
        for order, starts, positive in self._rankings:
            ordered = weights[:, order]
            everything = np.add.reduceat(ordered, starts, axis=1)
            hits = np.add.reduceat(ordered * positive, starts, axis=1)
            hits_above, rows_above = hits.cumsum(axis=1), everything.cumsum(axis=1)
            hit_total, total = hits_above[:, -1], rows_above[:, -1]
            # A hit beats every miss that scores lower, and half of those that score the same.
            misses = everything - hits
            lower = (total - hit_total)[:, None] - (rows_above - hits_above)
            areas.append(np.einsum("bi,bi->b", hits, lower + misses / 2) / (hit_total * (total - hit_total)))
            precisions.append(np.einsum("bi,bi->b", hits, hits_above / np.maximum(rows_above, 1e-300)) / hit_total)
            shares.append(hit_total / total)
        return RankingAreas(np.array(areas), np.array(precisions), np.array(shares))


@dataclass(frozen=True)
class ErrorTotals:
    """Weighted means of the errors of predicted numbers, each of shape (weightings,).

    Parameters
    ----------
    absolute, squared, relative : array
        Means of the absolute, the squared and the relative absolute error.
    variance : array
        Variance of the true values; 0 where it is only a rounding error.
    """

    absolute: Array
    squared: Array
    relative: Array
    variance: Array


class ErrorSums:
    """Errors of predicted numbers.

    Parameters
    ----------
    y : array of shape (n,)
        True values.
    output : array of shape (n,)
        Predicted values.
    """

    def __init__(self, y: NDArray[np.generic], output: Array) -> None:
        truth = y.astype(np.float64)
        error = truth - output
        centered = truth - truth.mean()
        relative = np.abs(error) / np.maximum(np.abs(truth), np.finfo(float).eps)
        self._rows = np.column_stack([np.abs(error), error**2, relative, centered, centered**2])

    def __call__(self, weights: Array) -> ErrorTotals:
        """Return the means for each weighting."""
        means = (weights @ self._rows) / weights.sum(axis=1, keepdims=True)
        absolute, squared, relative, shift, spread = means.T
        variance = spread - shift**2
        return ErrorTotals(absolute, squared, relative, np.where(variance > 1e-12 * spread, variance, 0.0))


@dataclass(frozen=True)
class LabelTotals:
    """Weighted counts of a task whose rows have any number of labels, for each weighting.

    Parameters
    ----------
    hits, extra, missed : array of shape (weightings, labels)
        Labels that were predicted rightly, that were predicted wrongly, and that were not predicted.
    exact : array of shape (weightings,)
        Rows whose labels are all right.
    rows : array of shape (weightings,)
        Rows in all.
    """

    hits: Array
    extra: Array
    missed: Array
    exact: Array
    rows: Array


class LabelCounts:
    """Weighted counts of right and wrong labels, where a row has any number of them.

    Parameters
    ----------
    y : array of shape (n, labels)
        1 where a row has the label, else 0.
    output : array of shape (n, labels)
        Probability of each label; one of at least a half is predicted.

    Examples
    --------
    >>> y, output = np.array([[1, 0], [1, 1]]), np.array([[0.9, 0.6], [0.8, 0.5]])
    >>> totals = LabelCounts(y, output)(np.ones((1, 2)))
    >>> totals.hits.tolist(), totals.extra.tolist(), totals.exact.tolist()
    ([[2.0, 1.0]], [[0.0, 1.0]], [1.0])
    """

    def __init__(self, y: NDArray[np.generic], output: Array) -> None:
        actual, predicted = y.astype(bool), output >= LABEL_THRESHOLD
        self._hits = (actual & predicted).astype(np.float64)
        self._extra = (~actual & predicted).astype(np.float64)
        self._missed = (actual & ~predicted).astype(np.float64)
        self._exact = (actual == predicted).all(axis=1).astype(np.float64)

    def __call__(self, weights: Array) -> LabelTotals:
        """Return the counts for each weighting."""
        return LabelTotals(
            weights @ self._hits,
            weights @ self._extra,
            weights @ self._missed,
            weights @ self._exact,
            weights.sum(axis=1),
        )


class LabelLosses:
    """Weighted mean, over rows and labels, of the negative log probability of what is true of each label.

    Parameters
    ----------
    y : array of shape (n, labels)
        1 where a row has the label, else 0.
    output : array of shape (n, labels)
        Probability of each label.
    """

    def __init__(self, y: NDArray[np.generic], output: Array) -> None:
        true = np.where(y.astype(bool), output, 1.0 - output)
        self._rows = -np.log(np.clip(true, 1e-15, None)).mean(axis=1)

    def __call__(self, weights: Array) -> Array:
        """Return the mean for each weighting, shape (weightings,)."""
        return np.asarray(weights @ self._rows / weights.sum(axis=1))
