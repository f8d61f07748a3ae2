"""Metrics with intervals, by bootstrap over rows: every metric of all resamples from one matrix of row counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.automl._metrics import METRICS, metric_choices, score

__all__ = ["Comparison", "Estimate", "compare", "wilson"]

Array = NDArray[np.float64]

_RESAMPLES = 1_000
_CELLS = 5_000_000  # resamples times rows, at most


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


# Metrics that come from the same sums are computed together.
_FAMILIES = (
    ("roc_auc", "average_precision"),
    ("accuracy", "balanced_accuracy", "f1_macro", "f1_weighted"),
    ("log_loss",),
    ("r2", "rmse", "mae", "mape"),
)


class _Fast:
    """A family of metrics of one model for many row weightings; the row-wise work is done once, here."""

    def __init__(self, family: tuple[str, ...], y: NDArray[Any], output: Array) -> None:
        self.family = family
        if output.ndim == 1:
            truth, error = y.astype(float), y.astype(float) - output
            centred = truth - truth.mean()
            relative = np.abs(error) / np.maximum(np.abs(truth), np.finfo(float).eps)
            self.rows = np.column_stack([np.abs(error), error**2, relative, centred, centred**2])
            return
        self.classes = output.shape[1]
        codes = y.astype(np.intp)
        if "log_loss" in family:
            clipped = np.clip(output, 1e-15, None)
            clipped = clipped / clipped.sum(axis=1, keepdims=True)
            self.rows = -np.log(clipped[np.arange(len(y)), codes])
        elif "accuracy" in family:
            cells = codes * self.classes + output.argmax(axis=1)
            self.cells, self.cell_of_row = np.unique(cells, return_inverse=True)
            self.rows = np.eye(len(self.cells))[self.cell_of_row]
        else:
            asked = range(1, 2) if self.classes == 2 else range(self.classes)
            self.rankings = [self._ranking(codes == code, output[:, code]) for code in asked]

    @staticmethod
    def _ranking(positive: NDArray[np.bool_], scores: Array) -> tuple[Any, Any, Any]:
        order = np.argsort(-scores, kind="stable")
        ordered = scores[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        return order, starts, positive[order]

    def __call__(self, weights: Array) -> dict[str, Array]:
        total = weights.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            match self.family[0]:
                case "roc_auc":
                    return self._ranked(weights)
                case "accuracy":
                    return self._confused(weights)
                case "log_loss":
                    return {"log_loss": weights @ self.rows / total}
            absolute, squared, relative, shift, spread = (weights @ self.rows).T
            variation = spread - shift**2 / total
            return {
                "mae": absolute / total,
                "rmse": np.sqrt(squared / total),
                "mape": relative / total,
                "r2": np.where(variation > 0, 1 - squared / variation, np.nan),
            }

    def _confused(self, weights: Array) -> dict[str, Array]:
        k = self.classes
        counts = np.zeros((len(weights), k * k))
        counts[:, self.cells] = weights @ self.rows
        counts = counts.reshape(-1, k, k)
        right = np.einsum("bii->bi", counts)
        actual, predicted = counts.sum(axis=2), counts.sum(axis=1)
        both = actual + predicted
        f1 = np.where(both > 0, 2 * right / both, 0.0)
        present = both > 0  # as scikit-learn: the labels that occur on either side
        recall = np.where(actual > 0, right / actual, 0.0)
        return {
            "accuracy": right.sum(axis=1) / actual.sum(axis=1),
            "balanced_accuracy": recall.sum(axis=1) / (actual > 0).sum(axis=1),
            "f1_weighted": (f1 * actual).sum(axis=1) / actual.sum(axis=1),
            "f1_macro": (f1 * present).sum(axis=1) / present.sum(axis=1),
        }

    def _ranked(self, weights: Array) -> dict[str, Array]:
        areas, precisions, shares = [], [], []
        for order, starts, positive in self.rankings:
            ordered = weights[:, order]
            everything = np.add.reduceat(ordered, starts, axis=1)
            hits = np.add.reduceat(ordered * positive, starts, axis=1)
            found, seen = hits.cumsum(axis=1), everything.cumsum(axis=1)
            hit_total, total = found[:, -1], seen[:, -1]
            # A hit beats every miss that scores lower, and half of those that score the same.
            misses = everything - hits
            lower = (total - hit_total)[:, None] - (seen - found)
            areas.append(np.einsum("bi,bi->b", hits, lower + misses / 2) / (hit_total * (total - hit_total)))
            precisions.append(np.einsum("bi,bi->b", hits, found / np.maximum(seen, 1.0)) / hit_total)
            shares.append(hit_total / total)
        if len(shares) == 1:
            return {"roc_auc": areas[0], "average_precision": precisions[0]}
        share = np.array(shares)
        share = np.where((share > 0) & (share < 1), share, 0.0)
        return {
            name: np.nansum(np.array(values) * share, axis=0) / share.sum(axis=0)
            for name, values in (("roc_auc", areas), ("average_precision", precisions))
        }


@dataclass(frozen=True)
class Comparison:
    """Models tested on the same rows: every metric of each, and the first one's gain over each other."""

    metrics: dict[str, dict[str, Estimate]]
    gains: dict[str, Estimate]


def compare(task: str, metric: str, y: NDArray[Any], outputs: Mapping[str, Array], *, seed: int = 0) -> Comparison:
    """Estimate all metrics of several models with 95 % percentile bootstrap intervals over rows.

    Parameters
    ----------
    task : str
        binary, multiclass or regression.
    metric : str
        The metric of the gains.
    y : array of shape (n,)
        Class codes, or numbers.
    outputs : mapping of str to array of shape (n, k) or (n,)
        Probabilities, or predicted numbers, by model. All models see the same resamples, so gains are paired.

    Returns
    -------
    Comparison
        Gains are positive where the first model is better, whichever way the metric goes.

    Examples
    --------
    >>> found = compare("regression", "mae", np.arange(50.0), {"a": np.arange(50.0) + 1, "b": np.arange(50.0) + 3})
    >>> found.metrics["a"]["mae"].value, found.gains["b"].value, found.gains["b"].n
    (1.0, 2.0, 50)
    """
    names = metric_choices(task)
    families = [family for family in _FAMILIES if set(family) & set(names)]
    samples: dict[str, dict[str, list[Array]]] = {model: {name: [] for name in names} for model in outputs}
    fast = {model: [_Fast(family, y, output) for family in families] for model, output in outputs.items()}
    for weights in _resamples(len(y), seed):
        for model, computed in fast.items():
            for family in computed:
                for name, values in family(weights).items():
                    samples[model][name].append(values)
    drawn = {
        model: {name: np.concatenate(blocks) for name, blocks in found.items()} for model, found in samples.items()
    }
    exact = {model: {name: score(name, y, output) for name in names} for model, output in outputs.items()}
    first = next(iter(outputs))
    sign = 1 if METRICS[metric].larger_is_better else -1
    return Comparison(
        metrics={
            model: {name: _interval(exact[model][name], drawn[model][name], len(y)) for name in names}
            for model in outputs
        },
        gains={
            other: _interval(
                sign * (exact[first][metric] - exact[other][metric]),
                sign * (drawn[first][metric] - drawn[other][metric]),
                len(y),
            )
            for other in outputs
            if other != first
        },
    )


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
