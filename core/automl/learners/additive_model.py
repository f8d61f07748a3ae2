"""Generalized additive models: a smooth curve for each number, a weight for each category, added up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from core.automl._types import Features, Output, Target, Weights
from core.automl.learners.spline_features import SplineFeatures

__all__ = ["AdditiveClassifier", "AdditiveModel", "AdditiveRegressor"]

_NEWTON_COEFFICIENTS = 500  # Newton's steps need the square of all coefficients in memory
_ITERATIONS = 200


class AdditiveModel(BaseEstimator):
    """What the classifier and the regressor share.

    Parameters
    ----------
    C : float, default=0.02
        Inverse of the L2 penalty of the weights, of features with the standard deviation 1.
    knots : int, default=5
        Number of knots of each curve.
    random_state : int, default=0
        Seed.

    Attributes
    ----------
    features_ : SplineFeatures
        The columns with their splines.
    scaler_ : StandardScaler
        Scales them.
    model_ : LogisticRegression or Ridge
        Weighs them.
    """

    def __init__(self, C: float = 0.02, knots: int = 5, random_state: int = 0) -> None:
        self.C = C
        self.knots = knots
        self.random_state = random_state

    def fit(self, X: Features, y: Target, sample_weight: Weights | None = None) -> AdditiveModel:
        """Fit on rows, with their weights if any."""
        self.features_ = SplineFeatures(self.knots).fit(X)
        self.scaler_ = StandardScaler()
        scaled = self.scaler_.fit_transform(self.features_.transform(X))
        self.model_: Any = self._linear(scaled.shape[1], y).fit(scaled, y, sample_weight=sample_weight)
        self.n_features_in_ = X.shape[1]
        return self

    def scaled(self, X: Features) -> NDArray[np.float64]:
        """Return what the linear model weighs, shape (n, outputs)."""
        return np.asarray(self.scaler_.transform(self.features_.transform(X)))

    def _linear(self, width: int, y: Target) -> LogisticRegression | Ridge:
        return Ridge(1 / self.C, random_state=self.random_state)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")


class AdditiveRegressor(RegressorMixin, AdditiveModel):
    """An additive model of numbers, by ridge regression; parameters as of `AdditiveModel`.

    Examples
    --------
    >>> X = np.linspace(-3, 3, 200, dtype=np.float32)[:, None]
    >>> round(AdditiveRegressor(C=100).fit(X, np.sin(X[:, 0])).score(X, np.sin(X[:, 0])), 2)
    1.0
    """

    def predict(self, X: Features) -> Output:
        """Return numbers, float64, shape (n,)."""
        return np.asarray(self.model_.predict(self.scaled(X)))


class AdditiveClassifier(ClassifierMixin, AdditiveModel):
    """An additive model of log-odds, by logistic regression; parameters as of `AdditiveModel`."""

    @property
    def classes_(self) -> NDArray[Any]:
        """The classes that it has seen."""
        return np.asarray(self.model_.classes_)

    def predict_proba(self, X: Features) -> Output:
        """Return probabilities of `classes_`, float64, shape (n, k)."""
        return np.asarray(self.model_.predict_proba(self.scaled(X)))

    def decision_function(self, X: Features) -> Output:
        """Return the log-odds of the second of two classes, shape (n,), or a score of each of several."""
        return np.asarray(self.model_.decision_function(self.scaled(X)))

    def predict(self, X: Features) -> NDArray[Any]:
        """Return the most probable class."""
        return np.asarray(self.model_.predict(self.scaled(X)))

    def _linear(self, width: int, y: Target) -> LogisticRegression | Ridge:
        classes = len(np.unique(y))
        few = width * (1 if classes == 2 else classes) <= _NEWTON_COEFFICIENTS
        solver = "newton-cholesky" if few else "lbfgs"
        return LogisticRegression(C=self.C, solver=solver, max_iter=_ITERATIONS, random_state=self.random_state)
