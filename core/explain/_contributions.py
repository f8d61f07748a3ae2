"""SHAP values of one model: the exact ones of its kind where there are some, sampled ones for any other.

============================  ==========================================  ===========================
model                         method                                      space
============================  ==========================================  ===========================
LightGBM, XGBoost             their own TreeSHAP (Lundberg et al. 2020)   log-odds, margin, prediction
random forest, extra trees    ``shap.TreeExplainer``                      probability, prediction
logistic, ridge               coefficient times distance from the mean    log-odds, margin, prediction
any other                     antithetic permutations (`_sampler`)        probability, prediction
============================  ==========================================  ===========================

"margin" is the score of each of several classes before the softmax.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.explain._subject import Array, Subject

__all__ = ["Contributor", "exact_contributor"]

LEAF_S = 1e-6  # of shap.TreeExplainer for a row: 0.6e-6 measured in trees of 500 leaves, 1.15e-6 in those of 2,000


@dataclass(frozen=True)
class Contributor:
    """Explains rows of a subject's matrix.

    Parameters
    ----------
    method : str
        How, in words.
    space : str
        log-odds, margin, probability or prediction.
    base : array of shape (k,)
        What the values are added to: the mean over the background.
    values : callable
        Takes rows, returns SHAP values by raw column, shape (n, columns, k); by encoded column within this module.
    reference : callable
        Takes rows, returns the model's own output in the same space, shape (n, k).
    a_row_s : float
        About how many seconds a row takes, as far as it is known without trying.
    """

    method: str
    space: str
    base: Array
    values: Callable[[NDArray[Any]], Array]
    reference: Callable[[NDArray[Any]], Array]
    a_row_s: float = 0.0


def _space(estimator: Any) -> str:
    classes = getattr(estimator, "classes_", None)
    return "prediction" if classes is None else "log-odds" if len(classes) == 2 else "margin"


def _columns(found: Any) -> Array:
    """Return raw scores as (n, outputs)."""
    values = np.asarray(found, dtype=float)
    return values[:, None] if values.ndim == 1 else values


def _lightgbm(estimator: Any, first: NDArray[Any]) -> Contributor:
    def both(X: NDArray[Any]) -> Array:
        flat = np.asarray(estimator.booster_.predict(X, pred_contrib=True), dtype=float)
        return flat.reshape(len(X), -1, X.shape[1] + 1).transpose(0, 2, 1)

    return Contributor(
        "LightGBM's own TreeSHAP",
        _space(estimator),
        both(first)[0, -1],
        lambda X: both(X)[:, :-1],
        lambda X: _columns(estimator.predict(X, raw_score=True)),
    )


def _xgboost(estimator: Any, first: NDArray[Any]) -> Contributor:
    import xgboost

    booster = estimator.get_booster()

    def both(X: NDArray[Any]) -> Array:
        found = np.asarray(booster.predict(xgboost.DMatrix(X), pred_contribs=True, strict_shape=True), dtype=float)
        return found.transpose(0, 2, 1)

    return Contributor(
        "XGBoost's own TreeSHAP",
        _space(estimator),
        both(first)[0, -1],
        lambda X: both(X)[:, :-1],
        lambda X: _columns(estimator.predict(X, output_margin=True)),
    )


def _forest(estimator: Any) -> Contributor:
    import shap

    explainer = shap.TreeExplainer(estimator, feature_perturbation="tree_path_dependent")

    def values(X: NDArray[Any]) -> Array:
        found = np.asarray(explainer.shap_values(X, check_additivity=False), dtype=float)
        return found[:, :, None] if found.ndim == 2 else found

    function = getattr(estimator, "predict_proba", estimator.predict)
    return Contributor(
        "shap.TreeExplainer",
        "probability" if hasattr(estimator, "predict_proba") else "prediction",
        np.atleast_1d(np.asarray(explainer.expected_value, dtype=float)),
        values,
        lambda X: _columns(function(X)),
        LEAF_S * sum(tree.tree_.n_leaves for tree in estimator.estimators_),
    )


def _linear(estimator: Any, background: NDArray[Any]) -> Contributor | None:
    """Return coefficient times distance from the background's mean, which is exact for a sum."""
    steps = [step for _, step in estimator.steps] if hasattr(estimator, "steps") else [estimator]
    last, before = steps[-1], steps[:-1]

    def prepared(X: NDArray[Any]) -> Array:
        for step in before:
            X = step.transform(X)
        return np.asarray(X, dtype=float)

    coefficients = np.atleast_2d(np.asarray(last.coef_, dtype=float))
    centre = prepared(background).mean(axis=0)
    if len(centre) != background.shape[1]:  # a step that makes or drops columns
        return None
    function = getattr(estimator, "decision_function", estimator.predict)
    return Contributor(
        "exact: coefficient times distance from the mean",
        _space(last),
        coefficients @ centre + np.atleast_1d(np.asarray(last.intercept_, dtype=float)),
        lambda X: (prepared(X) - centre)[:, :, None] * coefficients.T[None],
        lambda X: _columns(function(X)),
    )


def _encoded(estimator: Any, background: NDArray[Any]) -> Contributor | None:
    library = type(estimator).__module__.split(".")[0]
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    if library == "lightgbm":
        return _lightgbm(estimator, background[:1])
    if library == "xgboost" and hasattr(estimator, "get_booster"):
        return _xgboost(estimator, background[:1])
    if type(estimator).__name__.startswith(("RandomForest", "ExtraTrees")):
        return _forest(estimator)
    if hasattr(last, "coef_") and type(last).__name__ in ("LogisticRegression", "Ridge", "LinearRegression", "Lasso"):
        return _linear(estimator, background)
    return None


def exact_contributor(estimator: Any, subject: Subject, background: NDArray[Any]) -> Contributor | None:
    """Return the exact explainer of a fitted estimator on encoded columns; None when it has none.

    Parameters
    ----------
    estimator : fitted estimator
        Without the encoder; a wrapper that only speaks other labels is taken off by the caller.
    subject : Subject
        Whose matrix is what the estimator takes.
    background : matrix of shape (b, places)
        Rows that the means of a linear model are taken over. Trees have their own: the training rows of each leaf.
    """
    found = _encoded(estimator, background)
    if found is None:
        return None
    picked = np.zeros(1, dtype=np.intp) if len(found.base) == 1 else subject.picked  # two classes are one score
    if picked.max() >= len(found.base):  # a class that training did not have
        return None

    def by_column(X: NDArray[Any]) -> Array:
        values = found.values(X)[:, :, picked]
        return np.stack([values[:, places].sum(axis=1) for places in subject.places], axis=1)

    return replace(found, base=found.base[picked], values=by_column, reference=lambda X: found.reference(X)[:, picked])
