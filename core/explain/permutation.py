"""Permutation importance: the drop of the search's metric when a column is shuffled."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from core.evaluation import METRICS, WeightedMetrics, families_of
from core.explain.deadline import Deadline
from core.explain.explained_model import Array, ExplainedModel, IndexArray, Matrix
from core.explain.speed import Speed
from core.parallel import executor

__all__ = ["permutation_importance"]

_RESAMPLES = 200
_MIN_ROWS = 50  # below which an importance is not worth having
_NOISE = 1e-12  # forests add their trees in the order their threads end; a smaller change is none
_BUDGET_SHARE = 0.5  # of the time left, planned for one round over all columns


class _Importance(NamedTuple):
    """The importance of a column, its bootstrap resamples, and the number of permutations."""

    value: float
    resamples: Array
    repeats: int


def _scores(metric: str, y: Array | IndexArray, output: Array, weights: Array) -> Array:
    """Return the metric of all rows, then of each resample, larger being better."""
    family = next(iter(families_of([metric])))
    outputs = output[:, 0] if METRICS[metric].tasks == ("regression",) else output
    values: Array = WeightedMetrics(family, y, outputs)(weights)[metric]
    return values if METRICS[metric].larger_is_better else -values


def permutation_importance(
    model: ExplainedModel,
    X: Matrix,
    y: Array | IndexArray,
    metric: str,
    *,
    repeats: int,
    speed: Speed,
    deadline: Deadline,
    seed: int,
    sample_weight: Array | None = None,
    nodes: int = 1,
) -> tuple[pd.DataFrame, list[str]]:
    """Measure how much the metric drops when a column is permuted (Breiman 2001; Fisher, Rudin, Dominici 2019).

    The interval is a 95% bootstrap over rows and over permutations at once: with up to about five repeats it holds the
    true drop at least that often (the more exact a model, the more often). All columns see the same permutations.
    Rounds over all columns continue as long as there is time; when not even one fits, fewer rows are taken.

    Parameters
    ----------
    model : ExplainedModel
        The model.
    X : matrix of shape (n, matrix columns)
        Encoded rows that the model has not seen.
    y : array of shape (n,)
        Class codes, or numbers.
    metric : str
        Name of one of ``core.evaluation.METRICS``.
    repeats : int
        Maximum permutations of each column.
    speed : Speed
        Speed of the model.
    deadline : Deadline
        Time to end.
    seed : int
        Seed of permutations and resamples.
    sample_weight : array of shape (n,), optional
        Weights of the rows in the metric.
    nodes : int, default=1
        Number of nodes of the cluster that share the columns of a round. The result is the same, unless the time ends.

    Returns
    -------
    table : DataFrame
        feature, importance (in the metric's own unit, positive where the column helps), low, high, n (rows), repeats;
        the most important first.
    missing : list of str
        Columns that there was no time for.
    """
    random = np.random.default_rng(seed)
    names = model.columns
    rows = min(len(X), speed.rows(calls=len(names) + 1, seconds=_BUDGET_SHARE * deadline.left()))
    if deadline.over or rows < min(_MIN_ROWS, len(X)):
        return _table({}, 0), list(names)
    X, y = X[:rows], y[:rows]
    weights = np.vstack([np.ones(rows), random.multinomial(rows, np.full(rows, 1 / rows), size=_RESAMPLES)])
    if sample_weight is not None:
        weights = weights * sample_weight[:rows]
    output = model.predict(X)
    base = _scores(metric, y, output, weights)
    drops: dict[str, list[Array]] = {name: [] for name in names}
    columns = list(zip(names, model.indices, strict=True))
    shared = (model.predict, X.copy(), y, metric, weights, output, base)
    # One node does a round itself: processes would load their libraries for longer than most explanations take.
    with executor(jobs=1 if nodes == 1 else None, nodes=nodes, shared=shared) as parallel:
        for _ in range(repeats):
            order = random.permutation(rows)
            tasks = [(order, indices) for _, indices in columns]
            for name, drop in zip(names, parallel.map(_drop, tasks, should_stop=lambda: deadline.over), strict=False):
                drops[name].append(drop)
    importances = {name: _importance(values, random) for name, values in drops.items() if values}
    return _table(importances, rows), [name for name in names if name not in importances]


def _drop(
    task: tuple[IndexArray, IndexArray],
    predict: Callable[[Matrix], Array],
    X: Matrix,
    y: Array | IndexArray,
    metric: str,
    weights: Array,
    output: Array,
    base: Array,
) -> Array:
    """Return the drop of the metric, of all rows and of each resample, when columns are put into another order.

    The matrix is its process's own, and is the same again afterwards.
    """
    order, columns = task
    cells = X[:, columns]
    X[:, columns] = cells[order]
    permuted = predict(X)
    X[:, columns] = cells
    changed = np.where(np.abs(permuted - output) <= _NOISE, output, permuted)
    return base - _scores(metric, y, changed, weights)


def _importance(drops: list[Array], random: np.random.Generator) -> _Importance:
    """Return the mean drop, and resamples of rows and permutations.

    A resample draws one permutation fewer than there are: with all of them, as few as these would vary too little
    (Rao and Wu 1988).
    """
    repeats = len(drops)
    drawn = max(1, repeats - 1)
    shares = random.multinomial(drawn, np.full(repeats, 1 / repeats), size=_RESAMPLES) / drawn
    stacked = np.array(drops)
    return _Importance(float(stacked[:, 0].mean()), (shares.T * stacked[:, 1:]).sum(axis=0), repeats)


def _table(importances: dict[str, _Importance], rows: int) -> pd.DataFrame:
    lines = []
    for name, importance in importances.items():
        finite = importance.resamples[np.isfinite(importance.resamples)]
        low, high = np.quantile(finite, [0.025, 0.975]) if len(finite) else (np.nan, np.nan)
        lines.append((name, importance.value, float(low), float(high), rows, importance.repeats))
    columns = ["feature", "importance", "low", "high", "n", "repeats"]
    ranked = pd.DataFrame(lines, columns=columns).sort_values("importance", ascending=False, kind="stable")
    return ranked.reset_index(drop=True)
