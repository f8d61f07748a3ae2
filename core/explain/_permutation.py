"""Permutation importance: what the search's metric loses when a column says nothing any more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.evaluation import METRICS, WeightedMetrics, families_of
from core.explain._deadline import Deadline
from core.explain._speed import Speed
from core.explain._subject import Array, Subject

__all__ = ["permutation_importance"]

RESAMPLES = 200
FEWEST = 50  # rows below which a figure is not worth having
NOISE = 1e-12  # forests add their trees in the order their threads end; a smaller change is none


def _drops(metric: str, y: NDArray[Any], output: Array, weights: Array) -> Array:
    """Return the metric of all rows, then of each resample, larger being better."""
    family = next(iter(families_of([metric])))
    outputs = output[:, 0] if METRICS[metric].tasks == ("regression",) else output
    values = WeightedMetrics(family, y, outputs)(weights)[metric]
    return values if METRICS[metric].larger_is_better else -values


def permutation_importance(
    subject: Subject,
    X: NDArray[Any],
    y: NDArray[Any],
    metric: str,
    *,
    repeats: int,
    speed: Speed,
    deadline: Deadline,
    seed: int,
) -> tuple[pd.DataFrame, list[str]]:
    """Measure how much the metric drops when a column is permuted (Breiman 2001; Fisher, Rudin, Dominici 2019).

    The interval is a 95 % bootstrap over rows and over permutations at once: with up to about five repeats it holds the
    true drop at least that often (the more exact a model, the oftener). All columns see the same permutations.
    Rounds over all columns go on as long as there is time; when not even one fits, fewer rows are taken.

    Parameters
    ----------
    subject : Subject
        The model.
    X : matrix of shape (n, places)
        Encoded rows that the model has not seen.
    y : array of shape (n,)
        Class codes, or numbers.
    metric : str
        A key of ``core.automl.METRICS``.
    repeats : int
        Permutations of each column, at most.
    speed : Speed
        Of the model.

    Returns
    -------
    table : DataFrame
        feature, importance (in the metric's own unit, positive where the column helps), low, high, n (rows), repeats;
        the most important first.
    missing : list of str
        Columns that there was no time for.
    """
    random = np.random.default_rng(seed)
    names = subject.columns
    rows = min(len(X), speed.rows(calls=len(names) + 1, seconds=0.5 * deadline.left()))
    if deadline.over or rows < min(FEWEST, len(X)):
        return _table(names, {}, 0), list(names)
    X, y = X[:rows], y[:rows]
    weights = np.vstack([np.ones(rows), random.multinomial(rows, np.full(rows, 1 / rows), size=RESAMPLES)])
    output = subject.predict(X)
    base = _drops(metric, y, output, weights)
    drops: dict[int, list[Array]] = {place: [] for place in range(len(names))}
    work = X.copy()
    for _ in range(repeats):
        order = random.permutation(rows)
        for place, columns in enumerate(subject.places):
            if deadline.over:
                break
            work[:, columns] = X[np.ix_(order, columns)]
            permuted = subject.predict(work)
            work[:, columns] = X[:, columns]
            changed = np.where(np.abs(permuted - output) <= NOISE, output, permuted)
            drops[place].append(base - _drops(metric, y, changed, weights))
    found = {}
    for place, each in drops.items():
        if each:
            # A resample draws rows and permutations.
            shares = random.multinomial(len(each), np.full(len(each), 1 / len(each)), size=RESAMPLES) / len(each)
            stacked = np.array(each)
            drawn = (shares.T * stacked[:, 1:]).sum(axis=0)
            found[place] = (float(stacked[:, 0].mean()), drawn, len(each))
    return _table(names, found, rows), [name for place, name in enumerate(names) if place not in found]


def _table(names: list[str], found: dict[int, tuple[float, Array, int]], rows: int) -> pd.DataFrame:
    table = []
    for place, (value, drawn, times) in found.items():
        known = drawn[np.isfinite(drawn)]
        low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)
        table.append((names[place], value, float(low), float(high), rows, times))
    columns = ["feature", "importance", "low", "high", "n", "repeats"]
    ranked = pd.DataFrame(table, columns=columns).sort_values("importance", ascending=False, kind="stable")
    return ranked.reset_index(drop=True)
