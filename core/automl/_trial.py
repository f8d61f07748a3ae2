"""One trial: a configuration fitted and scored on every fold."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.automl._metrics import METRICS, metric_choices
from core.automl._weighted import score_all

__all__ = ["TrainingData", "class_weight", "fit", "outputs", "run_trial", "share_cores"]

_LARGE = 1_000_000  # cells from which the threads of one fit work more than they wait for each other


@dataclass(frozen=True)
class TrainingData:
    """What every process of a search works on.

    Parameters
    ----------
    X : array of shape (n, features), float32
        Encoded training rows.
    y : array of shape (n,)
        Class codes 0 to k-1, or numbers.
    classes : int
        k; 0 for regression.
    folds : list of (training, validation)
        Row positions.
    weighted : bool
        Whether classes weigh the same.
    """

    X: NDArray[np.float32]
    y: NDArray[Any]
    classes: int
    folds: list[tuple[NDArray[np.intp], NDArray[np.intp]]]
    weighted: bool = False

    @property
    def task(self) -> str:
        """The task: regression, binary or multiclass."""
        return {0: "regression", 2: "binary"}.get(self.classes, "multiclass")

    def save(self, folder: Path) -> None:
        """Write the data for other processes; memory-mapped there, so it is there once."""
        np.save(folder / "X.npy", self.X)
        arrays: dict[str, Any] = {"y": self.y, "classes": self.classes, "weighted": self.weighted}
        for number, (train, validation) in enumerate(self.folds):
            arrays |= {f"fold{number}_0": train, f"fold{number}_1": validation}
        np.savez(folder / "y.npz", **arrays)

    @classmethod
    def load(cls, folder: Path) -> TrainingData:
        """Read what `save` wrote."""
        with np.load(folder / "y.npz") as stored:
            count = sum(name.startswith("fold") for name in stored.files) // 2
            return cls(
                X=np.load(folder / "X.npy", mmap_mode="r"),
                y=stored["y"],
                classes=int(stored["classes"]),
                folds=[(stored[f"fold{number}_0"], stored[f"fold{number}_1"]) for number in range(count)],
                weighted=bool(stored["weighted"]),
            )


def class_weight(y: NDArray[Any], classes: int) -> NDArray[np.float64]:
    """Return row weights that give each class the same total (scikit-learn's "balanced")."""
    codes = y.astype(np.intp)
    counts = np.bincount(codes, minlength=classes)
    present = np.count_nonzero(counts)
    return len(y) / (present * counts[codes])


def fit(estimator: Any, X: NDArray[np.float32], y: NDArray[Any], data: TrainingData) -> Any:
    """Fit an estimator; a pipeline takes the weights at its last step."""
    if not data.weighted or not data.classes:
        return estimator.fit(X, y)
    weight = class_weight(y, data.classes)
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

    On small tables folds go side by side; forests do not, because they hold the interpreter's lock most of the time.
    """
    if data.X.size >= _LARGE or len(data.folds) == 1:
        return 1, cores
    return (1 if learner in ("rf", "extra_tree") else cores), 1


def run_trial(
    make: Callable[[], Any], data: TrainingData, metric: str, *, at_a_time: int = 1
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

    Returns
    -------
    record : dict
        score and its spread, score of each fold, all metrics over the folds, fit seconds a fold, prediction ms a row.
    out_of_fold : array of shape (n, k) or (n,), float32
        Prediction of each row by models that did not see it, NaN where there is none (a holdout); the mean over
        repeats.

    Raises
    ------
    ValueError
        When the score is not a finite number.
    """
    names = metric_choices(data.task)

    def one(
        fold: tuple[NDArray[np.intp], NDArray[np.intp]],
    ) -> tuple[NDArray[np.float64], dict[str, float], float, float]:
        train, validation = fold
        began = time.perf_counter()
        estimator = fit(make(), data.X[train], data.y[train], data)
        fitted = time.perf_counter()
        output = outputs(estimator, data.X[validation], data.classes)
        predicted = time.perf_counter()
        return output, score_all(names, data.y[validation], output), fitted - began, predicted - fitted

    if at_a_time > 1:
        with ThreadPoolExecutor(at_a_time) as pool:
            folds = list(pool.map(one, data.folds))
    else:
        folds = [one(fold) for fold in data.folds]

    shape = (len(data.y), data.classes) if data.classes else (len(data.y),)
    total, times = np.zeros(shape), np.zeros(len(data.y))
    for (_, validation), (output, _, _, _) in zip(data.folds, folds, strict=True):
        total[validation] += output
        times[validation] += 1
    scores = {name: [found[name] for _, found, _, _ in folds] for name in names}
    mean = float(np.mean(scores[metric]))
    if not np.isfinite(mean):
        raise ValueError(f"{METRICS[metric].title} is undefined on a fold (one class only?)")
    with np.errstate(invalid="ignore", divide="ignore"):
        out_of_fold = (total.T / times).T.astype(np.float32)
    fit_s = [seconds for _, _, seconds, _ in folds]
    return (
        {
            "score": mean,
            "score_std": float(np.std(scores[metric], ddof=1)) if len(folds) > 1 else None,
            "fold_scores": scores[metric],
            "metrics": {name: float(np.mean(values)) for name, values in scores.items()},
            "fit_s": float(np.sum(fit_s)),
            "fold_fit_s": float(np.mean(fit_s)),
            "predict_ms_a_row": 1000 * sum(seconds for *_, seconds in folds) / float(times.sum()),
        },
        out_of_fold,
    )
