"""Metrics of scores by group: area under the ROC curve, log loss, Brier score, calibration error."""

from __future__ import annotations

import numpy as np

from core.evaluation import normal_quantile, wilson
from core.fairness.metrics.arrays import BoolArray, FloatArray, IndexArray, Interval
from core.fairness.metrics.intervals import effective_weights, mean_interval, percentiles
from core.fairness.metrics.registry import SCORE_METRICS
from core.fairness.metrics.sorted_scores import SortedScores

__all__ = ["ScoreValues", "auc_with_variance", "calibration_bins", "heterogeneity"]

_BINS = 10


def auc_with_variance(table: SortedScores) -> tuple[FloatArray, FloatArray]:
    """Return each group's area under the ROC curve and its variance (DeLong, DeLong, Clarke-Pearson 1988).

    They come from distinct scores in one pass, as Sun and Xu (2014) compute them from ranks; NaN where a group has one
    class only.
    """
    areas, variances = np.full(table.groups, np.nan), np.full(table.groups, np.nan)
    for group in range(table.groups):
        _, selected, hits = table.of(group)
        positives, negatives = hits[-1], selected[-1] - hits[-1]
        if positives <= 0 or negatives <= 0:
            continue
        true, false = np.diff(hits), np.diff(selected - hits)
        # A positive beats the negatives below it, and half of those with the same score.
        beaten = (negatives - (selected - hits)[1:] + false / 2) / negatives
        beaten_by = (hits[:-1] + true / 2) / positives
        area = true @ beaten / positives
        areas[group] = area
        variances[group] = sum(
            counts @ (values - area) ** 2 / (total - 1) / total if total > 1 else np.nan
            for counts, values, total in ((true, beaten, positives), (false, beaten_by, negatives))
        )
    return areas, variances


def calibration_bins(
    scores: FloatArray,
    positive: BoolArray,
    codes: IndexArray,
    groups: int,
    *,
    bins: int = _BINS,
    weights: FloatArray | None = None,
) -> FloatArray:
    """Return rows, sum of scores and positives of each group and bin of equal width, (groups, bins, 3)."""
    cell = codes * bins + np.clip((scores * bins).astype(np.intp), 0, bins - 1)
    ones = np.ones(len(scores)) if weights is None else weights
    sums = [
        np.bincount(cell, weights=values, minlength=groups * bins) for values in (ones, ones * scores, ones * positive)
    ]
    return np.stack(sums, axis=-1).reshape(groups, bins, 3).astype(np.float64)


def _calibration_error(table: FloatArray) -> FloatArray:
    """Return the mean distance of predicted and observed shares over bins, weighted by their rows."""
    with np.errstate(invalid="ignore", divide="ignore"):
        distance: FloatArray = np.abs(table[..., 1] - table[..., 2]).sum(axis=-1) / table[..., 0].sum(axis=-1)
    return distance


def heterogeneity(values: FloatArray, variances: FloatArray, usable: BoolArray) -> float:
    """Return the p-value that all groups have the same value (Cochran's Q, chi-squared); NaN with fewer than two."""
    from scipy.special import chdtrc

    chosen = usable & np.isfinite(values) & (variances > 0)
    if chosen.sum() < 2:
        return float("nan")
    weight = 1 / variances[chosen]
    center = weight @ values[chosen] / weight.sum()
    return float(chdtrc(chosen.sum() - 1, weight @ (values[chosen] - center) ** 2))


class ScoreValues:
    """The metrics of scores of each group.

    Parameters
    ----------
    scores, positive, codes, groups, weights
        Rows, see `SortedScores.build`. Log loss, Brier score and calibration error need scores between 0 and 1.
    """

    def __init__(
        self,
        scores: FloatArray,
        positive: BoolArray,
        codes: IndexArray,
        groups: int,
        weights: FloatArray | None,
    ) -> None:
        self.has_probabilities = bool(scores.min() >= 0 and scores.max() <= 1)
        names = tuple(SCORE_METRICS)
        self.names = names if self.has_probabilities else names[:1]
        self._count = np.bincount(codes, minlength=groups).astype(float)
        self.positives = np.bincount(codes[positive], minlength=groups).astype(float)
        by_label = weights
        if weights is not None:
            # The area compares the labels, so each has its own effective rows.
            by_label = effective_weights(weights, codes * 2 + positive, groups * 2)
            weights = effective_weights(weights, codes, groups)
        self.rows = np.bincount(codes, weights=weights, minlength=groups).astype(float)
        auc, variance = auc_with_variance(SortedScores.build(scores, positive, codes, groups, by_label))
        values, variances = [auc], [variance]
        self.bins = np.zeros((groups, _BINS, 3))
        if self.has_probabilities:
            clipped = np.clip(scores, np.finfo(float).eps, 1 - np.finfo(float).eps)
            log_losses = -np.log(np.where(positive, clipped, 1 - clipped))
            squares = (positive - scores) ** 2
            for losses in (log_losses, squares):
                mean, square = (self._mean(losses**power, codes, groups, weights) for power in (1, 2))
                values.append(mean)
                variances.append(np.maximum(square - mean**2, 0))
            self.bins = calibration_bins(scores, positive, codes, groups, weights=weights)
            values.append(_calibration_error(self.bins))
            variances.append(np.full(groups, np.nan))
        self.values = np.stack(values, axis=-1)
        self.variances = np.stack(variances, axis=-1)

    def _mean(self, values: FloatArray, codes: IndexArray, groups: int, weights: FloatArray | None) -> FloatArray:
        total = np.bincount(codes, weights=values if weights is None else values * weights, minlength=groups)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean: FloatArray = total / self.rows
        return mean

    @property
    def denominators(self) -> FloatArray:
        """Number of rows behind each metric; for the area that of the rarer class."""
        rarer = np.minimum(self.positives, self._count - self.positives)
        return np.stack([rarer, *[self._count] * (len(self.names) - 1)], axis=-1)

    def intervals(
        self, confidence: float, draws: int, random: np.random.Generator
    ) -> tuple[FloatArray, FloatArray, list[str]]:
        """Return lower bounds, upper bounds, and the method of each metric."""
        area, variance = self.values[:, 0], self.variances[:, 0]
        z = normal_quantile(confidence)
        with np.errstate(invalid="ignore", divide="ignore"):
            center, half = np.log(area / (1 - area)), z * np.sqrt(variance) / (area * (1 - area))
            low, high = 1 / (1 + np.exp(half - center)), 1 / (1 + np.exp(-half - center))
        # An area of 0 or 1 has no variance: Wilson's interval for as many rows as the rarer class has.
        edge = (area <= 0) | (area >= 1)
        rarer = self.denominators[:, 0]
        edge_low, edge_high = wilson(area * rarer, rarer, confidence)
        bounds: list[Interval] = [(np.where(edge, edge_low, low), np.where(edge, edge_high, high))]
        methods = ["DeLong, logit"]
        if self.has_probabilities:
            for index in (1, 2):
                down, up = mean_interval(self.values[:, index], self.variances[:, index], self.rows, confidence)
                bounds.append((np.maximum(down, 0), up))
            down, up, _ = percentiles(self._draw_calibration_errors(draws, random), confidence)
            bounds.append((down, up))
            methods += ["Student", "Student", "multinomial bootstrap of bins"]
        return np.stack([pair[0] for pair in bounds], -1), np.stack([pair[1] for pair in bounds], -1), methods

    def _draw_calibration_errors(self, draws: int, random: np.random.Generator) -> FloatArray:
        """Resample the rows of each bin and label, at the mean score of the bin."""
        rows, sums, hits = (self.bins[..., part] for part in range(3))
        cells = np.concatenate([rows - hits, hits], axis=-1)
        totals = np.rint(rows.sum(axis=-1)).astype(np.int64)
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = np.where(totals[:, None] > 0, cells / cells.sum(axis=-1, keepdims=True), 1 / cells.shape[-1])
            mean = np.where(rows > 0, sums / rows, 0.0)
        drawn = random.multinomial(totals, shares, size=(draws, len(cells))).astype(float)
        missed, hit = np.split(drawn, 2, axis=-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            errors: FloatArray = np.abs((missed + hit) * mean - hit).sum(axis=-1) / totals
        return errors

    def test(self, chosen: BoolArray, usable: BoolArray, draws: int, random: np.random.Generator) -> FloatArray:
        """Test among the chosen groups that they do not differ; NaN for the calibration error."""
        usable = usable & chosen[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            scale = np.stack([np.ones(len(self.rows)), *[self.rows - 1] * (len(self.names) - 1)], axis=-1)
            variances = self.variances / scale
        return np.array(
            [heterogeneity(self.values[:, i], variances[:, i], usable[:, i]) for i in range(len(self.names))]
        )
