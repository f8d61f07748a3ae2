"""Performance of a model of several classes from its calibrated probabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.monitoring.calibrated_estimation import FEW_ROWS, MIN_CLASS_ROWS
from core.monitoring.expected_metrics import ESTIMATED_METRICS, BlockOutcomes, EstimatedMetric
from core.monitoring.performance_estimate import PerformanceEstimate
from core.monitoring.score_blocks import ScoreBlocks
from core.monitoring.score_calibration import CalibrationCheck, ScoreCalibration, check_calibration

__all__ = ["CLASS_METRICS", "ClassEstimator"]

Array = NDArray[np.float64]

CLASS_METRICS = ("roc_auc", "accuracy", "balanced_accuracy", "log_loss")
"""Metrics that are estimated for three classes and more; ROC AUC is one-vs-rest, weighted by frequency."""

_MIN_ROWS = 50
_DRAWS = 200
_ROWS = 2_000
_OUTSIDE = 0.05
_SMALLEST = 1e-15


@dataclass(frozen=True, eq=False)
class ClassEstimator:
    """Expected metrics of several classes: each probability is calibrated one-vs-rest, then they are made to sum to 1.

    What that is off on the reference itself is subtracted. Intervals cover a little less often than they should: 92 to
    94% in place of 95%, by simulation.

    Parameters
    ----------
    scores : array of shape (n, k)
        Probabilities of the reference.
    codes : array of int of shape (n,)
        Class of each row of the reference.
    labels : sequence of str
        Labels by class.
    confidence : float
        Probability with which an interval holds the value.
    seed : int
        Seed of the random number generator.
    """

    scores: Array
    codes: NDArray[np.intp]
    labels: Sequence[str]
    confidence: float
    seed: int

    @cached_property
    def _checks(self) -> list[CalibrationCheck]:
        return [
            check_calibration(self.scores[:, index], self.codes == index, seed=self.seed)
            for index in range(len(self.labels))
        ]

    @cached_property
    def _calibrations(self) -> list[ScoreCalibration]:
        return [ScoreCalibration.of(self.scores[:, index], self.codes == index) for index in range(len(self.labels))]

    @cached_property
    def _fitted(self) -> list[Array]:
        return [calibration.fit() for calibration in self._calibrations]

    @cached_property
    def _deviations(self) -> list[Array]:
        random = np.random.default_rng(self.seed)
        pairs = zip(self._calibrations, self._fitted, strict=True)
        wider = 1 + FEW_ROWS / len(self.scores)
        return [wider * (calibration.resampled(random, _DRAWS)[2] - fitted) for calibration, fitted in pairs]

    def obstacle(self, metric: EstimatedMetric) -> str | None:
        """Return why the reference allows no estimate; None where it does."""
        if metric.name not in CLASS_METRICS:
            titles = ", ".join(ESTIMATED_METRICS[name].title for name in CLASS_METRICS)
            return (
                f"{metric.title} is about two classes, and there are {len(self.labels)}. Of several, choose {titles}."
            )
        counts = np.bincount(self.codes, minlength=len(self.labels))
        rarest = int(np.argmin(counts))
        if counts[rarest] < MIN_CLASS_ROWS:
            return (
                f"The reference has only {counts[rarest]:,} rows of '{self.labels[rarest]}', and {MIN_CLASS_ROWS} are "
                "needed."
            )
        bad = [index for index, check in enumerate(self._checks) if check.is_bad]
        if bad:
            check = self._checks[bad[0]]
            return (
                f"The probabilities of '{self.labels[bad[0]]}' cannot be calibrated on the reference: predicted and "
                f"observed shares differ by {100 * check.error:.1f} points on average on rows that were held out."
            )
        return None

    def outside(self, scores: Array) -> float:
        """Return the share of rows with a probability outside of the reference's range of this class."""
        margin = 0.01
        low, high = self.scores.min(axis=0) - margin, self.scores.max(axis=0) + margin
        return float(((scores < low) | (scores > high)).any(axis=1).mean())

    def probabilities(self, scores: Array, draw: int | None = None) -> Array:
        """Return calibrated probabilities that sum to 1, by the reference or by one of its resamples."""
        columns = []
        for index, calibration in enumerate(self._calibrations):
            column = scores[:, index]
            if not self._checks[index].raw_is_better:
                column = calibration.at(column, self._fitted[index])
            if draw is not None:
                column = column + calibration.at(scores[:, index], self._deviations[index][draw])
            columns.append(np.clip(column, _SMALLEST, 1))
        stacked = np.column_stack(columns)
        return np.asarray(stacked / stacked.sum(axis=1, keepdims=True))

    def measured(self, metric: EstimatedMetric) -> float:
        """Return the metric on the reference itself; NaN where it is not one of several classes."""
        if metric.name not in CLASS_METRICS:
            return float("nan")
        own = np.eye(len(self.labels))[self.codes]
        return float(_metric(metric.name, self.scores, lambda index: own[:, index][None, :], expected=False)[0])

    def estimate(self, metric: EstimatedMetric, scores: Array, chunk: str | None = None) -> PerformanceEstimate:
        """Return the estimate of a metric on rows without labels.

        Parameters
        ----------
        metric : EstimatedMetric
            Metric of classes.
        scores : array of shape (m, k)
            Probabilities of the rows.
        chunk : str, optional
            Name of the rows.
        """
        refused = self.obstacle(metric)
        if refused is None and len(scores) < _MIN_ROWS:
            refused = f"There are {len(scores):,} rows with a score, and {_MIN_ROWS} are needed."
        outside = self.outside(scores) if refused is None else 0.0
        if outside > _OUTSIDE:
            refused = f"{100 * outside:.0f}% of the rows have a probability where the reference has none."
        if refused is not None:
            return PerformanceEstimate(metric.name, None, None, None, len(scores), refused, "CBPE", chunk=chunk)
        expected = self.probabilities(scores)
        value = float(_metric(metric.name, scores, lambda index: expected[:, index][None, :], expected=True)[0])
        again = self._by_calibration(metric, scores, expected)
        # Each fit to the reference expects too good a model, and probabilities that are made to sum to 1 another one.
        value = max(0.0, value - float(again.mean()) - self._bias(metric))
        deviations = self._by_labels(metric, scores, expected) + again - again.mean()
        tail = (1 - self.confidence) / 2
        low, high = (value + np.quantile(deviations, [tail, 1 - tail])).tolist()
        if metric.larger_is_better:
            value, low, high = (min(1.0, part) for part in (value, low, high))
        return PerformanceEstimate(metric.name, value, max(0.0, low), high, len(scores), method="CBPE", chunk=chunk)

    def _bias(self, metric: EstimatedMetric) -> float:
        """Return how far the metric that is expected of the reference is from the measured one."""
        expected = self.probabilities(self.scores)
        values = _metric(metric.name, self.scores, lambda index: expected[:, index][None, :], expected=True)
        return float(values[0]) - self.measured(metric)

    def _by_labels(self, metric: EstimatedMetric, scores: Array, expected: Array) -> Array:
        """Return how far the metric of drawn labels is from its mean; of many rows by the root of their number."""
        random = np.random.default_rng([self.seed, 1])
        rows = random.permutation(len(scores))[:_ROWS]
        upto = expected[rows].cumsum(axis=1)
        drawn = (random.random((_DRAWS, len(rows), 1)) > upto[None, :, :-1]).sum(axis=2)
        values = _metric(metric.name, scores[rows], lambda index: (drawn == index).astype(np.float64), expected=False)
        return np.asarray((values - np.nanmean(values)) * np.sqrt(len(rows) / len(scores)))

    def _by_calibration(self, metric: EstimatedMetric, scores: Array, expected: Array) -> Array:
        """Return how far the metric under calibrations of resamples is from the expected one."""
        rows = np.random.default_rng([self.seed, 2]).permutation(len(scores))[:_ROWS]
        moved = np.stack([self.probabilities(scores[rows], draw) for draw in range(_DRAWS)])
        values = _metric(metric.name, scores[rows], lambda index: moved[:, :, index], expected=True)
        own = _metric(metric.name, scores[rows], lambda index: expected[rows][:, index][None, :], expected=True)
        return np.asarray(values - own)


def _metric(name: str, scores: Array, members: Callable[[int], Array], *, expected: bool) -> Array:
    """Return a metric for several draws.

    Parameters
    ----------
    name : str
        Key of `CLASS_METRICS`.
    scores : array of shape (n, k)
        Probabilities.
    members : callable
        Takes a class and returns an array of shape (draws, n): whether a row is of it, or how probable that is.
    expected : bool
        Whether these are probabilities.
    """
    classes, decided = scores.shape[1], scores.argmax(axis=1)
    if name == "accuracy":
        right = sum(members(index)[:, decided == index].sum(axis=1) for index in range(classes))
        return np.asarray(right) / len(scores)
    if name == "balanced_accuracy":
        with np.errstate(invalid="ignore", divide="ignore"):
            recalls = [
                members(index)[:, decided == index].sum(axis=1) / members(index).sum(axis=1) for index in range(classes)
            ]
        return np.asarray(np.nanmean(np.stack(recalls), axis=0))
    if name == "log_loss":
        loss = -np.log(np.clip(scores / scores.sum(axis=1, keepdims=True), _SMALLEST, 1))
        return np.asarray(sum(members(index) @ loss[:, index] for index in range(classes))) / len(scores)
    areas, weights = [], []
    formula = ESTIMATED_METRICS["roc_auc"].formula
    for index in range(classes):
        blocks = ScoreBlocks.of(scores[:, index], threshold=0.5)
        order = np.argsort(scores[:, index], kind="stable")
        starts = np.concatenate([[0], blocks.count.cumsum()[:-1]]).astype(np.intp)
        positives = np.add.reduceat(members(index)[:, order], starts, axis=1)
        areas.append(formula(BlockOutcomes(blocks, positives, expected=expected)) if formula is not None else positives)
        weights.append(positives.sum(axis=1))
    area, weight = np.stack(areas), np.stack(weights)
    known = np.isfinite(area)
    return np.asarray((np.where(known, area, 0) * weight).sum(axis=0) / (known * weight).sum(axis=0))
