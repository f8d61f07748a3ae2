"""A regressor whose target is centered and scaled before it is learned, so that its offset and unit do not matter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin, clone

from core.automl._fitting import fit_weighted
from core.automl._types import Estimator, Features, Output, Target

__all__ = ["ScaledTargetRegressor"]

_UNIT = 0.1
_LEAST = 1e-9


class ScaledTargetRegressor(RegressorMixin, BaseEstimator):
    """Fit an estimator on a target of mean 0 and standard deviation 1, and undo that in its predictions.

    Learners work in float32, or compare squares of the target: an offset of 2e7 costs them the digits that vary, and
    their penalties and limits mean something else in another unit.

    Parameters
    ----------
    estimator : estimator
        The regressor; `fit` fits a clone of it.
    log : bool, default=False
        Whether it learns the target's logarithm: more exactly arsinh(y / unit), which is the logarithm of large numbers
        and takes zeros and negative numbers too.

    Attributes
    ----------
    estimator_ : fitted estimator
        Predicts the scaled target.
    center_, scale_ : float
        Mean and standard deviation of the target, by weight, after the logarithm; the scale of a constant is 1.
    unit_ : float
        With `log`, the tenth percentile of the sizes of the numbers besides zero.
    range_ : (float, float)
        With `log`, the smallest and the largest target: nothing beyond them is predicted.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> X = np.linspace(0, 1, 500, dtype=np.float32)[:, None]
    >>> y = 2e7 + X[:, 0].astype(float)
    >>> round(Ridge(alpha=1e-3).fit(X, y).score(X, y), 2) < 1
    True
    >>> round(ScaledTargetRegressor(Ridge(alpha=1e-3)).fit(X, y).score(X, y), 4)
    1.0
    >>> y = np.exp(5 * X[:, 0].astype(float))
    >>> round(ScaledTargetRegressor(Ridge(alpha=1e-3), log=True).fit(X, y).score(X, y), 2)
    1.0
    """

    log: bool = False  # of those that were stored before it could be True

    def __init__(self, estimator: Estimator, log: bool = False) -> None:
        self.estimator = estimator
        self.log = log

    def fit(self, X: Features, y: Target, sample_weight: NDArray[np.float64] | None = None) -> ScaledTargetRegressor:
        """Fit on rows, with their weights if any."""
        self.learn_scale(y, sample_weight)
        self.estimator_ = fit_weighted(clone(self.estimator), X, self.scaled(y), sample_weight)
        return self

    def learn_scale(self, y: Target, sample_weight: NDArray[np.float64] | None = None) -> None:
        """Take mean and standard deviation from the target of the rows to learn from."""
        target = np.asarray(y, dtype=np.float64)
        if self.log:
            sizes = np.abs(target[target != 0])
            self.unit_ = max(float(np.quantile(sizes, _UNIT)), _LEAST * float(sizes.max())) if len(sizes) else 1.0
            self.range_ = float(target.min()), float(target.max())
            target = np.arcsinh(target / self.unit_)
        self.center_ = float(np.average(target, weights=sample_weight))
        spread = float(np.sqrt(np.average((target - self.center_) ** 2, weights=sample_weight)))
        self.scale_ = spread if spread > 0 and np.isfinite(spread) else 1.0

    def scaled(self, y: Target) -> Output:
        """Return a target as the estimator learns it."""
        target = np.asarray(y, dtype=np.float64)
        scaled: Output = ((np.arcsinh(target / self.unit_) if self.log else target) - self.center_) / self.scale_
        return scaled

    def unscaled(self, output: Output) -> Output:
        """Return what the estimator predicts in the unit of the target."""
        target: Output = output * self.scale_ + self.center_
        if self.log:
            low, high = np.arcsinh(np.array(self.range_) / self.unit_)
            target = np.clip(np.sinh(np.clip(target, low, high)) * self.unit_, *self.range_)
        return target

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimator_")

    def predict(self, X: Features) -> Output:
        """Return numbers in the unit of the target, float64, shape (n,)."""
        return self.unscaled(np.asarray(self.estimator_.predict(X), dtype=np.float64))
