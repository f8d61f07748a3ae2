"""SHAP values of one model: the exact ones of its type where there are some, sampled ones for any other.

============================  ==========================================  ===========================
model                         method                                      space
============================  ==========================================  ===========================
LightGBM, XGBoost, CatBoost   their own TreeSHAP (Lundberg et al. 2020)   log-odds, margin, prediction
random forest, extra trees    ``shap.TreeExplainer``                      probability, prediction
logistic, ridge, additive     coefficient times distance from the mean    log-odds, margin, prediction
mean of models of one space   the mean of what explains each              log-odds, margin, prediction
calibrated, of log-odds       what explains the model, times the slope    log-odds, margin
any other                     antithetic permutations (`_sampling`)       probability, prediction
============================  ==========================================  ===========================

"margin" is the score of each of several classes before the softmax.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from core.explain.explained_model import Array, ExplainedModel, Matrix, as_matrix
from core.hidden_modules import hidden_modules

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from core.automl import AdditiveModel, Blend, CalibratedClassifier, CatBoostTrees, ScaledTargetRegressor

__all__ = ["Explainer", "Space", "encoded_explainer", "exact_explainer"]

Space: TypeAlias = Literal["log-odds", "margin", "probability", "prediction"]

_LINEAR = ("LogisticRegression", "Ridge", "LinearRegression", "Lasso")
_LEAST = 1e-7  # probability, whose logarithm is still a number
_LEAF_S = 1e-6  # of shap.TreeExplainer per row: 0.6e-6 measured in trees of 500 leaves, 1.15e-6 in those of 2,000


@dataclass(frozen=True)
class Explainer:
    """Explains rows of a model's matrix.

    Parameters
    ----------
    method : str
        Name of the method.
    space : {"log-odds", "margin", "probability", "prediction"}
        Space in which the values add up.
    base : array of shape (k,)
        Value that they are added to: the mean over the background.
    values : callable
        Takes rows, returns SHAP values by raw column, shape (n, columns, k); by encoded column within this module.
    reference : callable
        Takes rows, returns the model's own output in the same space, shape (n, k).
    seconds_per_row : float, default=0.0
        Approximate duration per row, as far as it is known without a trial.
    """

    method: str
    space: Space
    base: Array
    values: Callable[[Matrix], Array]
    reference: Callable[[Matrix], Array]
    seconds_per_row: float = 0.0


def _space(estimator: BaseEstimator) -> Space:
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        return "prediction"
    return "log-odds" if len(classes) == 2 else "margin"


def _lightgbm(estimator: BaseEstimator, first: Matrix) -> Explainer:
    def contributions(X: Matrix) -> Array:
        flat = np.asarray(estimator.booster_.predict(X, pred_contrib=True), dtype=float)
        return flat.reshape(len(X), -1, X.shape[1] + 1).transpose(0, 2, 1)

    return Explainer(
        "LightGBM's own TreeSHAP",
        _space(estimator),
        contributions(first)[0, -1],
        lambda X: contributions(X)[:, :-1],
        lambda X: as_matrix(estimator.predict(X, raw_score=True)),
    )


def _xgboost(estimator: BaseEstimator, first: Matrix) -> Explainer:
    import xgboost

    booster = estimator.get_booster()

    def contributions(X: Matrix) -> Array:
        flat = booster.predict(xgboost.DMatrix(X), pred_contribs=True, strict_shape=True)
        return np.asarray(flat, dtype=float).transpose(0, 2, 1)

    return Explainer(
        "XGBoost's own TreeSHAP",
        _space(estimator),
        contributions(first)[0, -1],
        lambda X: contributions(X)[:, :-1],
        lambda X: as_matrix(estimator.predict(X, output_margin=True)),
    )


def _catboost(estimator: CatBoostTrees, first: Matrix) -> Explainer:
    def contributions(X: Matrix) -> Array:
        return estimator.contributions(X).transpose(0, 2, 1)

    return Explainer(
        "CatBoost's own TreeSHAP",
        _space(estimator),
        contributions(first)[0, -1],
        lambda X: contributions(X)[:, :-1],
        lambda X: as_matrix(estimator.raw(X)),
    )


def _forest(estimator: BaseEstimator) -> Explainer:
    with hidden_modules("matplotlib"):  # for plots, which nothing here draws; loading it takes half a second
        import shap

    tree_explainer = shap.TreeExplainer(estimator, feature_perturbation="tree_path_dependent")

    def values(X: Matrix) -> Array:
        contributions = np.asarray(tree_explainer.shap_values(X, check_additivity=False), dtype=float)
        return contributions[:, :, None] if contributions.ndim == 2 else contributions

    score = getattr(estimator, "predict_proba", estimator.predict)
    return Explainer(
        "shap.TreeExplainer",
        "probability" if hasattr(estimator, "predict_proba") else "prediction",
        np.atleast_1d(np.asarray(tree_explainer.expected_value, dtype=float)),
        values,
        lambda X: as_matrix(score(X)),
        _LEAF_S * sum(tree.tree_.n_leaves for tree in estimator.estimators_),
    )


def _linear(estimator: BaseEstimator, background: Matrix) -> Explainer | None:
    """Return coefficient times distance from the background's mean, which is exact for a sum."""
    steps = [step for _, step in estimator.steps] if hasattr(estimator, "steps") else [estimator]
    last, before = steps[-1], steps[:-1]

    def prepared(X: Matrix) -> Array:
        for step in before:
            X = step.transform(X)
        return np.asarray(X, dtype=float)

    coefficients = np.atleast_2d(np.asarray(last.coef_, dtype=float))
    center = prepared(background).mean(axis=0)
    if len(center) != background.shape[1]:  # a step that makes or drops columns
        return None
    score = getattr(estimator, "decision_function", estimator.predict)
    return Explainer(
        "exact: coefficient times distance from the mean",
        _space(last),
        coefficients @ center + np.atleast_1d(np.asarray(last.intercept_, dtype=float)),
        lambda X: (prepared(X) - center)[:, :, None] * coefficients.T[None],
        lambda X: as_matrix(score(X)),
    )


def _additive(estimator: AdditiveModel, background: Matrix) -> Explainer:
    """Return weight times distance from the background's mean, of all that is made of a column together."""
    coefficients = np.atleast_2d(np.asarray(estimator.model_.coef_, dtype=float))
    center = estimator.scaled(background).mean(axis=0)
    sources = estimator.features_.sources_
    of_column = (sources[:, None] == np.arange(background.shape[1])).astype(float)

    def values(X: Matrix) -> Array:
        distances = estimator.scaled(X) - center
        return np.stack([(distances * row) @ of_column for row in coefficients], axis=2)

    score: Any = getattr(estimator, "decision_function", estimator.predict)
    return Explainer(
        "exact: each column's curve or weight, less its mean",
        _space(estimator),
        coefficients @ center + np.atleast_1d(np.asarray(estimator.model_.intercept_, dtype=float)),
        values,
        lambda X: as_matrix(score(X)),
    )


def _scaled_target(estimator: ScaledTargetRegressor, background: Matrix) -> Explainer | None:
    """Explain the estimator inside; its values are in the scaled target's unit. A logarithm cannot be explained so."""
    inner = None if estimator.log else encoded_explainer(estimator.estimator_, background)
    if inner is None:
        return None
    scale, center = estimator.scale_, estimator.center_
    return replace(
        inner,
        base=inner.base * scale + center,
        values=lambda X: inner.values(X) * scale,
        reference=lambda X: inner.reference(X) * scale + center,
    )


def _calibrated(estimator: CalibratedClassifier, background: Matrix) -> Explainer | None:
    """Explain the estimator inside: calibrated log-odds and margins are those times a slope, plus a bias."""
    inner = encoded_explainer(estimator.estimator, background)
    if inner is None or inner.space not in ("log-odds", "margin"):
        return None
    classes = len(estimator.biases)
    if len(inner.base) != (1 if classes == 2 else classes):  # a class that training did not have
        return None
    slope, biases = estimator.slope, np.asarray(estimator.biases)
    bias = biases[1:] - biases[:1] if inner.space == "log-odds" else biases - biases.mean()
    return replace(
        inner,
        base=inner.base * slope + bias,
        values=lambda X: inner.values(X) * slope,
        reference=lambda X: inner.reference(X) * slope + bias,
    )


def _mean(estimator: Blend, background: Matrix) -> Explainer | None:
    """Explain each member: what explains a weighted mean is the weighted mean of what explains its members.

    This is exact for numbers. The mean of probabilities is explained in the members' own space, such as log-odds,
    where it is not quite the mean of the members: the difference is shared among the columns by the size of their
    values, so that they add up to what the model says.
    """
    members = [encoded_explainer(member, background) for member in estimator.estimators_]
    known = [member for member in members if member is not None]
    spaces = {member.space for member in known}
    if len(known) < len(members) or len(spaces) > 1:
        return None
    space = known[0].space
    shares = estimator.shares_.tolist()

    def mean(parts: Iterable[Array]) -> Array:
        total: Array = np.asarray(sum(share * part for share, part in zip(shares, parts, strict=True)))
        return np.asarray(total - total.mean(axis=-1, keepdims=True)) if space == "margin" else total

    def reference(X: Matrix) -> Array:
        if space not in ("log-odds", "margin"):
            return mean(member.reference(X) for member in known)
        logarithms = np.log(np.clip(estimator.predict_proba(X), _LEAST, None))
        if space == "log-odds":
            return np.asarray(logarithms[:, 1:] - logarithms[:, :1])
        return np.asarray(logarithms - logarithms.mean(axis=1, keepdims=True))

    base = mean(member.base for member in known)

    def values(X: Matrix) -> Array:
        own = mean(member.values(X) for member in known)
        if space not in ("log-odds", "margin"):
            return own
        sizes = np.abs(own) + np.finfo(float).tiny
        missing = reference(X) - base - own.sum(axis=1)
        return np.asarray(own + missing[:, None] * sizes / sizes.sum(axis=1, keepdims=True))

    return Explainer(
        f"mean of {len(known)} models: {', '.join(sorted({member.method for member in known}))}",
        space,
        base,
        values,
        reference,
        sum(member.seconds_per_row for member in known),
    )


def encoded_explainer(estimator: BaseEstimator, background: Matrix) -> Explainer | None:
    """Return the exact explainer of a fitted estimator by encoded column; parameters as of `exact_explainer`."""
    from core.automl import AdditiveModel, Blend, CalibratedClassifier, CatBoostTrees, ScaledTargetRegressor

    if isinstance(estimator, ScaledTargetRegressor):
        return _scaled_target(estimator, background)
    if isinstance(estimator, CalibratedClassifier):
        return _calibrated(estimator, background)
    if isinstance(estimator, Blend):
        return _mean(estimator, background)
    if isinstance(estimator, AdditiveModel):
        return _additive(estimator, background)
    if isinstance(estimator, CatBoostTrees):
        return _catboost(estimator, background[:1])
    library = type(estimator).__module__.split(".")[0]
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    if library == "lightgbm":
        return _lightgbm(estimator, background[:1])
    if library == "xgboost" and hasattr(estimator, "get_booster"):
        return _xgboost(estimator, background[:1])
    if type(estimator).__name__.startswith(("RandomForest", "ExtraTrees")):
        return _forest(estimator)
    if hasattr(last, "coef_") and type(last).__name__ in _LINEAR:
        return _linear(estimator, background)
    return None


def exact_explainer(estimator: BaseEstimator, model: ExplainedModel, background: Matrix) -> Explainer | None:
    """Return the exact explainer of a fitted estimator on encoded columns; None when it has none.

    Parameters
    ----------
    estimator : fitted estimator
        The estimator without the encoder, and without a wrapper that only returns other labels.
    model : ExplainedModel
        Model whose matrix the estimator takes.
    background : matrix of shape (b, matrix columns)
        Rows that the means of a linear model are taken over. Trees have their own: the training rows of each leaf.
    """
    encoded = encoded_explainer(estimator, background)
    if encoded is None:
        return None
    picked = np.zeros(1, dtype=np.intp) if len(encoded.base) == 1 else model.output_indices  # two classes are one score
    if picked.max() >= len(encoded.base):  # a class that training did not have
        return None

    def by_column(X: Matrix) -> Array:
        values = encoded.values(X)[:, :, picked]
        return np.stack([values[:, indices].sum(axis=1) for indices in model.indices], axis=1)

    def reference(X: Matrix) -> Array:
        return encoded.reference(X)[:, picked]

    return replace(encoded, base=encoded.base[picked], values=by_column, reference=reference)
