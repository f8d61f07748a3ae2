"""A blend of models: the weighted mean of what its members predict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone

from core.automl._fitting import fit_weighted, outputs
from core.automl._types import Classifier, Estimator, Features, Output, Target

__all__ = ["Blend", "BlendClassifier", "BlendRegressor", "flattened", "make_blend"]


class Blend(BaseEstimator):
    """What both blends share.

    Parameters
    ----------
    estimators : list of estimator
        The members; `fit` fits clones of them.
    weights : list of float
        Weight of each member, of any sum.

    Attributes
    ----------
    estimators_ : list of fitted estimator
        The fitted members.
    """

    def __init__(self, estimators: Sequence[Estimator], weights: Sequence[float]) -> None:
        self.estimators = estimators
        self.weights = weights

    def fit(self, X: Features, y: Target, sample_weight: NDArray[np.float64] | None = None) -> Blend:
        """Fit every member on the same rows."""
        self.estimators_: list[Any] = [fit_weighted(clone(member), X, y, sample_weight) for member in self.estimators]
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimators_")

    @property
    def shares_(self) -> NDArray[np.float64]:
        """The members' weights, of sum 1."""
        weights = np.asarray(self.weights, dtype=float)
        return np.asarray(weights / weights.sum())

    def _mean(self, predictions: Sequence[Output]) -> Output:
        return np.asarray(sum(share * output for share, output in zip(self.shares_, predictions, strict=True)))


class BlendClassifier(ClassifierMixin, Blend):
    """Blends the probabilities of class codes 0 to k-1.

    Parameters
    ----------
    estimators : list of estimator
        The members; `fit` fits clones of them.
    weights : list of float
        Weight of each member, of any sum.

    See Also
    --------
    BlendRegressor : The same for numbers.

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
        members = [member for member in self.estimators_ if isinstance(member, Classifier)]
        return np.arange(1 + max(int(np.max(member.classes_)) for member in members))

    def predict_proba(self, X: Features) -> Output:
        """Return probabilities, shape (n, k)."""
        return self._mean([outputs(member, X, len(self.classes_)) for member in self.estimators_])

    def predict(self, X: Features) -> NDArray[np.intp]:
        """Return the most probable codes, shape (n,)."""
        return np.asarray(self.predict_proba(X).argmax(axis=1))


class BlendRegressor(RegressorMixin, Blend):
    """Blends predicted numbers.

    Parameters
    ----------
    estimators : list of estimator
        The members; `fit` fits clones of them.
    weights : list of float
        Weight of each member, of any sum.

    See Also
    --------
    BlendClassifier : The same for classes.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> blend = BlendRegressor([DummyRegressor(), DummyRegressor(strategy="constant", constant=9.0)], [1, 1])
    >>> blend.fit(np.zeros((2, 1)), np.array([1.0, 3.0])).predict(np.zeros((1, 1))).tolist()
    [5.5]
    """

    def predict(self, X: Features) -> Output:
        """Return the weighted mean of the members' numbers, shape (n,)."""
        return self._mean([outputs(member, X, 0) for member in self.estimators_])


def flattened(members: Iterable[tuple[Estimator, float]]) -> tuple[list[Estimator], list[float]]:
    """Return fitted members and their weights, with the members of a blend in the place of the blend."""
    estimators: list[Estimator] = []
    weights: list[float] = []
    for estimator, weight in members:
        if isinstance(estimator, Blend):
            estimators += estimator.estimators_
            weights += [weight * share for share in estimator.shares_.tolist()]
        else:
            estimators.append(estimator)
            weights.append(weight)
    return estimators, weights


def make_blend(estimators: Sequence[Estimator], weights: Sequence[float], task: str, *, fitted: bool = False) -> Blend:
    """Return the blend of a task.

    Parameters
    ----------
    estimators : sequence of estimator
        The members.
    weights : sequence of float
        Weight of each member, of any sum.
    task : str
        binary, multiclass or regression.
    fitted : bool, default=False
        Whether the members are fitted already.
    """
    blend_type = BlendRegressor if task == "regression" else BlendClassifier
    blend = blend_type(list(estimators), [float(weight) for weight in weights])
    if fitted:
        blend.estimators_ = list(estimators)
    return blend
