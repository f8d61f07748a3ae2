"""Metrics of scores by group: area under the ROC curve, log loss, Brier score, calibration error."""

from __future__ import annotations

import numpy as np

from core.evaluation import area_bounds
from core.fairness.metrics.arrays import BoolArray, FloatArray, IndexArray, Interval
from core.fairness.metrics.calibration import CalibrationBins
from core.fairness.metrics.counts import divide
from core.fairness.metrics.intervals import MIN_ROWS, effective_weights, loss_bounds, student
from core.fairness.metrics.registry import SCORE_METRICS
from core.fairness.metrics.row_permutation import RowMeans, comparable_groups, permuted_p_values, rows_among
from core.fairness.metrics.sorted_scores import SortedScores

__all__ = ["ScoreValues", "auc_with_variance"]

_METHODS = ("Newcombe, DeLong", "gamma, Hall", "gamma, Hall", "folded normal")


def _wins(table: SortedScores, group: int) -> tuple[FloatArray, ...]:
    """Return of each distinct score of a group, highest first: its positive and its negative rows, the share of the
    negative rows that a positive one beats there, and of the positive rows that beat a negative one.
    """
    _, selected, hits = table.of(group)
    positives, negatives = hits[-1], selected[-1] - hits[-1]
    true, false = np.diff(hits), np.diff(selected - hits)
    # A positive beats the negatives below it, and half of those with the same score.
    beaten = (negatives - (selected - hits)[1:] + false / 2) / negatives
    beaten_by = (hits[:-1] + true / 2) / positives
    return true, false, beaten, beaten_by


def _auc_with_variances(table: SortedScores) -> tuple[FloatArray, FloatArray]:
    """Return areas, and what the positive and the negative rows add to their variances, (groups, 2)."""
    areas, variances = np.full(table.groups, np.nan), np.full((table.groups, 2), np.nan)
    rows, hits = table.totals
    for group in np.flatnonzero((hits > 0) & (rows - hits > 0)):
        true, false, beaten, beaten_by = _wins(table, int(group))
        positives, negatives = hits[group], rows[group] - hits[group]
        area = true @ beaten / positives
        areas[group] = area
        variances[group] = [
            counts @ (values - area) ** 2 / (total - 1) / total if total > 1 else np.nan
            for counts, values, total in ((true, beaten, positives), (false, beaten_by, negatives))
        ]
    return areas, variances


def auc_with_variance(table: SortedScores) -> tuple[FloatArray, FloatArray]:
    """Return each group's area under the ROC curve and its variance (DeLong, DeLong, Clarke-Pearson 1988).

    They come from distinct scores in one pass, as Sun and Xu (2014) compute them from ranks; NaN where a group has one
    class only.
    """
    areas, variances = _auc_with_variances(table)
    return areas, variances.sum(axis=1)


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
        self._scores, self._positive, self._codes, self._weights = scores, positive, codes, weights
        by_label = weights
        if weights is not None:
            # The area compares the labels, so each has its own effective rows.
            by_label = effective_weights(weights, codes * 2 + positive, groups * 2)
            weights = effective_weights(weights, codes, groups)
        self.rows = np.bincount(codes, weights=weights, minlength=groups).astype(float)
        self._table = SortedScores.build(scores, positive, codes, groups, by_label)
        auc, self._auc_variances = _auc_with_variances(self._table)
        rows, hits = self._table.totals
        self._labels = np.stack([hits, rows - hits], axis=-1)  # effective rows of each label
        values, variances, skewness = [auc], [self._auc_variances.sum(axis=1)], [np.full(groups, np.nan)]
        if self.has_probabilities:
            clipped = np.clip(scores, np.finfo(float).eps, 1 - np.finfo(float).eps)
            log_losses = -np.log(np.where(positive, clipped, 1 - clipped))
            squares = (positive - scores) ** 2
            self._losses = log_losses, squares
            for losses in self._losses:
                mean = self._mean(losses, codes, groups, weights)
                centered = losses - mean[codes]
                variance = self._mean(centered**2, codes, groups, weights)
                values.append(mean)
                variances.append(variance)
                skewness.append(divide(self._mean(centered**3, codes, groups, weights), variance**1.5))
            self.calibration = CalibrationBins(scores, positive, codes, groups, weights)
            values.append(self.calibration.errors)
        self.values = np.stack(values, axis=-1)
        self._variances, self._skewness = np.stack(variances, axis=-1), np.stack(skewness, axis=-1)

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

    @property
    def methods(self) -> tuple[str, ...]:
        """Name of the interval of each metric."""
        return _METHODS[: len(self.names)]

    def bounds(self, metric: int, groups: IndexArray, z: FloatArray) -> Interval:
        """Return the bounds of a metric of some groups, each at its own normal quantile."""
        values, rows = self.values[groups, metric], self.rows[groups]
        name = self.names[metric]
        if name == "roc_auc":
            labels, variances = self._labels[groups], self._auc_variances[groups]
            with np.errstate(invalid="ignore", divide="ignore"):  # degrees of freedom: Satterthwaite (1946)
                total = variances.sum(axis=1)
                freedom = total**2 / (variances**2 / (labels - 1)).sum(axis=1)
            freedom = np.where(total > 0, freedom, labels.min(axis=1) - 1)
            low, high = area_bounds(values, total, student(freedom, z), labels[:, 0], labels[:, 1])
        elif name == "calibration_error":
            low, high = self.calibration.bounds(groups, z)
        else:
            wide = 1.0 if name == "brier_score" else np.log(2)
            moments = values, self._variances[groups, metric], self._skewness[groups, metric]
            low, high = loss_bounds(*moments, rows, z, np.full(len(groups), wide))
        few = self.denominators[groups, metric] < MIN_ROWS
        return np.where(few, np.nan, np.minimum(low, values)), np.where(few, np.nan, np.maximum(high, values))

    def obstacle(self, metric: int, group: int) -> str:
        """Return why a metric of a group has no interval; empty where it has one."""
        count, positives = self._count[group], self.positives[group]
        if metric > 0:
            return f"no interval: only {count:,.0f} {_rows(count)}" if count < MIN_ROWS else ""
        rarer = min(positives, count - positives)
        label = "with" if positives <= count - positives else "without"
        return f"no interval: only {rarer:,.0f} {_rows(rarer)} {label} the positive label" if rarer < MIN_ROWS else ""

    def test(self, chosen: BoolArray, usable: BoolArray, draws: int, random: np.random.Generator) -> FloatArray:
        """Test among the chosen groups that they do not differ; NaN for the calibration error."""
        p = np.full(len(self.names), np.nan)
        usable = usable & chosen[:, None]
        for shared in ([0], [1, 2]) if self.has_probabilities else ([0],):
            for metrics, groups in comparable_groups(usable, shared):
                strata = self._areas_of_rows(groups) if shared == [0] else [self._losses_of_rows(metrics, groups)]
                p[metrics] = permuted_p_values(self.values[groups][:, metrics], strata, draws, random)
        return p

    def _losses_of_rows(self, metrics: list[int], groups: IndexArray) -> RowMeans:
        codes, own = rows_among(self._codes, groups)
        losses = np.stack([self._losses[metric - 1][own] for metric in metrics], axis=-1)
        return RowMeans(losses, codes, None if self._weights is None else self._weights[own])

    def _areas_of_rows(self, groups: IndexArray) -> list[RowMeans]:
        """Return the rows of each label with what they add to the area of their group (DeLong's components)."""
        parts = np.zeros(len(self._scores))
        for group in groups:
            rows = np.flatnonzero(self._codes == group)
            _, _, beaten, beaten_by = _wins(self._table, int(group))
            score = self._table.of(int(group))[0][1:]
            position = np.searchsorted(-score, -self._scores[rows])
            parts[rows] = np.where(self._positive[rows], beaten[position], beaten_by[position]) - self.values[group, 0]
        codes, own = rows_among(self._codes, groups)
        strata = []
        for label in (True, False):
            chosen = self._positive[own] == label
            weights = None if self._weights is None else self._weights[own][chosen]
            strata.append(RowMeans(parts[own][chosen][:, None], codes[chosen], weights))
        return strata


def _rows(count: float) -> str:
    return "row" if count == 1 else "rows"
