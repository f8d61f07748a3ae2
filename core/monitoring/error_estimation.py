"""Performance of a model of numbers from a second model, of its error (DLE)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.monitoring.error_features import ErrorFeatures
from core.monitoring.expected_metrics import EstimatedMetric
from core.monitoring.performance_estimate import PerformanceEstimate

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MIN_ERROR_ROWS", "ErrorEstimator"]

Array = NDArray[np.float64]

MIN_ERROR_ROWS = 300
"""Rows with a label that the reference needs for a model of the error."""

_MIN_ROWS = 50
_FOLDS = 5
_BINS = 10
_MOST_ROWS = 100_000
_LEVEL = 0.1
_BIN_LEVEL = 0.25
_SURE = 1e-4
_SMALLEST = 1e-300


@dataclass(frozen=True, eq=False)
class ErrorEstimator:
    """Gradient boosting of a row's error on its columns and its prediction, checked out of fold.

    The idea is NannyML's direct loss estimation. The estimate is the mean of the predicted errors; where squared errors
    are predicted, its root.

    Parameters
    ----------
    frame : DataFrame
        Reference with `y_score` and the columns.
    errors : array of shape (n,)
        Error of each row: absolute, or squared.
    columns : tuple of str
        Columns that the error may depend on.
    confidence : float
        Probability with which an interval holds the value.
    seed : int
        Seed of the random number generator.
    """

    frame: pd.DataFrame
    errors: Array
    columns: tuple[str, ...]
    confidence: float
    seed: int

    @cached_property
    def _features(self) -> ErrorFeatures:
        return ErrorFeatures.of(self.frame, self.columns)

    @cached_property
    def _folds(self) -> tuple[list[Any], Array]:
        """The models of the folds, and the error that each row was predicted by the one that did not see it."""
        from sklearn.ensemble import HistGradientBoostingRegressor

        matrix = self._features.matrix(self.frame)
        fold = np.random.default_rng(self.seed).permutation(len(matrix)) % _FOLDS
        predicted = np.empty(len(matrix))
        models = []
        for index in range(_FOLDS):
            train = np.flatnonzero(fold != index)[:_MOST_ROWS]
            model = HistGradientBoostingRegressor(
                max_iter=100,
                learning_rate=0.08,
                min_samples_leaf=max(20, len(train) // 200),
                l2_regularization=1.0,
                early_stopping=False,
                random_state=self.seed,
            )
            model.fit(matrix[train], self.errors[train])
            predicted[fold == index] = model.predict(matrix[fold == index])
            models.append(model)
        return models, predicted

    @cached_property
    def obstacle(self) -> str | None:
        """Why the reference allows no estimate; None where it does."""
        if len(self.errors) < MIN_ERROR_ROWS:
            return f"The reference has {len(self.errors):,} rows with a label, and {MIN_ERROR_ROWS} are needed."
        predicted = self._folds[1]
        mean, actual = float(predicted.mean()), float(self.errors.mean())
        if actual > 0 and abs(mean / actual - 1) > _LEVEL:
            return (
                f"A model of the error is off by {100 * abs(mean / actual - 1):.0f}% on rows of the reference that it "
                "did not see."
            )
        order = np.array_split(np.argsort(predicted), _BINS)
        gaps = np.array([self.errors[rows].mean() - predicted[rows].mean() for rows in order])
        spread = np.array([self.errors[rows].std() / np.sqrt(len(rows)) for rows in order])
        from scipy.special import chdtrc

        with np.errstate(invalid="ignore", divide="ignore"):
            p = float(chdtrc(_BINS, float(np.nansum((gaps / spread) ** 2))))
        distance = max(0.0, float(np.abs(gaps).mean() - np.sqrt(2 / np.pi) * spread.mean()))
        if actual > 0 and distance / actual > _BIN_LEVEL and p < _SURE:
            return (
                "A model of the error does not predict its level: where it predicts small or large errors on rows that "
                f"it did not see, it is off by {100 * distance / actual:.0f}% of the mean error."
            )
        return None

    def estimate(self, metric: EstimatedMetric, frame: pd.DataFrame, chunk: str | None = None) -> PerformanceEstimate:
        """Return the estimate of a metric on rows without labels.

        The interval holds the chance of the rows' errors, by the spread of the errors around their predictions in the
        reference, and the difference of the models of the folds.

        Parameters
        ----------
        metric : EstimatedMetric
            Metric of numbers.
        frame : DataFrame
            Rows with `y_score` and the columns.
        chunk : str, optional
            Name of the rows.
        """
        from core.evaluation import normal_quantile

        refused = self.obstacle
        if refused is None and len(frame) < _MIN_ROWS:
            refused = f"There are {len(frame):,} rows with a prediction, and {_MIN_ROWS} are needed."
        if refused is None:
            refused = self._outside(frame)
        if refused is not None:
            return PerformanceEstimate(metric.name, None, None, None, len(frame), refused, "DLE", chunk=chunk)
        models, out_of_fold = self._folds
        matrix = self._features.matrix(frame)
        by_model = np.stack([model.predict(matrix) for model in models])
        # Boosting may predict errors below 0 where they are near it.
        predicted = np.maximum(by_model.mean(axis=0), 0.0)
        # The spread of an error grows with its size: the reference says in which proportion.
        residuals, sizes = self.errors - out_of_fold, np.maximum(out_of_fold, 0.0)
        scale = float(np.sqrt((residuals**2).mean() / max((sizes**2).mean(), _SMALLEST)))
        chance = scale * float(np.sqrt((predicted**2).sum())) / len(frame)
        # Folds share four fifths of their rows, so their models differ less than models of other rows would.
        model = float(by_model.mean(axis=1).std(ddof=1)) * np.sqrt(1 + _FOLDS / 2)
        base = float(self.errors.std()) / np.sqrt(len(self.errors))
        half = normal_quantile(self.confidence) * float(np.sqrt(chance**2 + model**2 + base**2))
        mean = float(predicted.mean())
        choice = float(predicted.std()) / np.sqrt(len(frame))
        error = float(np.sqrt(choice**2 + model**2 + base**2)) / (2 * np.sqrt(mean) if metric.error == "squared" else 1)
        bounds = max(0.0, mean - half), mean + half
        value, low, high = (
            np.sqrt([mean, *bounds]) if metric.error == "squared" else np.array([mean, *bounds])
        ).tolist()
        return PerformanceEstimate(
            metric.name,
            value,
            low,
            high,
            len(frame),
            method="DLE",
            chunk=chunk,
            standard_error=float(error),
            difference_error=float(error),
        )

    def _outside(self, frame: pd.DataFrame) -> str | None:
        low, high = float(self.frame["y_score"].min()), float(self.frame["y_score"].max())
        margin = 0.01 * (high - low)
        scores = frame["y_score"].to_numpy(dtype=np.float64)
        share = float(((scores < low - margin) | (scores > high + margin)).mean())
        if share <= 0.05:
            return None
        return (
            f"{100 * share:.0f}% of the predictions are outside of the reference's range, {low:.4g} to {high:.4g}, "
            "where the size of errors is not known."
        )
