"""Figures of scores by group: area under the ROC curve, log loss, Brier score, calibration error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.fairness.metrics.intervals import Pair, effective_weights, mean_interval, percentiles, quantile, wilson
from core.fairness.metrics.sorted_scores import SortedScores

__all__ = ["SCORE_METRICS", "ScoreFigures", "auc_with_variance", "calibration_bins", "heterogeneity"]

Array = NDArray[np.float64]

SCORE_METRICS: tuple[str, ...] = ("roc_auc", "log_loss", "brier_score", "calibration_error")
_BINS = 10


def auc_with_variance(table: SortedScores) -> tuple[Array, Array]:
    """Return each group's area under the ROC curve and its variance (DeLong, DeLong, Clarke-Pearson 1988).

    From distinct scores in one pass, as Sun and Xu (2014) do from ranks; NaN where a group has one class only.
    """
    found, variance = np.full(table.groups, np.nan), np.full(table.groups, np.nan)
    for group in range(table.groups):
        _, selected, hits = table.of(group)
        positives, negatives = hits[-1], selected[-1] - hits[-1]
        if positives <= 0 or negatives <= 0:
            continue
        own, false = np.diff(hits), np.diff(selected - hits)
        # A positive beats the negatives below it, and half of those beside it.
        beaten = (negatives - (selected - hits)[1:] + false / 2) / negatives
        beaten_by = (hits[:-1] + own / 2) / positives
        area = own @ beaten / positives
        found[group] = area
        spread = [
            counts @ (values - area) ** 2 / (total - 1) / total if total > 1 else np.nan
            for counts, values, total in ((own, beaten, positives), (false, beaten_by, negatives))
        ]
        variance[group] = sum(spread)
    return found, variance


def calibration_bins(
    scores: Array,
    positive: NDArray[np.bool_],
    codes: NDArray[np.intp],
    groups: int,
    bins: int = _BINS,
    weights: Array | None = None,
) -> Array:
    """Return rows, sum of scores and positives of each group and bin of equal width, (groups, bins, 3)."""
    place = codes * bins + np.clip((scores * bins).astype(np.intp), 0, bins - 1)
    ones = np.ones(len(scores)) if weights is None else weights
    sums = [
        np.bincount(place, weights=values, minlength=groups * bins) for values in (ones, ones * scores, ones * positive)
    ]
    return np.stack(sums, axis=-1).reshape(groups, bins, 3).astype(np.float64)


def _calibration_error(table: Array) -> Array:
    """Return the mean distance of predicted and observed shares over bins, weighted by their rows."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.abs(table[..., 1] - table[..., 2]).sum(axis=-1) / table[..., 0].sum(axis=-1)


def heterogeneity(values: Array, variances: Array, usable: NDArray[np.bool_]) -> float:
    """Return the p-value that the groups' figures are one (Cochran's Q, chi-squared); NaN with fewer than two."""
    from scipy.special import chdtrc

    chosen = usable & np.isfinite(values) & (variances > 0)
    if chosen.sum() < 2:
        return float("nan")
    weight = 1 / variances[chosen]
    centre = weight @ values[chosen] / weight.sum()
    return float(chdtrc(chosen.sum() - 1, weight @ (values[chosen] - centre) ** 2))


class ScoreFigures:
    """The figures of scores of each group.

    Parameters
    ----------
    scores, positive, codes, groups, weights
        As `SortedScores.build` takes them. Log loss, Brier score and calibration error need scores between 0 and 1.
    """

    def __init__(
        self, scores: Array, positive: NDArray[np.bool_], codes: NDArray[np.intp], groups: int, weights: Array | None
    ) -> None:
        self.probabilities = bool(scores.min() >= 0 and scores.max() <= 1)
        self.names = SCORE_METRICS if self.probabilities else SCORE_METRICS[:1]
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
        if self.probabilities:
            clipped = np.clip(scores, np.finfo(float).eps, 1 - np.finfo(float).eps)
            loss = -np.log(np.where(positive, clipped, 1 - clipped))
            square = (positive - scores) ** 2
            for each in (loss, square):
                mean, spread = (self._mean(each**power, codes, groups, weights) for power in (1, 2))
                values.append(mean)
                variances.append(np.maximum(spread - mean**2, 0))
            self.bins = calibration_bins(scores, positive, codes, groups, weights=weights)
            values.append(_calibration_error(self.bins))
            variances.append(np.full(groups, np.nan))
        self.values = np.stack(values, axis=-1)
        self.variances = np.stack(variances, axis=-1)

    def _mean(self, each: Array, codes: NDArray[np.intp], groups: int, weights: Array | None) -> Array:
        total = np.bincount(codes, weights=each if weights is None else each * weights, minlength=groups)
        with np.errstate(invalid="ignore", divide="ignore"):
            return total / self.rows

    @property
    def denominators(self) -> Array:
        """The rows that each figure is about; for the area those of the rarer class."""
        rarer = np.minimum(self.positives, self._count - self.positives)
        return np.stack([rarer, *[self._count] * (len(self.names) - 1)], axis=-1)

    def intervals(self, confidence: float, draws: int, random: np.random.Generator) -> tuple[Array, Array, list[str]]:
        """Return low and high bounds, each (groups, figures), and the method of each figure."""
        area, variance = self.values[:, 0], self.variances[:, 0]
        z = quantile(confidence)
        with np.errstate(invalid="ignore", divide="ignore"):
            centre, half = np.log(area / (1 - area)), z * np.sqrt(variance) / (area * (1 - area))
            low, high = 1 / (1 + np.exp(half - centre)), 1 / (1 + np.exp(-half - centre))
        edge = (area <= 0) | (area >= 1)  # no variance: Wilson's for as many rows as the rarer class has
        edge_low, edge_high = wilson(area, self.denominators[:, 0], confidence)
        bounds: list[Pair] = [(np.where(edge, edge_low, low), np.where(edge, edge_high, high))]
        methods = ["DeLong, logit"]
        if self.probabilities:
            for place in (1, 2):
                down, up = mean_interval(self.values[:, place], self.variances[:, place], self.rows, confidence)
                bounds.append((np.maximum(down, 0), up))
            down, up, _ = percentiles(self._draw_errors(draws, random), confidence)
            bounds.append((down, up))
            methods += ["Student", "Student", "multinomial bootstrap of bins"]
        return np.stack([pair[0] for pair in bounds], -1), np.stack([pair[1] for pair in bounds], -1), methods

    def _draw_errors(self, draws: int, random: np.random.Generator) -> Array:
        """Draw calibration errors: rows of each bin by label anew, at the mean score of the bin."""
        rows, sums, hits = (self.bins[..., part] for part in range(3))
        cells = np.concatenate([rows - hits, hits], axis=-1)
        totals = np.rint(rows.sum(axis=-1)).astype(np.int64)
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = np.where(totals[:, None] > 0, cells / cells.sum(axis=-1, keepdims=True), 1 / cells.shape[-1])
            mean = np.where(rows > 0, sums / rows, 0.0)
        drawn = random.multinomial(totals, shares, size=(draws, len(cells))).astype(float)
        missed, hit = np.split(drawn, 2, axis=-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.abs((missed + hit) * mean - hit).sum(axis=-1) / totals

    def test(
        self, chosen: NDArray[np.bool_], usable: NDArray[np.bool_], draws: int, random: np.random.Generator
    ) -> Array:
        """Test among the chosen groups that they do not differ; NaN for the calibration error."""
        usable = usable & chosen[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            scale = np.stack([np.ones(len(self.rows)), *[self.rows - 1] * (len(self.names) - 1)], axis=-1)
            variances = self.variances / scale
        return np.array(
            [heterogeneity(self.values[:, i], variances[:, i], usable[:, i]) for i in range(len(self.names))]
        )
