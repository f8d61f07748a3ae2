"""The baseline that every model has to beat: the classes' shares, or the mean, for every row."""

from __future__ import annotations

import numpy as np

from core.automl._types import Codes, Output
from core.automl.data.prepare import Prepared
from core.automl.data.training_data import TrainingData
from core.automl.tuning.trials import Trial
from core.evaluation import compute_metrics, metric_choices

__all__ = ["prior", "prior_trial"]


def prior(prepared: Prepared, n: int) -> Output:
    """Return the baseline's answer for `n` rows: probabilities (n, k), or numbers (n,)."""
    return _constant(prepared.data, np.arange(len(prepared.data.y)), n)


def _constant(data: TrainingData, rows: Codes, n: int) -> Output:
    y, weights = data.y[rows], data.weights_of(rows)
    if weights is None or weights.sum() <= 0:
        weights = np.ones(len(y))
    if not data.classes:
        return np.full(n, float(np.average(y.astype(np.float64), weights=weights)))
    return np.tile(np.bincount(y.astype(np.intp), weights, minlength=data.classes) / weights.sum(), (n, 1))


def prior_trial(prepared: Prepared) -> Trial:
    """Score the baseline on the folds, as a trial is."""
    data, names = prepared.data, metric_choices(prepared.task)
    by_fold = [
        compute_metrics(names, data.y[validation], _constant(data, train, len(validation)), data.weights_of(validation))
        for train, validation in data.folds
    ]
    scores = [values[prepared.metric] for values in by_fold]
    metrics = {name: float(np.mean([values[name] for values in by_fold])) for name in names}
    return Trial(
        None,
        "prior",
        {},
        "finished",
        score=metrics[prepared.metric],
        score_std=float(np.std(scores, ddof=1)) if len(scores) > 1 else None,
        fold_scores=scores,
        metrics=metrics,
    )
