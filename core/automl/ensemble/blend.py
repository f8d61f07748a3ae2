"""A blend of models: the weighted mean of what its members say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone

from core.automl.tuning.trial import fit_weighted, outputs

__all__ = ["Blend", "BlendClassifier", "BlendRegressor", "make_blend"]


class Blend(BaseEstimator):
    """What both blends share.

    Parameters
    ----------
    estimators : list of estimator
        The members; `fit` fits clones of them.
    weights : list of float
        One a member, of any sum.

    Attributes
    ----------
    estimators_ : list of fitted estimator
        The fitted members.
    """

    def __init__(self, estimators: Sequence[Any], weights: Sequence[float]) -> None:
        self.estimators = estimators
        self.weights = weights

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Blend:
        """Fit every member on the same rows."""
        self.estimators_ = [fit_weighted(clone(each), X, y, sample_weight) for each in self.estimators]
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimators_")

    @property
    def shares_(self) -> NDArray[np.float64]:
        """The members' weights, of sum 1."""
        weights = np.asarray(self.weights, dtype=float)
        return weights / weights.sum()

    def _mean(self, answers: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.asarray(sum(share * each for share, each in zip(self.shares_, answers, strict=True)))


class BlendClassifier(ClassifierMixin, Blend):
    """Blends the probabilities of class codes 0 to k-1.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.dummy import DummyClassifier
    >>> blend = BlendClassifier([LogisticRegression(), DummyClassifier()], [3, 1])
    >>> blend.fit(np.array([[0.0], [1.0]]), np.array([0, 1])).predict(np.array([[-1.0], [2.0]])).tolist()
    [0, 1]
    """

    @property
    def classes_(self) -> NDArray[np.intp]:
        """The codes; members that missed a class give it the probability 0."""
        return np.arange(1 + max(int(np.max(each.classes_)) for each in self.estimators_))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return probabilities, shape (n, k)."""
        return self._mean([outputs(each, X, len(self.classes_)) for each in self.estimators_])

    def predict(self, X: Any) -> NDArray[np.intp]:
        """Return the most probable codes, shape (n,)."""
        return np.asarray(self.predict_proba(X).argmax(axis=1))


class BlendRegressor(RegressorMixin, Blend):
    """Blends predicted numbers.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> blend = BlendRegressor([DummyRegressor(), DummyRegressor(strategy="constant", constant=9.0)], [1, 1])
    >>> blend.fit(np.zeros((2, 1)), np.array([1.0, 3.0])).predict(np.zeros((1, 1))).tolist()
    [5.5]
    """

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return the weighted mean of the members' numbers, shape (n,)."""
        return self._mean([outputs(each, X, 0) for each in self.estimators_])


def make_blend(estimators: Sequence[Any], weights: Sequence[float], task: str, *, fitted: bool = False) -> Blend:
    """Return the blend of a task; with `fitted`, of members that are fitted already."""
    kind = BlendRegressor if task == "regression" else BlendClassifier
    blend = kind(list(estimators), [float(weight) for weight in weights])
    if fitted:
        blend.estimators_ = list(estimators)
    return blend
