"""One trial: a configuration fitted and scored on every fold."""

from __future__ import annotations

import itertools
import math
import pickle
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from core.automl._fitting import fit, outputs
from core.automl._types import Codes, Estimator, OutOfFold
from core.automl.data.training_data import TrainingData
from core.automl.learners.early_stopping import Grow, StopRule, min_trees
from core.automl.learners.registry import LEARNERS
from core.automl.tuning.grown_fold import GrownFold, best_trees, tree_numbers, watched
from core.automl.tuning.trials import Scores
from core.evaluation import METRICS, compute_metric, compute_metrics, metric_choices

__all__ = [
    "Evaluation",
    "PrunedError",
    "TrialOutcome",
    "fold_repeats",
    "run_trial",
    "share_cores",
    "stages",
    "summarize",
]

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


@dataclass(frozen=True)
class TrialOutcome:
    """What a trial has come to.

    Parameters
    ----------
    evaluation : Evaluation
        Scores and costs.
    out_of_fold : array of shape (repeats, n, k), float32, or (repeats, n), float64
        Prediction of each row by models that did not see it, NaN where there is none (a holdout).
    models : list of estimator
        The fitted model of each fold.
    trees : int or None
        Number of trees that was found out; None where the configuration says it.
    """

    evaluation: Evaluation
    out_of_fold: OutOfFold
    models: list[Estimator]
    trees: int | None


def run_trial(
    make: Callable[[], Estimator],
    data: TrainingData,
    metric: str,
    *,
    at_a_time: int = 1,
    worth_it: Callable[[list[float], int], bool] | None = None,
    grow: Grow | None = None,
    seconds: float = math.inf,
) -> TrialOutcome:
    """Fit and score on each fold.

    With `grow` the number of trees is the one with the least mean loss over the folds: each fold's model grows until
    more trees do not help its validation rows, then all are asked as they were after that many.

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
    grow : callable, optional
        Function that grows boosted trees one by one; without it the estimator is fitted as it is.
    seconds : float, default=inf
        Seconds that growing may take, in all folds together.

    Returns
    -------
    TrialOutcome

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
    models: dict[int, Estimator] = {}
    grown: dict[int, GrownFold] = {}
    rounds = -(-len(data.folds) // at_a_time)
    began_at = time.monotonic()

    def run_fold(index: int) -> tuple[float, float]:
        train, validation = data.folds[index]
        began = time.perf_counter()
        if grow is not None:
            until = began_at + seconds * (index // at_a_time + 1) / rounds
            rule = StopRule(watched(metric, data.task), until, min_trees(len(train)))
            grown[index] = GrownFold(make(), grow, data, train, validation, rule)
            fitted = time.perf_counter()
            output = grown[index].outputs(data.X[validation], best_trees([grown[index].losses]))
        else:
            models[index] = fit(make(), data.X[train], data.y[train], data, data.weights_of(train))
            fitted = time.perf_counter()
            output = outputs(models[index], data.X[validation], data.classes)
        predicted[repeat_of[index], validation] = output
        return fitted - began, time.perf_counter() - fitted

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
    trees = None
    if grown:
        by_loss = best_trees([fold.losses for fold in grown.values()])
        longest = min(len(fold.losses) for fold in grown.values())
        sign = 1 if METRICS[metric].larger_is_better else -1

        def predict(trees: int) -> float:
            """Ask all folds as they were after so many trees, and return the mean score."""
            for index, (_, validation) in enumerate(data.folds):
                predicted[repeat_of[index], validation] = grown[index].outputs(data.X[validation], trees)
            return sign * float(np.mean(scores(range(count))))

        lengths = tree_numbers(by_loss, longest, metric)
        trees = max(lengths, key=predict) if len(lengths) > 1 else by_loss
        predict(trees)
        for index in range(count):
            models[index] = grown[index].cut(trees)
    fit_s = [seconds for seconds, _ in times]
    # A model on all rows grows no tree that is cut off again.
    kept = 1.0 if trees is None else trees * count / sum(len(fold.losses) for fold in grown.values())
    rows = sum(len(validation) for _, validation in data.folds)
    summary = summarize(predicted, data, metric)
    evaluation = Evaluation(
        **vars(summary),
        fit_s=float(np.sum(fit_s)),
        fold_fit_s=float(np.mean(fit_s)) * kept,
        predict_ms_a_row=1000 * sum(seconds for _, seconds in times) / rows,
        size_bytes=len(pickle.dumps(models[0], protocol=5)),
    )
    return TrialOutcome(evaluation, predicted, [models[index] for index in range(count)], trees)
