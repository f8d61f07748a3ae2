"""One trial: a configuration fitted and scored on every fold."""

from __future__ import annotations

import itertools
import pickle
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from core.automl._fitting import fit, outputs
from core.automl._types import Codes, Estimator, OutOfFold
from core.automl.data.training_data import TrainingData
from core.automl.learners.registry import LEARNERS
from core.automl.tuning.trials import Scores
from core.evaluation import METRICS, compute_metric, compute_metrics, metric_choices

__all__ = ["Evaluation", "PrunedError", "fold_repeats", "run_trial", "share_cores", "stages", "summarize"]

_LARGE = 1_000_000  # cells from which the threads of one fit work more than they wait for each other


@dataclass(frozen=True)
class Evaluation(Scores):
    """Scores of a configuration, and what it costs; each field as `Trial` describes it."""

    fit_s: float
    fold_fit_s: float
    predict_ms_a_row: float
    size_bytes: int


class PrunedError(Exception):
    """A trial was ended because it was not worth the other folds.

    Parameters
    ----------
    scores : list of float
        Scores of the first folds.
    """

    def __init__(self, scores: list[float]) -> None:
        super().__init__(scores)
        self.scores = scores

    def message(self, folds: int) -> str:
        """Return the reason in words."""
        return f"pruned after {len(self.scores)} of {folds} folds: the same learner already scored better on them"


def share_cores(learner: str, data: TrainingData, cores: int) -> tuple[int, int]:
    """Return how many folds to fit at a time, and how many threads each fit gets.

    Boosters fit folds side by side with a thread each: threads of one fit wait for each other dozens of times per tree,
    and on a machine that has other work to do each wait takes milliseconds (twenty times slower was seen). The trees
    of a forest wait for nobody, but hold the interpreter's lock most of the time while they are small.
    """
    record = LEARNERS.get(learner)
    if record is not None and record.parallel == "fit":
        return 1, cores if data.X.size >= _LARGE else 1
    at_a_time = max(1, min(cores, len(data.folds)))
    return at_a_time, cores // at_a_time


def fold_repeats(folds: Sequence[tuple[Codes, Codes]], rows: int) -> list[int]:
    """Return the repeat of the cross-validation that each fold belongs to.

    Examples
    --------
    >>> fold_repeats([([2, 3], [0, 1]), ([0, 1], [2, 3]), ([1, 3], [0, 2])], 4)
    [0, 0, 1]
    """
    times_validated, repeats = np.zeros(rows, dtype=int), []
    for _, validation in folds:
        repeats.append(int(times_validated[validation].max(initial=0)))
        times_validated[validation] += 1
    return repeats


def summarize(predicted: OutOfFold, data: TrainingData, metric: str) -> Scores:
    """Score out-of-fold predictions on each fold.

    Parameters
    ----------
    predicted : array of shape (repeats, n, k) or (repeats, n)
        Predictions as `run_trial` returns them.
    data : TrainingData
        Rows and folds.
    metric : str
        Key of `METRICS` that the search optimizes.

    Raises
    ------
    ValueError
        When the score is not a finite number.
    """
    names = metric_choices(data.task)
    by_fold = [
        compute_metrics(
            names, data.y[validation], predicted[repeat, validation].astype(np.float64), data.weights_of(validation)
        )
        for repeat, (_, validation) in zip(fold_repeats(data.folds, len(data.y)), data.folds, strict=True)
    ]
    scores = [values[metric] for values in by_fold]
    mean = float(np.mean(scores))
    if not np.isfinite(mean):
        raise ValueError(f"{METRICS[metric].title} is undefined on a fold")
    return Scores(
        score=mean,
        score_std=float(np.std(scores, ddof=1)) if len(scores) > 1 else None,
        fold_scores=scores,
        metrics={name: float(np.mean([values[name] for values in by_fold])) for name in names},
    )


def stages(folds: int, at_a_time: int) -> list[int]:
    """Return after how many folds to ask whether to continue: about a quarter and a half of them, in full rounds."""
    counts = {-(-max(1, round(folds * share)) // at_a_time) * at_a_time for share in (0.25, 0.5)}
    return sorted(count for count in counts if count < folds)


def run_trial(
    make: Callable[[], Estimator],
    data: TrainingData,
    metric: str,
    *,
    at_a_time: int = 1,
    worth_it: Callable[[list[float], int], bool] | None = None,
) -> tuple[Evaluation, OutOfFold]:
    """Fit and score on each fold.

    Parameters
    ----------
    make : callable
        Returns a new, unfitted estimator.
    data : TrainingData
        Rows and folds.
    metric : str
        Key of `METRICS` that the search optimizes.
    at_a_time : int, default=1
        Number of folds that are fitted at the same time, in threads.
    worth_it : callable, optional
        Takes the scores of the first folds and the number of all folds, and returns whether to continue.

    Returns
    -------
    evaluation : Evaluation
        Scores and costs.
    out_of_fold : array of shape (repeats, n, k), float32, or (repeats, n), float64
        Prediction of each row by models that did not see it, NaN where there is none (a holdout).

    Raises
    ------
    ValueError
        When the score is not a finite number.
    PrunedError
        When the trial was not worth continuing.
    """
    repeat_of = fold_repeats(data.folds, len(data.y))
    shape = (max(repeat_of) + 1, len(data.y), *((data.classes,) if data.classes else ()))
    predicted = np.full(shape, np.nan, dtype=np.float32 if data.classes else np.float64)
    sizes: list[int] = []

    def run_fold(index: int) -> tuple[float, float]:
        train, validation = data.folds[index]
        began = time.perf_counter()
        estimator = fit(make(), data.X[train], data.y[train], data, data.weights_of(train))
        fitted = time.perf_counter()
        predicted[repeat_of[index], validation] = outputs(estimator, data.X[validation], data.classes)
        answered = time.perf_counter()
        if index == 0:
            sizes.append(len(pickle.dumps(estimator, protocol=5)))
        return fitted - began, answered - fitted

    def scores(indices: Iterable[int]) -> list[float]:
        parts = [data.folds[index][1] for index in indices]
        return [
            compute_metric(metric, data.y[part], predicted[repeat, part], data.weights_of(part))
            for repeat, part in zip(repeat_of, parts, strict=False)
        ]

    count = len(data.folds)
    bounds = [0, *(stages(count, at_a_time) if worth_it is not None else []), count]
    times: list[tuple[float, float]] = []
    with ThreadPoolExecutor(at_a_time) as pool:
        for start, end in itertools.pairwise(bounds):
            times += pool.map(run_fold, range(start, end)) if at_a_time > 1 else map(run_fold, range(start, end))
            if worth_it is not None and end < count and not worth_it(scores(range(end)), count):
                raise PrunedError(scores(range(end)))
    fit_s = [seconds for seconds, _ in times]
    rows = sum(len(validation) for _, validation in data.folds)
    summary = summarize(predicted, data, metric)
    evaluation = Evaluation(
        **vars(summary),
        fit_s=float(np.sum(fit_s)),
        fold_fit_s=float(np.mean(fit_s)),
        predict_ms_a_row=1000 * sum(seconds for _, seconds in times) / rows,
        size_bytes=sizes[0],
    )
    return evaluation, predicted
