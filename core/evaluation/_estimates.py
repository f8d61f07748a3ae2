"""Metrics with intervals, by bootstrap over rows or groups of them, from one matrix of how often each row is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation._intervals import kish, mover, wilson
from core.evaluation._metrics import METRICS, metric_choices
from core.evaluation._weighted import WeightedMetrics, compute_metrics

__all__ = ["Comparison", "Estimate", "compare_outputs", "effective_rows"]

Array = NDArray[np.float64]

_RESAMPLES = 1_000
_CELLS = 5_000_000  # resamples times rows, at most


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
    """

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


def _at_the_limit(estimate: Estimate, count: float) -> Estimate:
    """Give a classifier without a fault, or without a hit, the interval that resampling its rows cannot show.

    Every resample of such rows is the same, so the bootstrap's interval has no width however few the rows are.
    Wilson's interval for as many hits out of as many rows has: of all rows for the accuracy, of the rarest class for
    metrics about each class; or of the groups that hold such rows. Weighted rows count as so many of equal weight.
    """
    if estimate.high > estimate.low or estimate.value not in (0.0, 1.0):
        return estimate
    low, high = wilson(estimate.value * count, count)
    return Estimate(estimate.value, float(low), float(high), estimate.n)


def _difference(first: Estimate, other: Estimate, n: int) -> Estimate:
    """Return the interval of a difference from those of its parts (MOVER; Zou, Donner 2008)."""
    gap = first.value - other.value
    low, high = mover(first.value, (first.low, first.high), other.value, (other.low, other.high))
    return Estimate(gap, float(low), float(high), n)


def _units(groups: NDArray[np.intp] | None, weights: Array | None, n: int) -> float:
    """Return how many rows, or groups of rows, of equal weight there are."""
    if weights is None:
        return float(n if groups is None else len(np.unique(groups)))
    return kish(weights if groups is None else np.bincount(groups, weights).astype(np.float64))


def _rarest(y: NDArray[np.generic], classes: int, groups: NDArray[np.intp] | None, weights: Array | None) -> float:
    """Return how many rows the rarest class has, or how many groups hold rows of the class that the fewest hold."""
    codes = y.astype(np.intp)
    if weights is not None:
        own = [code for code in range(classes) if weights[codes == code].sum() > 0]
        return min(_units(None if groups is None else groups[codes == code], weights[codes == code], 0) for code in own)
    if groups is not None:
        codes = np.unique(np.column_stack([codes, groups]), axis=0)[:, 0]
    counts = np.bincount(codes, minlength=classes)
    return int(counts[counts > 0].min())


def _resamples(n: int, seed: int, groups: NDArray[np.intp] | None = None) -> Iterator[Array]:
    """Yield blocks of row counts (resamples, n): how often each row, or its group, is drawn with replacement.

    A single group yields none: it does not show how groups differ.
    """
    random = np.random.default_rng(seed)
    units = n if groups is None else int(groups.max()) + 1
    if groups is not None and units < 2:
        return
    left = int(np.clip(_CELLS // n, 200, _RESAMPLES))
    while left:
        size = min(left, max(1, 2_000_000 // n))
        draws = random.integers(0, units, size=(size, units)) + units * np.arange(size)[:, None]
        counts = np.bincount(draws.ravel(), minlength=size * units).reshape(size, units).astype(np.float64)
        yield counts if groups is None else counts[:, groups]
        left -= size


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
    seed: int = 0,
) -> Comparison:
    """Estimate all metrics of several models with 95% percentile bootstrap intervals over rows, or groups of rows.

    Parameters
    ----------
    task : str
        Task: binary, multiclass or regression.
    metric : str
        Key of `METRICS` of the gains.
    y : array of shape (n,)
        Class codes, or numbers.
    outputs : mapping of str to array of shape (n, k) or (n,)
        Probabilities, or predicted numbers, by model. All models see the same resamples, so gains are paired.
    groups : array of shape (n,), optional
        Group of each row. Rows of a group depend on each other, so whole groups are drawn: as many as there are, with
        replacement. With one group only the bounds are NaN.
    sample_weight : array of shape (n,), optional
        Weights of the rows. Rows are drawn with the same chance each, and carry their weight along.
    seed : int, default=0
        Seed of the bootstrap.

    Returns
    -------
    Comparison
        Gains are positive where the first model is better, whatever the direction of the metric.

    Examples
    --------
    >>> y = np.arange(50.0)
    >>> comparison = compare_outputs("regression", "mae", y, {"a": y + 1, "b": y + 3})
    >>> comparison.metrics["a"]["mae"].value, comparison.gains["b"].value, comparison.gains["b"].n
    (1.0, 2.0, 50)
    """
    names = metric_choices(task)
    samples: dict[str, dict[str, list[Array]]] = {model: {name: [] for name in names} for model in outputs}
    evaluators = {model: WeightedMetrics(names, y, output) for model, output in outputs.items()}
    members = None if groups is None or not len(y) else np.unique(groups, return_inverse=True)[1].astype(np.intp)
    own = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    for weights in _resamples(len(y), seed, members):
        if own is not None:
            weights = weights * own
        for model, evaluate in evaluators.items():
            for name, values in evaluate(weights).items():
                samples[model][name].append(values)
    drawn = {
        model: {name: np.concatenate([np.empty(0), *blocks]) for name, blocks in by_name.items()}
        for model, by_name in samples.items()
    }
    exact = {model: compute_metrics(names, y, output, own) for model, output in outputs.items()}
    metrics = {
        model: {name: _interval(exact[model][name], drawn[model][name], len(y)) for name in names} for model in outputs
    }
    if task != "regression":
        rarest = _rarest(y, next(iter(outputs.values())).shape[1], members, own)
        units = _units(members, own, len(y))
        proportions = {name: METRICS[name].proportion_of for name in names}
        counted = {name: units if part == "rows" else rarest for name, part in proportions.items() if part is not None}
        for estimates in metrics.values():
            estimates |= {name: _at_the_limit(estimates[name], count) for name, count in counted.items()}
    first = next(iter(outputs))
    sign = 1 if METRICS[metric].larger_is_better else -1
    gains = {}
    for other in outputs:
        if other == first:
            continue
        gap = sign * (exact[first][metric] - exact[other][metric])
        gain = _interval(gap, sign * (drawn[first][metric] - drawn[other][metric]), len(y))
        parts = metrics[first][metric], metrics[other][metric]
        # No width although a part has one: that one is faultless. (Other gains without a width are constant.)
        if gain.low == gain.high and any(part.high > part.low and part.value in (0.0, 1.0) for part in parts):
            gain = _difference(*(parts if sign > 0 else parts[::-1]), len(y))
        gains[other] = gain
    return Comparison(metrics, gains, None if members is None else int(members.max()) + 1)


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
