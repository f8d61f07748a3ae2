"""The data of a search: encoded rows, their targets and the folds."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core.automl._types import Codes, Features, Groups, Target, Weights
from core.features import FeatureGroups

__all__ = ["TrainingData", "class_weight"]


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
        Number of classes; 0 for regression.
    folds : list of (training, validation)
        Row positions.
    weighted : bool, default=False
        Whether all classes weigh the same.
    groups : array of int of shape (n,), optional
        Group of each row. Rows of a group are dependent, and on one side of every split.
    weights : array of shape (n,), optional
        Weight of each row, with the mean 1.
    feature_groups : FeatureGroups, optional
        Columns that features may be made of, and the directions in which a model's answer may change with them. By
        default nothing is made, and all may go both ways.
    """

    X: Features
    y: Target
    classes: int
    folds: list[tuple[Codes, Codes]]
    weighted: bool = False
    groups: Groups | None = None
    weights: Weights | None = None
    feature_groups: FeatureGroups = field(default_factory=FeatureGroups)

    def weights_of(self, rows: Codes) -> Weights | None:
        """Return the weights of some rows; None where all rows weigh the same."""
        return None if self.weights is None else self.weights[rows]

    @property
    def task(self) -> str:
        """The task: regression, binary or multiclass."""
        return {0: "regression", 2: "binary"}.get(self.classes, "multiclass")

    def save(self, folder: Path) -> None:
        """Write the data for other processes; memory-mapped there, so it is there once."""
        np.save(folder / "X.npy", self.X)
        arrays: dict[str, Any] = {"y": self.y, "classes": self.classes, "weighted": self.weighted}
        if self.groups is not None:
            arrays["groups"] = self.groups
        if self.weights is not None:
            arrays["weights"] = self.weights
        arrays["feature_groups"] = json.dumps(asdict(self.feature_groups))
        for number, (train, validation) in enumerate(self.folds):
            arrays |= {f"fold{number}_0": train, f"fold{number}_1": validation}
        np.savez(folder / "y.npz", **arrays)

    @classmethod
    def load(cls, folder: Path) -> TrainingData:
        """Read what `save` wrote."""
        with np.load(folder / "y.npz") as stored:
            count = sum(name.startswith("fold") for name in stored.files) // 2
            return cls(
                X=np.load(folder / "X.npy", mmap_mode="c"),
                y=stored["y"],
                classes=int(stored["classes"]),
                folds=[(stored[f"fold{number}_0"], stored[f"fold{number}_1"]) for number in range(count)],
                weighted=bool(stored["weighted"]),
                groups=stored["groups"] if "groups" in stored.files else None,
                weights=stored["weights"] if "weights" in stored.files else None,
                feature_groups=FeatureGroups(**json.loads(str(stored["feature_groups"]))),
            )


def class_weight(y: Target, classes: int, weights: Weights | None = None) -> Weights:
    """Return row weights that give each class the same total (scikit-learn's "balanced"), times their own if any."""
    codes = y.astype(np.intp)
    own = np.ones(len(y)) if weights is None else weights
    totals = np.bincount(codes, own, minlength=classes)
    present = np.count_nonzero(totals)
    balanced: Weights = own * own.sum() / (present * np.where(totals > 0, totals, 1.0)[codes])
    return balanced
