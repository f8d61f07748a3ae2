"""Performance of a binary model from its calibrated scores (CBPE)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.monitoring.expected_metrics import BlockOutcomes, EstimatedMetric
from core.monitoring.performance_estimate import PerformanceEstimate
from core.monitoring.score_blocks import ScoreBlocks
from core.monitoring.score_calibration import CalibrationCheck, ScoreCalibration, check_calibration

__all__ = ["FEW_ROWS", "MIN_CLASS_ROWS", "CalibratedEstimator"]

Array = NDArray[np.float64]

MIN_CLASS_ROWS = 50
"""Rows of each class that the reference needs."""

FEW_ROWS = 60.0
"""Spread that halves of a reference lack, as a part of its rows; by simulation (the nightly test of coverage)."""

_MIN_ROWS = 50
_DRAWS = 300
_BLOCKS = 200
_WIDE_GAP = 0.05
_OUTSIDE = 0.05
_SMALLEST_RANGE = 1e-12


@dataclass(frozen=True, eq=False)
class CalibratedEstimator:
    """Expected metrics under the probabilities that the reference gives to scores.

    Garrison et al. describe the method as confidence-based performance estimation; it goes back to expected accuracies
    of calibrated classifiers. A row with the probability p counts as p positive and 1 - p negative rows.

    Parameters
    ----------
    scores : array of shape (n,)
        Scores of the reference.
    truth : array of bool of shape (n,)
        Whether a row of the reference is positive.
    threshold : float
        Score from which a row is selected.
    confidence : float
        Probability with which an interval holds the value.
    seed : int
        Seed of the random number generator.
    """

    scores: Array
    truth: NDArray[np.bool_]
    threshold: float
    confidence: float
    seed: int

    @cached_property
    def check(self) -> CalibrationCheck:
        """The test of the calibration."""
        return check_calibration(self.scores, self.truth, seed=self.seed)

    @cached_property
    def calibration(self) -> ScoreCalibration:
        """The calibration."""
        return ScoreCalibration.of(self.scores, self.truth)

    @cached_property
    def _fitted(self) -> Array:
        return self.calibration.fit()

    @cached_property
    def _coarse(self) -> ScoreCalibration:
        """The calibration in fewer blocks, for resamples."""
        return ScoreCalibration.of(self.scores, self.truth, _BLOCKS, threshold=self.threshold)

    @cached_property
    def _resamples(self) -> tuple[Array, Array, Array]:
        """Rows and positives of resamples of the reference, and how far their probabilities are from its own."""
        rows, positives, fitted = self._coarse.resampled(np.random.default_rng(self.seed), _DRAWS)
        return rows, positives, (1 + FEW_ROWS / len(self.scores)) * (fitted - self._coarse.fit())

    def _measured_again(self, metric: EstimatedMetric) -> Array:
        """Return the metric of each resample of the reference."""
        rows, positives, _ = self._resamples
        blocks = replace(ScoreBlocks.of(self.scores, threshold=self.threshold, limit=_BLOCKS), count=rows)
        return self._values(metric, BlockOutcomes(blocks, positives))

    def obstacle(self, metric: EstimatedMetric) -> str | None:
        """Return why the reference allows no estimate; None where it does."""
        positives = int(self.truth.sum())
        rarest, word = min((positives, "positive"), (len(self.truth) - positives, "negative"))
        if rarest < MIN_CLASS_ROWS:
            return f"The reference has only {rarest:,} {word} rows, and {MIN_CLASS_ROWS} are needed."
        if metric.needs_probabilities and not (self.scores.min() >= 0 and self.scores.max() <= 1):
            return (
                f"The scores reach from {self.scores.min():g} to {self.scores.max():g}, and {metric.title} needs "
                "probabilities."
            )
        if self.check.is_bad:
            return (
                f"The scores cannot be calibrated on the reference: predicted and observed shares differ by "
                f"{100 * self.check.error:.1f} points on average on rows that were held out (p = {self.check.p:.2g}), "
                "so higher scores do not mean higher probabilities."
            )
        return None

    def outside(self, scores: Array) -> float:
        """Return the share of scores that the reference says nothing about.

        These are outside of its range, or in a gap between two of its scores that is wider than 5% of the range.
        """
        known = np.unique(self.scores)
        width = max(float(known[-1] - known[0]), _SMALLEST_RANGE)
        after = np.searchsorted(known, scores)
        inner = (after > 0) & (after < len(known))
        left, right = known[np.maximum(after - 1, 0)], known[np.minimum(after, len(known) - 1)]
        gap = np.where(scores == right, 0.0, np.where(inner, right - left, np.inf))
        near = np.minimum(np.abs(scores - left), np.abs(scores - right))
        return float(((gap > _WIDE_GAP * width) & (near > _WIDE_GAP * width / 5)).mean())

    def probabilities(self, scores: Array) -> Array:
        """Return the probability of each score."""
        return scores if self.check.raw_is_better else self.calibration.at(scores, self._fitted)

    def measured(self, metric: EstimatedMetric) -> float:
        """Return the metric on the reference itself."""
        blocks = ScoreBlocks.of(self.scores, threshold=self.threshold)
        _, codes = np.unique(self.scores, return_inverse=True)
        return float(
            self._values(metric, BlockOutcomes(blocks, np.bincount(codes, self.truth).astype(np.float64)[None, :]))[0]
        )

    def _values(self, metric: EstimatedMetric, outcomes: BlockOutcomes) -> Array:
        if metric.formula is None:
            raise TypeError(f"The metric '{metric.name}' is not one of classes.")
        return metric.formula(outcomes)

    def estimate(self, metric: EstimatedMetric, scores: Array, chunk: str | None = None) -> PerformanceEstimate:
        """Return the estimate of a metric on rows without labels.

        Parameters
        ----------
        metric : EstimatedMetric
            Metric of two classes.
        scores : array of shape (m,)
            Scores of the rows.
        chunk : str, optional
            Name of the rows.
        """
        refused = self.obstacle(metric)
        if refused is None and len(scores) < _MIN_ROWS:
            refused = f"There are {len(scores):,} rows with a score, and {_MIN_ROWS} are needed."
        outside = self.outside(scores) if refused is None else 0.0
        if outside > _OUTSIDE:
            refused = (
                f"{100 * outside:.0f}% of the scores are where the reference has none (it reaches from "
                f"{self.scores.min():.3g} to {self.scores.max():.3g}), so their probabilities are not known."
            )
        notes = [] if outside == 0 else [f"{100 * outside:.2g}% of the scores are where the reference has none."]
        if refused is not None:
            return PerformanceEstimate(
                metric.name, None, None, None, len(scores), refused, "CBPE", chunk=chunk, notes=tuple(notes)
            )
        blocks = ScoreBlocks.of(scores, threshold=self.threshold)
        expected = blocks.count * self.probabilities(blocks.score)
        value = float(self._values(metric, BlockOutcomes(blocks, expected[None, :], expected=True))[0])
        if not np.isfinite(value):
            reason = f"{metric.title} is undefined here: no row is selected, or all are of one class."
            return PerformanceEstimate(metric.name, None, None, None, len(scores), reason, "CBPE", chunk=chunk)
        drawn, expected_again = self._drawn(metric, scores)
        value = _corrected(metric, value, expected_again)
        how = "taken as probabilities as they are" if self.check.raw_is_better else "calibrated on the reference"
        notes.append(f"Scores are {how}.")
        low, high = self._bounds(metric, drawn, value, len(scores))
        return PerformanceEstimate(
            metric.name,
            value,
            low,
            high,
            len(scores),
            method="CBPE",
            chunk=chunk,
            standard_error=_spread(expected_again),
            difference_error=_spread(expected_again - self._measured_again(metric)),
            notes=tuple(notes),
        )

    def _drawn(self, metric: EstimatedMetric, scores: Array) -> tuple[Array, Array]:
        """Return the metric with drawn labels, and that expected on other rows, under calibrations of resamples."""
        blocks = ScoreBlocks.of(scores, threshold=self.threshold, limit=_BLOCKS)
        random = np.random.default_rng([self.seed, 1])
        moved = np.stack([self._coarse.at(blocks.score, deviation) for deviation in self._resamples[2]])
        probabilities = np.clip(self.probabilities(blocks.score) + moved, 0, 1)
        labels = random.binomial(blocks.count.astype(np.int64), probabilities).astype(np.float64)
        rows = random.multinomial(len(scores), blocks.count / len(scores), _DRAWS).astype(np.float64)
        others = BlockOutcomes(replace(blocks, count=rows), rows * probabilities, expected=True)
        return self._values(metric, BlockOutcomes(blocks, labels)), self._values(metric, others)

    def _bounds(
        self, metric: EstimatedMetric, drawn: Array, value: float, rows: int
    ) -> tuple[float | None, float | None]:
        """Return the bounds of what labels will show."""
        values = drawn[np.isfinite(drawn)]
        if len(values) < _DRAWS / 2:
            return None, None
        tail = (1 - self.confidence) / 2
        ends = value + np.quantile(values - values.mean(), [tail, 1 - tail], method="weibull")
        if metric.larger_is_better:  # shares of rows have steps, which the shift to the value does not hit
            ends = ends + np.array([-1.0, 1.0]) / rows
        bounded = metric.larger_is_better or metric.name == "brier_score"
        low, high = max(0.0, float(ends[0])), min(1.0, float(ends[1])) if bounded else float(ends[1])
        return min(low, value), max(high, value)


def _corrected(metric: EstimatedMetric, value: float, again: Array) -> float:
    """Return a value without the bias that resamples show: each fit to the reference expects too good a model."""
    finite = again[np.isfinite(again)]
    if len(finite) < _DRAWS / 2:
        return value
    corrected = max(0.0, 2 * value - float(finite.mean()))
    return min(1.0, corrected) if metric.larger_is_better else corrected


def _spread(values: Array) -> float | None:
    """Return the standard deviation of the finite values; None where these are few."""
    finite = values[np.isfinite(values)]
    return float(finite.std(ddof=1)) if len(finite) >= _DRAWS / 2 else None
