"""Models that learn from a share of the training rows: what a learning curve is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from core.automl._fitting import fit, outputs
from core.automl._types import Codes, Estimator
from core.automl.data.training_data import TrainingData
from core.evaluation import compute_metric

__all__ = ["SHARES", "possible_shares", "rows_of_share", "score_share"]

SHARES = (0.5, 0.25, 0.1)
"""Shares of the training rows besides all of them, in the order in which they are scored."""
_MIN_ROWS = 30
_MIN_CLASS_ROWS = 2


def rows_of_share(data: TrainingData, rows: Codes, share: float, seed: int) -> Codes:
    """Return a random share of rows, of each class or of the groups; a smaller share is part of a larger one.

    Parameters
    ----------
    data : TrainingData
        Rows to learn from.
    rows : array of int
        Positions of rows.
    share : float
        Share of them, 0 to 1.
    seed : int
        Seed of the draw.
    """
    random = np.random.default_rng(seed)
    if data.groups is not None:
        groups, members, counts = np.unique(data.groups[rows], return_inverse=True, return_counts=True)
        order = random.permutation(len(groups))
        taken = order[np.cumsum(counts[order]) - counts[order] / 2 <= share * len(rows)]
        return rows[np.isin(members, taken)]
    order = random.permutation(len(rows))
    classes = data.y[rows][order].astype(np.intp) if data.classes else np.zeros(len(rows), dtype=np.intp)
    position = np.empty(len(rows), dtype=np.intp)
    for code in np.unique(classes):
        own = classes == code
        position[own] = np.arange(own.sum())
    sizes = np.bincount(classes)[classes]
    return np.sort(rows[order[position < np.round(share * sizes)]])


def possible_shares(data: TrainingData, seed: int) -> list[float]:
    """Return the shares that leave enough rows of each class in every fold."""
    return [
        share
        for share in SHARES
        if all(
            _enough(data, rows_of_share(data, train, share, seed + index))
            for index, (train, _) in enumerate(data.folds)
        )
    ]


def _enough(data: TrainingData, rows: Codes) -> bool:
    if len(rows) < _MIN_ROWS or not data.classes:
        return len(rows) >= _MIN_ROWS
    counts = np.bincount(data.y[rows].astype(np.intp), minlength=data.classes)
    return bool((counts >= _MIN_CLASS_ROWS).all())


def score_share(
    make: Callable[[], Estimator], data: TrainingData, metric: str, share: float, *, seed: int, at_a_time: int = 1
) -> tuple[int, list[float]]:
    """Fit on a share of each fold's training rows, and score on all of its validation rows.

    Parameters
    ----------
    make : callable
        Returns a new, unfitted estimator.
    data : TrainingData
        Rows and folds.
    metric : str
        Key of `METRICS`.
    share : float
        Share of the training rows.
    seed : int
        Seed of the draws; each fold has its own.
    at_a_time : int, default=1
        Number of folds that are fitted at the same time, in threads.

    Returns
    -------
    rows : int
        Number of rows, on average over the folds.
    scores : list of float
        Score of each fold.
    """

    def run_fold(index: int) -> tuple[int, float]:
        train, validation = data.folds[index]
        rows = rows_of_share(data, train, share, seed + index)
        estimator = fit(make(), data.X[rows], data.y[rows], data, data.weights_of(rows))
        predicted = outputs(estimator, data.X[validation], data.classes)
        if data.classes:  # as trials keep them
            predicted = predicted.astype(np.float32).astype(np.float64)
        return len(rows), compute_metric(metric, data.y[validation], predicted, data.weights_of(validation))

    with ThreadPoolExecutor(at_a_time) as pool:
        scored: Sequence[tuple[int, float]] = list(pool.map(run_fold, range(len(data.folds))))
    return round(float(np.mean([rows for rows, _ in scored]))), [float(score) for _, score in scored]
