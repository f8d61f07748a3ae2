"""An estimator that can be stopped before each fit: searches of Fairlearn fit dozens of models in one call."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from core.fairness.metrics.arrays import FloatArray, LabelArray

__all__ = ["InterruptibleEstimator"]


class InterruptibleEstimator(ClassifierMixin, BaseEstimator):
    """Fits a clone of an estimator and calls a function before each fit.

    Parameters
    ----------
    estimator : classifier
        The estimator, unfitted.
    before_fit : callable
        Called before each fit of this estimator and of its copies, which share it; it raises an error to stop.
    """

    def __init__(self, estimator: ClassifierMixin, before_fit: Callable[[], None]) -> None:
        self.estimator = estimator
        self.before_fit = before_fit

    def __deepcopy__(self, memo: dict[int, object]) -> InterruptibleEstimator:
        return InterruptibleEstimator(deepcopy(self.estimator, memo), self.before_fit)

    def __sklearn_clone__(self) -> InterruptibleEstimator:
        return InterruptibleEstimator(clone(self.estimator), self.before_fit)

    def fit(self, X: FloatArray, y: LabelArray, **weights: ArrayLike) -> InterruptibleEstimator:
        """Call `before_fit`, then fit a clone of the estimator."""
        self.before_fit()
        self.fitted_ = clone(self.estimator).fit(X, y, **weights)
        self.classes_ = self.fitted_.classes_
        return self

    def predict(self, X: FloatArray) -> LabelArray:
        """Return the predicted classes."""
        classes: LabelArray = self.fitted_.predict(X)
        return classes

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Return the probability of each class."""
        probabilities: FloatArray = self.fitted_.predict_proba(X)
        return probabilities
