"""The models of a trial's cross-validation, whose mean can be the final model.

It predicts better than one model on all rows where rows are few, it needs no time at the end of a search, and what was
measured by cross-validation is about these very models. Several models take several times the space and the time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from core.automl._fitting import fit
from core.automl._types import Codes, Estimator
from core.automl.data.training_data import TrainingData
from core.automl.ensemble.blend import Blend, make_blend
from core.automl.learners.registry import LEARNERS
from core.automl.tuning.cross_validation import fold_repeats

__all__ = [
    "MAX_ROWS",
    "first_folds",
    "fit_fold_models",
    "fold_models_file",
    "keep_fold_models",
    "mean_of_fold_models",
    "prefers_fold_models",
]

MAX_ROWS = 10_000
"""Training rows up to which the models of the folds are kept."""
MAX_BYTES = 200_000_000
"""Size of the models of a trial up to which they are kept."""


def fold_models_file(out_of_fold: Path) -> Path:
    """Return where a trial's models are, beside its out-of-fold predictions."""
    return out_of_fold.with_suffix(".joblib")


def first_folds(data: TrainingData) -> list[tuple[Codes, Codes]]:
    """Return the folds of the first repeat of the cross-validation."""
    repeats = fold_repeats(data.folds, len(data.y))
    return [fold for fold, repeat in zip(data.folds, repeats, strict=True) if repeat == 0]


def prefers_fold_models(learner: str, data: TrainingData) -> bool:
    """Return whether the mean of the models of the folds is better than one model of this learner on all rows.

    It is for boosted trees on few rows, whose single models vary; a forest is a mean of many trees already.
    """
    record = LEARNERS.get(learner)
    return record is not None and record.grow is not None and len(data.y) <= MAX_ROWS and len(first_folds(data)) > 1


def fit_fold_models(make: Callable[[], Estimator], data: TrainingData) -> Blend:
    """Return the mean of models that are fitted on the folds anew."""
    models = [fit(make(), data.X[rows], data.y[rows], data, data.weights_of(rows)) for rows, _ in first_folds(data)]
    return make_blend(models, [1.0] * len(models), data.task, fitted=True)


def keep_fold_models(out_of_fold: Path, models: Sequence[Estimator], data: TrainingData, *, size_bytes: int) -> bool:
    """Write down the models of a trial; of a repeated cross-validation those of the first repeat.

    Parameters
    ----------
    out_of_fold : Path
        File of the trial's out-of-fold predictions.
    models : sequence of estimator
        The fitted model of each fold.
    data : TrainingData
        Rows and folds.
    size_bytes : int
        Size of one model.

    Returns
    -------
    bool
        False where there are too many rows, too large models, or one fold only.
    """
    own = models[: len(first_folds(data))]
    if len(data.y) > MAX_ROWS or len(own) < 2 or size_bytes * len(own) > MAX_BYTES:
        return False
    import joblib

    file = fold_models_file(out_of_fold)
    joblib.dump(own, file.with_suffix(".part"))
    file.with_suffix(".part").replace(file)
    return True


def mean_of_fold_models(out_of_fold: Path, task: str) -> Blend:
    """Return the mean of the models that `keep_fold_models` wrote.

    Parameters
    ----------
    out_of_fold : Path
        File of the trial's out-of-fold predictions.
    task : str
        binary, multiclass or regression.
    """
    import joblib

    models = joblib.load(fold_models_file(out_of_fold))  # written by our own worker a moment ago
    return make_blend(models, [1.0] * len(models), task, fitted=True)
