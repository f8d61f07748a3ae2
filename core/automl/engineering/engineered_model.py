"""An estimator that makes features of the encoded columns before it learns, and of the rows that it is asked about."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone

from core.automl._fitting import fit_weighted
from core.automl._types import Estimator, Features, Output, Target, Weights
from core.automl.engineering.feature_maker import FeatureMaker
from core.features import FeatureGroups

__all__ = ["EngineeredClassifier", "EngineeredModel", "EngineeredRegressor"]


class EngineeredModel(BaseEstimator):
    """What the classifier and the regressor share.

    Parameters
    ----------
    estimator : estimator
        The model; `fit` fits a clone of it.
    groups : FeatureGroups
        Columns to make features of.
    families : {"target_means", "arithmetic", "all"}, default="all"
        Families to make, as in `FeatureMaker`.
    random_state : int, default=0
        Seed of the cross-fitting.

    Attributes
    ----------
    maker_ : FeatureMaker
        Makes the features.
    estimator_ : fitted estimator
        The model of the columns and the features.
    """

    def __init__(
        self, estimator: Estimator, groups: FeatureGroups, families: str = "all", random_state: int = 0
    ) -> None:
        self.estimator = estimator
        self.groups = groups
        self.families = families
        self.random_state = random_state

    def fit(self, X: Features, y: Target, sample_weight: Weights | None = None) -> EngineeredModel:
        """Choose the features and fit on rows, with their weights if any."""
        made = self.learn_features(X, y, sample_weight)
        self.estimator_: Any = fit_weighted(clone(self.estimator), made, y, sample_weight)
        return self

    def learn_features(self, X: Features, y: Target, sample_weight: Weights | None = None) -> Features:
        """Choose the features on the rows to learn from; return their columns with the features."""
        self.maker_ = FeatureMaker(self.groups, self.families, self.random_state)
        return self.maker_.fit_transform(X, y, sample_weight, classes=isinstance(self, ClassifierMixin))

    def features(self, X: Features) -> Features:
        """Return the columns of other rows with their features."""
        return self.maker_.transform(X)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimator_")


class EngineeredRegressor(RegressorMixin, EngineeredModel):
    """A model of numbers; parameters as of `EngineeredModel`.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> X = np.random.default_rng(0).normal(size=(500, 2)).astype(np.float32)
    >>> y = X[:, 0] * X[:, 1]
    >>> groups = FeatureGroups({"a": 0, "b": 1})
    >>> round(Ridge().fit(X, y).score(X, y), 1), round(EngineeredRegressor(Ridge(), groups).fit(X, y).score(X, y), 1)
    (0.0, 1.0)
    """

    def predict(self, X: Features) -> Output:
        """Return numbers, float64, shape (n,)."""
        return np.asarray(self.estimator_.predict(self.features(X)), dtype=np.float64)


class EngineeredClassifier(ClassifierMixin, EngineeredModel):
    """A model of classes; parameters as of `EngineeredModel`."""

    @property
    def classes_(self) -> NDArray[Any]:
        """The classes that it has seen."""
        return np.asarray(self.estimator_.classes_)

    def predict_proba(self, X: Features) -> Output:
        """Return probabilities of `classes_`, float64, shape (n, k)."""
        return np.asarray(self.estimator_.predict_proba(self.features(X)), dtype=np.float64)

    def predict(self, X: Features) -> NDArray[Any]:
        """Return the most probable class."""
        return np.asarray(self.estimator_.predict(self.features(X)))
