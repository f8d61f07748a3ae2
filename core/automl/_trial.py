"""One trial: a configuration fitted and scored on every fold."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.automl._metrics import METRICS, metric_choices, score

__all__ = ["TrainingData", "class_weight", "fit", "outputs", "run_trial"]


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


def run_trial(
    make: Callable[[], Any], data: TrainingData, metric: str, *, extra: Iterable[str] | None = None
) -> tuple[dict[str, Any], NDArray[np.float32]]:
    """Fit and score on each fold.

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
    shape = (len(data.y), data.classes) if data.classes else (len(data.y),)
    total, times = np.zeros(shape), np.zeros(len(data.y))
    names = list(extra) if extra is not None else metric_choices(data.task)
    scores: dict[str, list[float]] = {name: [] for name in {metric, *names}}
    fit_s, predict_s = [], 0.0
    for train, validation in data.folds:
        began = time.perf_counter()
        estimator = fit(make(), data.X[train], data.y[train], data)
        fitted = time.perf_counter()
        output = outputs(estimator, data.X[validation], data.classes)
        predict_s += time.perf_counter() - fitted
        fit_s.append(fitted - began)
        total[validation] += output
        times[validation] += 1
        for name, values in scores.items():
            values.append(score(name, data.y[validation], output))
    mean = float(np.mean(scores[metric]))
    if not np.isfinite(mean):
        raise ValueError(f"{METRICS[metric].title} is undefined on a fold (one class only?)")
    with np.errstate(invalid="ignore", divide="ignore"):
        out_of_fold = (total.T / times).T.astype(np.float32)
    return (
        {
            "score": mean,
            "score_std": float(np.std(scores[metric], ddof=1)) if len(data.folds) > 1 else None,
            "fold_scores": scores[metric],
            "metrics": {name: float(np.mean(values)) for name, values in scores.items()},
            "fit_s": float(np.sum(fit_s)),
            "fold_fit_s": float(np.mean(fit_s)),
            "predict_ms_a_row": 1000 * predict_s / float(times.sum()),
        },
        out_of_fold,
    )
