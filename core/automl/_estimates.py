"""Metrics with intervals, by bootstrap over rows: every metric of all resamples from one matrix of row counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.automl._metrics import metric_choices, score

__all__ = ["Estimate", "difference", "estimates", "wilson"]

Array = NDArray[np.float64]

_RESAMPLES = 1_000
_CELLS = 20_000_000  # resamples times rows, at most


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval and the number of rows behind it."""

    value: float
    low: float
    high: float
    n: int

    def to_dict(self) -> dict[str, float]:
        """Return the estimate as a plain dict."""
        return asdict(self)


def _interval(value: float, samples: Array, n: int) -> Estimate:
    known = samples[np.isfinite(samples)]
    if not len(known):
        return Estimate(value, float("nan"), float("nan"), n)
    low, high = np.quantile(known, [0.025, 0.975])
    return Estimate(value, float(low), float(high), n)


def _resamples(n: int, seed: int) -> Iterator[Array]:
    """Yield blocks of row counts (resamples, n): how often each row is drawn, with replacement."""
    random = np.random.default_rng(seed)
    left = int(np.clip(_CELLS // n, 200, _RESAMPLES))
    while left:
        size = min(left, max(1, 2_000_000 // n))
        draws = random.integers(0, n, size=(size, n)) + n * np.arange(size)[:, None]
        yield np.bincount(draws.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)
        left -= size


class _Fast:
    """A metric of one model for many row weightings at a time; the row-wise work is done once, here."""

    def __init__(self, name: str, y: NDArray[np.generic], output: Array) -> None:
        self.name = name
        self.y = y
        self.output = output
        if output.ndim == 2:
            self.classes = output.shape[1]
            self.codes = y.astype(np.intp)
            self.cells = self.codes * self.classes + output.argmax(axis=1)
            self.orders = {}
            if name in ("roc_auc", "average_precision"):
                asked = range(1, 2) if self.classes == 2 else range(self.classes)
                self.orders = {code: self._groups(output[:, code]) for code in asked}

    @staticmethod
    def _groups(scores: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        order = np.argsort(-scores, kind="stable")
        ordered = scores[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        return order, starts

    def __call__(self, weights: Array) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.output.ndim == 1:
                return self._regression(weights)
            if self.name == "log_loss":
                clipped = np.clip(self.output, 1e-15, None)
                clipped = clipped / clipped.sum(axis=1, keepdims=True)
                return weights @ -np.log(clipped[np.arange(len(self.y)), self.codes]) / weights.sum(axis=1)
            if self.orders:
                return self._ranking(weights)
            return self._confusion(weights)

    def _regression(self, weights: Array) -> Array:
        y, error = self.y.astype(float), self.y.astype(float) - self.output
        total = weights.sum(axis=1)
        if self.name == "mae":
            return weights @ np.abs(error) / total
        if self.name == "mape":
            return weights @ (np.abs(error) / np.maximum(np.abs(y), np.finfo(float).eps)) / total
        squared = weights @ error**2
        if self.name == "rmse":
            return np.sqrt(squared / total)
        centred = y - y.mean()
        spread = weights @ centred**2 - (weights @ centred) ** 2 / total
        return np.where(spread > 0, 1 - squared / spread, np.nan)

    def _confusion(self, weights: Array) -> Array:
        k = self.classes
        one_hot = np.zeros((len(self.cells), k * k))
        one_hot[np.arange(len(self.cells)), self.cells] = 1.0
        counts = (weights @ one_hot).reshape(-1, k, k)
        right = np.einsum("bii->bi", counts)
        actual, predicted = counts.sum(axis=2), counts.sum(axis=1)
        if self.name == "accuracy":
            return right.sum(axis=1) / actual.sum(axis=1)
        if self.name == "balanced_accuracy":
            return np.nanmean(np.where(actual > 0, right / actual, np.nan), axis=1)
        both = actual + predicted
        f1 = np.where(both > 0, 2 * right / both, 0.0)
        if self.name == "f1_weighted":
            return (f1 * actual).sum(axis=1) / actual.sum(axis=1)
        present = both > 0  # as scikit-learn: the labels that occur on either side
        return (f1 * present).sum(axis=1) / present.sum(axis=1)

    def _ranking(self, weights: Array) -> Array:
        values, shares = [], []
        for code, (order, starts) in self.orders.items():
            positive = self.codes[order] == code
            ordered = weights[:, order]
            hits = np.add.reduceat(ordered * positive, starts, axis=1)
            misses = np.add.reduceat(ordered * ~positive, starts, axis=1)
            found, wrong = hits.cumsum(axis=1), misses.cumsum(axis=1)
            if self.name == "roc_auc":
                # A hit beats every miss that scores lower, and half of those that score the same.
                below = wrong[:, -1:] - wrong
                value = (hits * (below + misses / 2)).sum(axis=1) / (found[:, -1] * wrong[:, -1])
            else:
                precision = np.where(found + wrong > 0, found / (found + wrong), 0.0)
                value = (precision * hits).sum(axis=1) / found[:, -1]
            values.append(value)
            shares.append(found[:, -1] / (found[:, -1] + wrong[:, -1]))
        if len(values) == 1:
            return values[0]
        each, share = np.array(values), np.array(shares)
        share = np.where(np.isfinite(each) & (share > 0) & (share < 1), share, 0.0)
        return np.nansum(each * share, axis=0) / share.sum(axis=0)


def estimates(task: str, y: NDArray[np.generic], output: Array, *, seed: int = 0) -> dict[str, Estimate]:
    """Estimate all metrics of a task with 95 % percentile bootstrap intervals over rows.

    Parameters
    ----------
    task : str
        binary, multiclass or regression.
    y : array of shape (n,)
        Class codes, or numbers.
    output : array of shape (n, k) or (n,)
        Probabilities, or predicted numbers.

    Examples
    --------
    >>> found = estimates("regression", np.arange(50.0), np.arange(50.0) + 1)
    >>> found["mae"].value, found["mae"].low, found["mae"].n
    (1.0, 1.0, 50)
    """
    names = metric_choices(task)
    fast = {name: _Fast(name, y, output) for name in names}
    samples: dict[str, list[Array]] = {name: [] for name in names}
    for weights in _resamples(len(y), seed):
        for name in names:
            samples[name].append(fast[name](weights))
    return {name: _interval(score(name, y, output), np.concatenate(samples[name]), len(y)) for name in names}


def difference(name: str, y: NDArray[np.generic], first: Array, second: Array, *, seed: int = 0) -> Estimate:
    """Estimate a metric's difference between two models on the same rows (paired bootstrap), first minus second."""
    one, other = _Fast(name, y, first), _Fast(name, y, second)
    samples = [one(weights) - other(weights) for weights in _resamples(len(y), seed)]
    return _interval(score(name, y, first) - score(name, y, second), np.concatenate(samples), len(y))


def wilson(hits: Any, n: Any, z: float = 1.959963984540054) -> tuple[Any, Any]:
    """Return the 95 % interval of a share (Wilson 1927).

    Examples
    --------
    >>> [round(float(bound), 4) for bound in wilson(5, 10)]
    [0.2366, 0.7634]
    """
    share = hits / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return centre - half, centre + half
