"""Fitting an estimator on encoded rows, and asking it about others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.automl._types import Classifier, Estimator, Features, Output, Target, Weights
from core.automl.data.training_data import class_weight
from core.automl.learners.registry import LEARNERS
from core.errors import SettingsError

if TYPE_CHECKING:
    from core.automl.data.training_data import TrainingData

__all__ = ["fit", "fit_weighted", "of_all_classes", "outputs", "rows_to_fit"]


def fit(estimator: Estimator, X: Features, y: Target, data: TrainingData, weight: Weights | None = None) -> Estimator:
    """Fit an estimator on rows of the training data, with their weights and class weights if the search has them.

    Some learners, such as XGBoost, refuse rows that lack a class: they are shown a row of each, without any weight.
    """
    return fit_weighted(estimator, *rows_to_fit(estimator, X, y, data, weight))


def rows_to_fit(
    estimator: Estimator, X: Features, y: Target, data: TrainingData, weight: Weights | None = None
) -> tuple[Features, Target, Weights | None]:
    """Return what an estimator is shown of rows: with class weights, and with a row of each class if it needs that."""
    if data.weighted and data.classes:
        weight = class_weight(y, data.classes, weight)
    if data.classes and _needs_every_class(estimator):
        lacking = np.setdiff1d(np.arange(data.classes), y)
        if len(lacking):
            weight = np.concatenate([np.ones(len(y)) if weight is None else weight, np.zeros(len(lacking))])
            X, y = np.concatenate([X, np.repeat(X[:1], len(lacking), axis=0)]), np.concatenate([y, lacking])
    return X, y, weight


def _needs_every_class(estimator: Estimator) -> bool:
    plain = getattr(estimator, "estimator", estimator)  # of one that makes features first
    name = f"{type(plain).__module__}.{type(plain).__name__}"
    return any(learner.needs_every_class and name in learner.estimators for learner in LEARNERS.values())


def fit_weighted(estimator: Estimator, X: Features, y: Target, weight: Weights | None) -> Estimator:
    """Fit with row weights, if any; a pipeline takes them at its last step.

    Raises
    ------
    SettingsError
        When the estimator takes no weights.
    """
    from sklearn.utils.validation import has_fit_parameter

    if weight is None:
        return estimator.fit(X, y)
    steps = getattr(estimator, "steps", None)
    last = steps[-1][1] if steps else estimator
    if not has_fit_parameter(last, "sample_weight"):
        raise SettingsError(
            f"{type(last).__name__} takes no weights of rows or classes.",
            "Block this learner, or search without weights.",
        )
    name = f"{steps[-1][0]}__sample_weight" if steps else "sample_weight"
    return estimator.fit(X, y, **{name: weight})


def outputs(estimator: Estimator, X: Features, classes: int) -> Output:
    """Return probabilities of all classes, or numbers.

    Parameters
    ----------
    estimator : fitted estimator
        Model to ask.
    X : array of shape (n, features)
        Encoded rows.
    classes : int
        Number of classes, 0 for regression. A class that the estimator has not seen gets the probability 0.
    """
    if not classes:
        return np.asarray(estimator.predict(X), dtype=np.float64)
    if not isinstance(estimator, Classifier):
        raise TypeError(f"{type(estimator).__name__} gives no probabilities of classes.")
    return of_all_classes(np.asarray(estimator.predict_proba(X), dtype=np.float64), estimator.classes_, classes)


def of_all_classes(probabilities: Output, seen: NDArray[np.generic], classes: int) -> Output:
    """Return probabilities of all classes, 0 for those that an estimator has not seen.

    Parameters
    ----------
    probabilities : array of shape (n, k)
        Probabilities of the classes that it has seen.
    seen : array of shape (k,)
        Codes of these classes.
    classes : int
        Number of all classes.

    Examples
    --------
    >>> of_all_classes(np.array([[0.3, 0.7]]), np.array([0, 2]), 3).tolist()
    [[0.3, 0.0, 0.7]]
    """
    if probabilities.shape[1] == classes:
        return probabilities
    full = np.zeros((len(probabilities), classes))
    full[:, np.asarray(seen, dtype=np.intp)] = probabilities
    return full
