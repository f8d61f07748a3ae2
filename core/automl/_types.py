"""Types that the parts of a search share."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Classifier",
    "Codes",
    "Config",
    "Estimator",
    "Features",
    "Groups",
    "Label",
    "OutOfFold",
    "Output",
    "Target",
    "Weights",
]

Config = dict[str, Any]
"""Hyperparameters by name, with values that JSON has."""

Features = NDArray[np.float32]
"""Encoded rows, shape (n, features)."""

Target = NDArray[np.generic]
"""Class codes 0 to k-1, or numbers, shape (n,)."""

Codes = NDArray[np.intp]
"""Positions of rows, or codes of classes."""

Groups = NDArray[np.intp]
"""Code of the group of each row, shape (n,)."""

Label = bool | int | float | str
"""A label of the target."""

Output = NDArray[np.float64]
"""Probabilities of the classes, shape (n, k), or predicted numbers, shape (n,)."""

OutOfFold = NDArray[np.floating]
"""Predictions of rows by models that did not see them: float32 probabilities, or float64 numbers; NaN where none is."""

Weights = NDArray[np.float64]
"""Weight of each row, shape (n,)."""


class Estimator(Protocol):
    """An estimator in scikit-learn's sense."""

    def fit(self, X: Features, y: Target, **parameters: ArrayLike) -> Estimator:
        """Learn from rows."""
        ...

    def predict(self, X: Features) -> NDArray[np.generic]:
        """Return class codes, or numbers."""
        ...

    def set_params(self, **parameters: Any) -> Estimator:
        """Change parameters."""
        ...


@runtime_checkable
class Classifier(Protocol):
    """A fitted estimator that gives probabilities."""

    @property
    def classes_(self) -> NDArray[np.generic]:
        """Codes of the columns of `predict_proba`."""
        ...

    def predict_proba(self, X: Features) -> NDArray[np.floating]:
        """Return probabilities, shape (n, classes)."""
        ...
