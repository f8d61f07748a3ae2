"""The model that a search returns: a scikit-learn pipeline on raw frames that speaks the target's own labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import Pipeline

from core.automl._fitting import outputs
from core.automl._types import Estimator, Features, Output, Target
from core.features import TableEncoder

__all__ = ["LabelledClassifier", "make_model"]


class LabelledClassifier(ClassifierMixin, BaseEstimator):
    """A fitted classifier of class codes that answers with the original labels.

    Parameters
    ----------
    estimator : fitted estimator
        Predicts codes 0 to k-1.
    labels : array-like of shape (k,)
        Label of each code.
    """

    def __init__(self, estimator: Estimator, labels: ArrayLike) -> None:
        self.estimator = estimator
        self.labels = labels

    @property
    def classes_(self) -> NDArray[np.generic]:
        """The labels, in the order of the probabilities' columns."""
        return np.asarray(self.labels)

    def fit(self, X: Features, y: Target | None = None) -> LabelledClassifier:
        """Return itself: the estimator inside is fitted already."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, X: Features) -> Output:
        """Return probabilities, shape (n, k)."""
        return outputs(self.estimator, X, len(self.classes_))

    def predict(self, X: Features) -> NDArray[np.generic]:
        """Return the most probable labels, shape (n,)."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])


def make_model(encoder: TableEncoder, estimator: Estimator, labels: Sequence[object] | None) -> Pipeline:
    """Join fitted features and a fitted estimator into one pipeline."""
    last = estimator if labels is None else LabelledClassifier(estimator, np.asarray(labels))
    return Pipeline([("features", encoder), ("estimator", last)])
