"""The baseline that every model has to beat: the classes' shares, or the mean, for every row."""

from __future__ import annotations

import numpy as np

from core.automl._types import Output, Target
from core.automl.data.prepare import Prepared
from core.automl.tuning.trials import Trial
from core.evaluation import compute_metrics, metric_choices

__all__ = ["prior", "prior_trial"]


def prior(prepared: Prepared, n: int) -> Output:
    """Return the baseline's answer for `n` rows: probabilities (n, k), or numbers (n,)."""
    return _constant(prepared.data.y, prepared.data.classes, n)


def _constant(y: Target, classes: int, n: int) -> Output:
    if not classes:
        return np.full(n, float(np.mean(y.astype(np.float64))))
    return np.tile(np.bincount(y.astype(np.intp), minlength=classes) / len(y), (n, 1))


def prior_trial(prepared: Prepared) -> Trial:
    """Score the baseline on the folds, as a trial is."""
    data, names = prepared.data, metric_choices(prepared.task)
    by_fold = [
        compute_metrics(names, data.y[validation], _constant(data.y[train], data.classes, len(validation)))
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
