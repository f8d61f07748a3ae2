"""The linear model that every result is compared with."""

from __future__ import annotations

from core.automl._types import Config, Estimator

__all__ = ["linear", "linear_config"]

_NEWTON_COEFFICIENTS = 1_000


def linear_config(features: int, classes: int) -> Config:
    """Return the configuration of `linear` for a table: Newton's steps need the square of all coefficients in memory.

    Examples
    --------
    >>> linear_config(300, 2), linear_config(300, 20)
    ({}, {'solver': 'lbfgs'})
    """
    sets = 1 if classes == 2 else classes
    return {"solver": "lbfgs"} if classes and features * sets > _NEWTON_COEFFICIENTS else {}


def linear(task: str, *, seed: int, solver: str = "newton-cholesky") -> Estimator:
    """Return a logistic or a ridge regression on standardized features, unfitted."""
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    last = (
        Ridge(random_state=seed)
        if task == "regression"
        else LogisticRegression(solver=solver, max_iter=100, random_state=seed)
    )
    model: Estimator = make_pipeline(StandardScaler(), last)
    return model
