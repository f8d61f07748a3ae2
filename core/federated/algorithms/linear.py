"""Logistic and linear regression from sums over all rows: the same coefficients as on rows in one place.

A linear regression needs one round: the sums of products of its columns. A logistic one makes Newton's steps, whose
gradient and Hessian matrix are sums over rows, or, where that matrix would be large, those of L-BFGS, which need the
gradient alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.federated.algorithms.rounds import Rounds
from core.federated.algorithms.state import ModelState
from core.federated.features.summary import center_and_width, encoded_summary
from core.federated.protocol.message import Arrays, Reply, Request
from core.federated.site.site import Plan, Site
from core.jsonable import JsonObject

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from core.federated.coordinator.features import SharedFeatures
    from core.federated.coordinator.study import Study

__all__ = [
    "NEWTON_COEFFICIENTS",
    "answer_moments",
    "answer_products",
    "answer_slope",
    "assemble",
    "fit",
    "standardization",
]

NEWTON_COEFFICIENTS = 1_000
"""Coefficients up to which the Hessian matrix is shared."""
_CONVERGED = 1e-10
_FAR = 1e6
Doubles = NDArray[np.float64]


def answer_moments(site: Site, request: Request) -> Reply:
    """Return sums of the features in the shared scale, or of their squared distances from a center."""
    centers, widths = _scales(site.columns)
    Z = np.clip((site.X.astype(np.float64) - centers) / widths, -_FAR, _FAR)
    rows = np.array([float(len(Z))])
    if "center" not in request.arrays:
        return Reply({}, {"sums": Z.sum(axis=0), "rows": rows})
    return Reply({}, {"sums": np.square(Z - request.arrays["center"]).sum(axis=0), "rows": rows})


def _scales(columns: list[JsonObject]) -> tuple[Doubles, Doubles]:
    """Return a center and a width of each feature, by which sums over rows are neither huge nor tiny."""
    pairs = [center_and_width(column) for column in encoded_summary(columns).astype(np.float64).T]
    return np.array([center for center, _ in pairs]), np.array([width for _, width in pairs])


def standardization(study: Study, columns: list[JsonObject]) -> tuple[Doubles, Doubles]:
    """Return mean and standard deviation of each feature over all rows (1 for a constant).

    Values further from the median than a million shared widths count as that far.
    """
    centers, widths = _scales(columns)
    first = study.total("moments")
    mean = first["sums"] / float(first["rows"][0])
    second = study.total("moments", arrays={"center": mean})
    variance = second["sums"] / float(second["rows"][0])
    tiny = variance <= 10 * np.finfo(np.float64).eps * (np.square(mean) + variance)
    return centers + widths * mean, widths * np.where(tiny, 1.0, np.sqrt(np.where(tiny, 1.0, variance)))


def _design(site: Site, request: Request) -> Doubles:
    """Return the standardized features with a column of ones at the end."""
    X = (site.X.astype(np.float64) - request.arrays["mean"]) / request.arrays["scale"]
    return np.column_stack([X, np.ones(len(X))])


def answer_products(site: Site, request: Request) -> Reply:
    """Return the sums of products of the features, and of the features with the target."""
    X, y = _design(site, request), site.target
    return Reply({}, {"products": X.T @ X, "target": X.T @ y, "rows": np.array([float(len(y))])})


def answer_slope(site: Site, request: Request) -> Reply:
    """Return loss and gradient of a logistic regression, and with `curvature` its Hessian matrix."""
    X, y = _design(site, request), site.y.astype(np.intp)
    coefficients = np.asarray(request.arrays["coefficients"], dtype=np.float64)  # (sets, features + 1)
    scores = X @ coefficients.T
    if len(coefficients) == 1:
        losses = np.logaddexp(0.0, np.where(y == 1, -scores[:, 0], scores[:, 0]))
        chances = _sigmoid(scores)
        errors = chances - (y == 1)[:, None]
    else:
        top = scores.max(axis=1, keepdims=True)
        odds = np.exp(scores - top)
        sums = odds.sum(axis=1, keepdims=True)
        losses = (np.log(sums) + top)[:, 0] - scores[np.arange(len(y)), y]
        chances = odds / sums
        errors = chances - np.eye(len(coefficients))[y]
    arrays: Arrays = {
        "loss": np.array([losses.sum()]),
        "gradient": errors.T @ X,
        "rows": np.array([float(len(y))]),
    }
    if request.content["curvature"]:
        arrays["hessian"] = _hessian(X, chances)
    site.loss = float(losses.mean())
    return Reply({}, arrays)


def _sigmoid(scores: Doubles) -> Doubles:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * scores)))


def _hessian(X: Doubles, chances: Doubles) -> Doubles:
    sets, width = chances.shape[1], X.shape[1]
    hessian = np.empty((sets, width, sets, width))
    for first in range(sets):
        for second in range(first, sets):
            own = chances[:, first] if first == second else 0.0
            weights = own - chances[:, first] * chances[:, second]
            block = (X * weights[:, None]).T @ X
            hessian[first, :, second, :] = block
            hessian[second, :, first, :] = block.T
    return hessian.reshape(sets * width, sets * width)


def fit(study: Study, plan: Plan, features: SharedFeatures, rounds: Rounds) -> ModelState:
    """Return the coefficients of the standardized features.

    Parameters
    ----------
    study : Study
        The study.
    plan : Plan
        Agreement of the sites.
    features : SharedFeatures
        Features that all sites have in common.
    rounds : Rounds
        Counter of the rounds.

    Returns
    -------
    ModelState
        Arrays mean and scale of shape (p,), coefficients of shape (sets, p + 1) with the intercept last, where `sets`
        is one for two classes and for a number.
    """
    mean, scale = standardization(study, features.columns)
    arrays: Arrays = {"mean": mean, "scale": scale}
    penalty = plan.settings.l2
    if not plan.classes:
        with rounds.next() as done:
            total = study.total("products", arrays=arrays)
            done(total)
        penalties = np.diag(np.append(np.full(len(mean), penalty), 0.0))
        solution = np.linalg.lstsq(total["products"] + penalties, total["target"], rcond=None)[0]
        center, width = features.scale
        solution = width * solution
        solution[-1] += center
        return ModelState({"converged": True}, {**arrays, "coefficients": solution[None, :]})
    sets = 1 if plan.classes == 2 else plan.classes
    search = _newton if sets * (len(mean) + 1) <= NEWTON_COEFFICIENTS else _lbfgs
    coefficients, converged = search(study, arrays, np.zeros((sets, len(mean) + 1)), penalty, rounds)
    return ModelState({"converged": converged}, {**arrays, "coefficients": coefficients})


def _penalized(total_loss: float, gradient: Doubles, at: Doubles, penalty: float) -> tuple[float, Doubles]:
    slopes = at[:, :-1]
    pull = np.column_stack([penalty * slopes, np.zeros(len(at))])
    return total_loss + 0.5 * penalty * float(np.square(slopes).sum()), gradient + pull


def _newton(study: Study, arrays: Arrays, at: Doubles, penalty: float, rounds: Rounds) -> tuple[Doubles, bool]:
    """Return coefficients by Newton's steps, halved where they were too long, and whether they have converged."""
    sets, width = at.shape
    penalties = np.tile(np.append(np.full(width - 1, penalty), 0.0), sets)
    best, best_loss = at, np.inf
    while rounds.left:
        with rounds.next() as done:
            total = study.total("slope", {"curvature": True}, {**arrays, "coefficients": at})
            done(total)
        loss, gradient = _penalized(float(total["loss"][0]), total["gradient"], at, penalty)
        if loss > best_loss * (1 + 1e-12) + 1e-12:  # the step was too long
            at = (at + best) / 2
            continue
        best, best_loss = at, loss
        step = np.linalg.lstsq(total["hessian"] + np.diag(penalties), gradient.ravel(), rcond=None)[0]
        decrement = float(gradient.ravel() @ step)
        at = at - step.reshape(sets, width)
        if decrement <= _CONVERGED * max(1.0, abs(loss)):
            return at, True
    return at, False


class _Stopped(Exception):
    """The rounds are over."""


def _lbfgs(study: Study, arrays: Arrays, at: Doubles, penalty: float, rounds: Rounds) -> tuple[Doubles, bool]:
    """Return coefficients by L-BFGS, which needs the gradient alone, and whether they have converged."""
    from scipy.optimize import minimize

    best_loss, best = np.inf, at

    def evaluate(flat: Doubles) -> tuple[float, Doubles]:
        nonlocal best_loss, best
        if not rounds.left:
            raise _Stopped
        current = flat.reshape(at.shape)
        with rounds.next() as done:
            total = study.total("slope", {"curvature": False}, {**arrays, "coefficients": current})
            done(total)
        loss, gradient = _penalized(float(total["loss"][0]), total["gradient"], current, penalty)
        rows = float(total["rows"][0])
        if loss < best_loss:
            best_loss, best = loss, current.copy()
        return loss / rows, gradient.ravel() / rows

    limit = {"maxfun": 10 * rounds.count, "maxiter": 10 * rounds.count, "gtol": 1e-7, "ftol": 1e-13}
    try:
        minimum = minimize(evaluate, at.ravel(), jac=True, method="L-BFGS-B", options=limit)
    except _Stopped:
        return best, False
    return np.asarray(minimum.x.reshape(at.shape)), bool(minimum.success)


def assemble(state: ModelState, plan: Plan, features: SharedFeatures) -> Pipeline:
    """Return the model as scikit-learn's own: a scaler, and a logistic or ridge regression."""
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    mean, scale, coefficients = state["mean"], state["scale"], state["coefficients"]
    scaler = StandardScaler()
    scaler.mean_, scaler.scale_, scaler.var_ = mean, scale, np.square(scale)
    scaler.n_features_in_, scaler.n_samples_seen_ = len(mean), np.int64(1)
    penalty = plan.settings.l2
    if plan.classes:
        model = LogisticRegression(C=1 / penalty if penalty else np.inf)
        model.classes_ = np.arange(plan.classes)
        model.coef_, model.intercept_ = coefficients[:, :-1].copy(), coefficients[:, -1].copy()
        model.n_iter_ = np.array([1], dtype=np.int32)
    else:
        model = Ridge(alpha=penalty)
        model.coef_, model.intercept_ = coefficients[0, :-1].copy(), float(coefficients[0, -1])
        model.n_iter_ = None
    model.n_features_in_ = len(mean)
    return make_pipeline(scaler, model)
