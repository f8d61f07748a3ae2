"""One trial: a configuration fitted and scored on every fold."""

from __future__ import annotations

import itertools
import pickle
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.automl.data.training_data import TrainingData, class_weight
from core.evaluation import METRICS, compute_metrics, metric_choices

__all__ = [
    "Pruned",
    "fit",
    "fit_weighted",
    "layers",
    "outputs",
    "run_trial",
    "share_cores",
    "summarize",
]

_LARGE = 1_000_000  # cells from which the threads of one fit work more than they wait for each other


def fit(estimator: Any, X: NDArray[np.float32], y: NDArray[Any], data: TrainingData) -> Any:
    """Fit an estimator, with the weights of the classes if they are asked for.

    XGBoost refuses rows that lack a class which is not the last: it is shown a row of each, without any weight.
    """
    weight = class_weight(y, data.classes) if data.weighted and data.classes else None
    if data.classes and type(estimator).__module__.startswith("xgboost"):
        lacking = np.setdiff1d(np.arange(data.classes), y)
        if len(lacking):
            weight = np.concatenate([np.ones(len(y)) if weight is None else weight, np.zeros(len(lacking))])
            X, y = np.concatenate([X, np.repeat(X[:1], len(lacking), axis=0)]), np.concatenate([y, lacking])
    return fit_weighted(estimator, X, y, weight)


def fit_weighted(estimator: Any, X: Any, y: Any, weight: Any) -> Any:
    """Fit with row weights, if any; a pipeline takes them at its last step."""
    if weight is None:
        return estimator.fit(X, y)
    steps = getattr(estimator, "steps", None)
    name = f"{steps[-1][0]}__sample_weight" if steps else "sample_weight"
    return estimator.fit(X, y, **{name: weight})


def outputs(estimator: Any, X: NDArray[np.float32], classes: int) -> NDArray[np.float64]:
    """Return probabilities of all `classes` (a class that the fold did not have gets 0), or numbers."""
    if not classes:
        return np.asarray(estimator.predict(X), dtype=float)
    found = np.asarray(estimator.predict_proba(X), dtype=float)
    if found.shape[1] == classes:
        return found
    full = np.zeros((len(X), classes))
    full[:, np.asarray(estimator.classes_, dtype=np.intp)] = found
    return full


def share_cores(learner: str, data: TrainingData, cores: int) -> tuple[int, int]:
    """Return how many folds to fit at a time, and how many threads each fit gets.

    Boosters fit folds side by side with a thread each: threads of one fit wait for each other dozens of times a tree,
    and on a machine that has other work to do each wait takes milliseconds (twenty times slower was seen). The trees
    of a forest wait for nobody, but hold the interpreter's lock most of the time while they are small.
    """
    if learner in ("rf", "extra_tree"):
        return 1, cores if data.X.size >= _LARGE else 1
    at_a_time = max(1, min(cores, len(data.folds)))
    return at_a_time, cores // at_a_time


def layers(folds: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]], rows: int) -> list[int]:
    """Return the repeat of the cross-validation that each fold belongs to.

    Examples
    --------
    >>> layers([([2, 3], [0, 1]), ([0, 1], [2, 3]), ([1, 3], [0, 2])], 4)
    [0, 0, 1]
    """
    seen, found = np.zeros(rows, dtype=int), []
    for _, validation in folds:
        found.append(int(seen[validation].max(initial=0)))
        seen[validation] += 1
    return found


def summarize(predicted: NDArray[np.float32], data: TrainingData, metric: str) -> dict[str, Any]:
    """Score out-of-fold predictions on each fold.

    Parameters
    ----------
    predicted : array of shape (repeats, n, k) or (repeats, n)
        As `run_trial` returns them.

    Returns
    -------
    dict
        score (the mean over the folds) and its spread, score of each fold, and all metrics over the folds.

    Raises
    ------
    ValueError
        When the score is not a finite number.
    """
    names = metric_choices(data.task)
    scored = [
        compute_metrics(names, data.y[validation], predicted[layer, validation].astype(np.float64))
        for layer, (_, validation) in zip(layers(data.folds, len(data.y)), data.folds, strict=True)
    ]
    own = [found[metric] for found in scored]
    mean = float(np.mean(own))
    if not np.isfinite(mean):
        raise ValueError(f"{METRICS[metric].title} is undefined on a fold")
    return {
        "score": mean,
        "score_std": float(np.std(own, ddof=1)) if len(own) > 1 else None,
        "fold_scores": own,
        "metrics": {name: float(np.mean([found[name] for found in scored])) for name in names},
    }


class Pruned(Exception):
    """A trial was cut short, because it was not worth the other folds; `scores` holds those of the first."""

    def __init__(self, scores: list[float]) -> None:
        super().__init__(scores)
        self.scores = scores

    def message(self, folds: int) -> str:
        """Say so."""
        return f"set aside after {len(self.scores)} of {folds} folds: its learner has done better on these"


def _stages(folds: int, at_a_time: int) -> list[int]:
    """Return after how many folds to ask whether to go on: about a quarter and a half of them."""
    found = {-(-max(1, round(folds * share)) // at_a_time) * at_a_time for share in (0.25, 0.5)}
    return sorted(count for count in found if count < folds)


def run_trial(
    make: Callable[[], Any],
    data: TrainingData,
    metric: str,
    *,
    at_a_time: int = 1,
    worth_it: Callable[[list[float], int], bool] | None = None,
) -> tuple[dict[str, Any], NDArray[np.float32]]:
    """Fit and score on each fold.

    Parameters
    ----------
    make : callable
        Returns a new, unfitted estimator.
    data : TrainingData
        What to learn from.
    metric : str
        What the score is.
    at_a_time : int
        Folds that are fitted at the same time, in threads.
    worth_it : callable, optional
        Is asked after some folds, with their scores and the number of all folds, whether to go on.

    Returns
    -------
    record : dict
        What `summarize` returns, fit seconds of all folds and a fold, prediction ms a row, and the size of a
        fold's model in memory, bytes.
    out_of_fold : array of shape (repeats, n, k) or (repeats, n), float32
        Prediction of each row by models that did not see it, NaN where there is none (a holdout).

    Raises
    ------
    ValueError
        When the score is not a finite number.
    Pruned
        When it was not worth going on.
    """
    layer_of = layers(data.folds, len(data.y))
    shape = (max(layer_of) + 1, len(data.y), *((data.classes,) if data.classes else ()))
    predicted = np.full(shape, np.nan, dtype=np.float32)

    def one(place: int) -> tuple[float, float]:
        train, validation = data.folds[place]
        began = time.perf_counter()
        estimator = fit(make(), data.X[train], data.y[train], data)
        fitted = time.perf_counter()
        predicted[layer_of[place], validation] = outputs(estimator, data.X[validation], data.classes)
        answered = time.perf_counter()
        if place == 0:
            sizes.append(len(pickle.dumps(estimator, protocol=5)))
        return fitted - began, answered - fitted

    def scores(places: Iterable[int]) -> list[float]:
        parts = [data.folds[place][1] for place in places]
        return [
            compute_metrics([metric], data.y[part], predicted[layer, part].astype(np.float64))[metric]
            for layer, part in zip(layer_of, parts, strict=False)
        ]

    sizes: list[int] = []
    count = len(data.folds)
    stages = [0, *(_stages(count, at_a_time) if worth_it is not None else []), count]
    times: list[tuple[float, float]] = []
    with ThreadPoolExecutor(at_a_time) as pool:
        for start, end in itertools.pairwise(stages):
            times += pool.map(one, range(start, end)) if at_a_time > 1 else map(one, range(start, end))
            if worth_it is not None and end < count and not worth_it(scores(range(end)), count):
                raise Pruned(scores(range(end)))
    fit_s = [seconds for seconds, _ in times]
    rows = sum(len(validation) for _, validation in data.folds)
    return {
        **summarize(predicted, data, metric),
        "fit_s": float(np.sum(fit_s)),
        "fold_fit_s": float(np.mean(fit_s)),
        "predict_ms_a_row": 1000 * sum(seconds for _, seconds in times) / rows,
        "size_bytes": sizes[0],
    }, predicted
