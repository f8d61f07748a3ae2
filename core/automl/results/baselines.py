"""The least that a model has to beat: the classes' shares, or the mean, whatever the row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.automl.data.prepare import Prepared
from core.evaluation import compute_metric, metric_choices

__all__ = ["prior", "prior_trial"]


def prior(prepared: Prepared, n: int) -> NDArray[np.float64]:
    """Return the answer for so many rows: probabilities (n, k), or numbers (n,)."""
    data = prepared.data
    if not data.classes:
        return np.full(n, float(np.mean(data.y)))
    shares = np.bincount(data.y.astype(np.intp), minlength=data.classes) / len(data.y)
    return np.tile(shares, (n, 1))


def prior_trial(prepared: Prepared) -> dict[str, Any]:
    """Score it on the folds, as a trial is."""
    data, names = prepared.data, metric_choices(prepared.task)
    scores: dict[str, list[float]] = {name: [] for name in names}
    for train, validation in data.folds:
        part = data.y[train]
        if data.classes:
            output = np.tile(
                np.bincount(part.astype(np.intp), minlength=data.classes) / len(part), (len(validation), 1)
            )
        else:
            output = np.full(len(validation), float(np.mean(part)))
        for name in names:
            scores[name].append(compute_metric(name, data.y[validation], output))
    metrics = {name: float(np.mean(values)) for name, values in scores.items()}
    spread = float(np.std(scores[prepared.metric], ddof=1)) if len(data.folds) > 1 else None
    return {
        "trial": None,
        "learner": "prior",
        "status": "finished",
        "config": {},
        "score": metrics[prepared.metric],
        "score_std": spread,
        "metrics": metrics,
    }
