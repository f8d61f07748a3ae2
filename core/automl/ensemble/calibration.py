"""Probabilities that hold what they promise: a slope and a bias for each class, where other rows gain by them.

The mean of several models is too cautious: its probabilities are closer to the shares of the classes than they should
be. What corrects that is learned from out-of-fold predictions and judged on rows that did not teach it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from core.automl._fitting import outputs
from core.automl._types import Codes, Estimator, Features, Groups, Output, Target, Weights
from core.evaluation import METRICS, compute_metric

__all__ = ["LEAST_PROBABILITY", "CalibratedClassifier", "Calibration", "CalibrationRecord", "calibrate", "calibrated"]

LEAST_PROBABILITY = 1e-6
"""Probability below which all are the same, so that float32 can hold what their logarithms say."""
_SLOPES = (0.8, 4.0)  # a smaller slope would enlarge the errors of float32
_PARTS = 5
_MIN_ROWS = 100
_MAX_ROWS = 20_000
_MAX_CELLS = 1_000_000  # rows times classes
_BIASED_CLASSES = 20  # above which only the slope is learned: biases would take seconds
_RANKS = ("roc_auc", "average_precision")  # no slope changes them of two classes, and hardly of several
_NEGLIGIBLE = 0.001  # of a rank metric


class CalibrationRecord(TypedDict):
    """What calibration came to.

    Parameters
    ----------
    used : bool
        Whether the model's probabilities are calibrated.
    slope : float
        Factor of the logarithms of the probabilities; above 1 makes them bolder.
    log_loss, calibrated_log_loss : float
        Out-of-fold log loss before, and after a calibration that was learned from other rows.
    gain, error : float
        Difference of both, and its standard error.
    """

    used: bool
    slope: float
    log_loss: float
    calibrated_log_loss: float
    gain: float
    error: float


@dataclass(frozen=True)
class Calibration:
    """A slope and a bias for each class.

    Parameters
    ----------
    record : CalibrationRecord
        Slope, losses and gain.
    biases : list of float
        Summands of the logarithms of the classes.
    out_of_fold : array of shape (n, k)
        Out-of-fold predictions, calibrated by other rows.
    """

    record: CalibrationRecord
    biases: list[float]
    out_of_fold: Output


class CalibratedClassifier(ClassifierMixin, BaseEstimator):
    """A fitted classifier of class codes whose probabilities are calibrated.

    Parameters
    ----------
    estimator : fitted estimator
        Predicts codes 0 to k-1.
    slope : float
        Factor of the logarithms of its probabilities.
    biases : list of float
        Summands of the logarithms of the classes.
    """

    def __init__(self, estimator: Estimator, slope: float, biases: list[float]) -> None:
        self.estimator = estimator
        self.slope = slope
        self.biases = biases

    @property
    def classes_(self) -> Codes:
        """All class codes."""
        return np.arange(len(self.biases))

    def fit(self, X: Features, y: Target | None = None) -> CalibratedClassifier:
        """Return itself: the estimator inside is fitted already."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, X: Features) -> Output:
        """Return probabilities, float64, shape (n, k)."""
        return calibrated(outputs(self.estimator, X, len(self.biases)), self.slope, self.biases)

    def predict(self, X: Features) -> Codes:
        """Return the most probable class codes, shape (n,)."""
        return np.asarray(self.predict_proba(X).argmax(axis=1))


def calibrated(probabilities: Output, slope: float, biases: list[float] | NDArray[np.float64]) -> Output:
    """Return the softmax of the logarithms of probabilities, times a slope, plus a bias for each class.

    Examples
    --------
    >>> calibrated(np.array([[0.2, 0.8]]), 2.0, [0.0, 0.0]).round(3).tolist()
    [[0.059, 0.941]]
    """
    return _softmax(slope * np.log(np.clip(probabilities, LEAST_PROBABILITY, 1.0)) + np.asarray(biases))


def _softmax(scores: Output) -> Output:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def calibrate(
    out_of_fold: Output, y: Target, metric: str, *, weights: Weights | None = None, groups: Groups | None = None
) -> Calibration | None:
    """Learn a calibration from out-of-fold predictions; None of too few rows, or of a single group.

    It is used where it lowers the log loss of rows that did not teach it by more than a standard error, and does not
    make the metric worse.

    Parameters
    ----------
    out_of_fold : array of shape (n, k)
        Out-of-fold probabilities.
    y : array of shape (n,)
        Class codes.
    metric : str
        Key of `METRICS` that the search optimizes.
    weights : array of shape (n,), optional
        Weight of each row.
    groups : array of shape (n,), optional
        Group of each row; rows of a group are on one side, and count as one in the standard error.

    Notes
    -----
    Guo, Pleiss, Sun, Weinberger (2017), "On calibration of modern neural networks"; of two classes it is Platt's
    logistic regression (1999). Slope and biases are drawn towards 1 and 0 as by one more row.
    """
    before = np.asarray(out_of_fold, dtype=np.float64)
    codes, count = np.asarray(y, dtype=np.intp), len(y)
    clusters = np.arange(count) if groups is None else np.unique(groups, return_inverse=True)[1]
    if count < _MIN_ROWS or clusters.max() == 0:  # rows of one group can teach nothing about others
        return None
    shares = np.ones(count) if weights is None else np.asarray(weights, dtype=np.float64)
    random = np.random.default_rng(0)
    part_of = (random.permutation(clusters.max() + 1) % _PARTS)[clusters]
    after = np.empty_like(before)
    for part in range(_PARTS):
        inside = part_of == part
        after[inside] = calibrated(before[inside], *_fit(before[~inside], codes[~inside], shares[~inside]))
    losses = [-np.log(np.clip(side[np.arange(count), codes], LEAST_PROBABILITY, None)) for side in (before, after)]
    gains = losses[0] - losses[1]
    gain = float(np.average(gains, weights=shares))
    by_cluster = np.bincount(clusters, shares * (gains - gain))
    error = float(np.sqrt((by_cluster**2).sum()) / shares.sum())
    slope, biases = _fit(before, codes, shares)
    record: CalibrationRecord = {
        "used": gain > error and not _harms(metric, codes, before, after, weights),
        "slope": slope,
        "log_loss": float(np.average(losses[0], weights=shares)),
        "calibrated_log_loss": float(np.average(losses[1], weights=shares)),
        "gain": gain,
        "error": error,
    }
    return Calibration(record, biases.tolist(), after)


def _harms(metric: str, codes: Codes, before: Output, after: Output, weights: Weights | None) -> bool:
    """Return whether the metric of the search becomes worse."""
    if before.shape[1] == 2 and metric in _RANKS:
        return False
    scores = [compute_metric(metric, codes, side, weights) for side in (before, after)]
    loss = scores[0] - scores[1] if METRICS[metric].larger_is_better else scores[1] - scores[0]
    return loss > (_NEGLIGIBLE if metric in _RANKS else 0.0)


def _fit(probabilities: Output, codes: Codes, weights: Weights) -> tuple[float, NDArray[np.float64]]:
    """Return the slope and the biases with the least log loss, the first bias being 0."""
    from scipy.optimize import minimize

    classes = probabilities.shape[1]
    most = min(_MAX_ROWS, _MAX_CELLS // classes)
    rows = np.random.default_rng(0).permutation(len(codes))[:most]
    logs = np.log(np.clip(probabilities[rows], LEAST_PROBABILITY, 1.0))
    codes, weights = codes[rows], weights[rows] / max(float(weights[rows].sum()), 1e-12)
    wanted = np.zeros_like(logs)
    wanted[np.arange(len(codes)), codes] = 1.0
    prior = 1.0 / len(codes)
    biased = classes - 1 if classes <= _BIASED_CLASSES else 0

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        predicted = _softmax(values[0] * logs + _biases(values, classes))
        own = np.clip(predicted[np.arange(len(codes)), codes], 1e-300, None)
        excess = weights[:, None] * (predicted - wanted)
        gradient = np.concatenate([[(excess * logs).sum()], excess.sum(axis=0)[1 : biased + 1]])
        gradient += prior * (values - start)
        return float(-(weights * np.log(own)).sum() + prior / 2 * ((values - start) ** 2).sum()), gradient

    start = np.concatenate([[1.0], np.zeros(biased)])
    bounds: list[tuple[Any, Any]] = [_SLOPES, *[(-5.0, 5.0)] * biased]
    optimum = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(optimum[0]), _biases(optimum, classes)


def _biases(values: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """Return the biases of all classes, of what follows the slope."""
    biases = np.zeros(classes)
    biases[1 : len(values)] = values[1:]
    return biases
