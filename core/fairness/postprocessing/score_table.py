"""Scores by group, sorted once: metrics at any thresholds and curves, without the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.errors import InputError
from core.fairness.metrics.arrays import BoolArray, Columns, FloatArray, Label
from core.fairness.metrics.counts import divide
from core.fairness.metrics.group_metrics import GroupMetrics
from core.fairness.metrics.groups import Grouping, group_rows, label_text
from core.fairness.metrics.intervals import effective_weights
from core.fairness.metrics.labels import as_array, as_positive, resolve_outcome
from core.fairness.metrics.measure import as_weights
from core.fairness.metrics.options import MIN_GROUP_SIZE, Options
from core.fairness.metrics.rates import RateValues, WeightedRateValues
from core.fairness.metrics.scores import auc_with_variance
from core.fairness.metrics.sorted_scores import SortedScores, as_scores
from core.fairness.postprocessing.cuts import cuts_between
from core.fairness.postprocessing.hull import hull_vertices
from core.fairness.postprocessing.policy import ThresholdPolicy
from core.fairness.postprocessing.score_curves import CURVE_POINTS, calibration_table, thinned_curves

__all__ = ["ScoreTable", "score_table"]

Thresholds: TypeAlias = float | Mapping[str, float] | Mapping[Label, float]
"""One threshold for all groups, or one by group."""


@dataclass(frozen=True)
class ScoreTable:
    """Sorted scores of each group.

    Parameters
    ----------
    grouping : Grouping
        The groups.
    sorted : SortedScores
        Counts at each distinct score of each group.
    scores, positive : arrays of shape (n,)
        Scores of the rows, and whether each has the positive label.
    weights : array of shape (n,), optional
        Weights of the rows.
    options : Options
        Options of the metrics that `at` returns.

    See Also
    --------
    score_table : Makes one from rows.
    optimize_thresholds : Finds the best thresholds of one.
    """

    grouping: Grouping
    sorted: SortedScores
    scores: FloatArray
    positive: BoolArray
    weights: FloatArray | None = None
    options: Options = Options()  # noqa: RUF009  (frozen)

    @property
    def labels(self) -> list[Label]:
        """Labels of the groups."""
        return list(self.grouping.labels)

    @property
    def texts(self) -> list[str]:
        """Labels of the groups as text, by which thresholds and rules are kept.

        Raises
        ------
        InputError
            When several groups read the same.
        """
        texts = [label_text(label) for label in self.labels]
        duplicates = sorted({text for text in texts if texts.count(text) > 1})
        if duplicates:
            raise InputError(f"Several groups read '{duplicates[0]}'.", "Rename values so that each is unique.")
        return texts

    def thresholds(self, thresholds: Thresholds) -> FloatArray:
        """Return one threshold per group, from one for all or one for each.

        Raises
        ------
        InputError
            When a group has no threshold, or a threshold belongs to no group.
        """
        if not isinstance(thresholds, Mapping):
            return _refuse_nan(np.full(len(self.grouping), float(thresholds)))
        texts = self.texts
        by_text = {label_text(label): float(threshold) for label, threshold in thresholds.items()}
        missing = [text for text in texts if text not in by_text]
        unknown = [text for text in by_text if text not in texts]
        if missing or unknown:
            wrong = f"no threshold for {', '.join(missing)}" if missing else f"no group {', '.join(unknown)}"
            raise InputError(f"There is {wrong}.", f"Give one for each of {', '.join(texts[:10])}.")
        return _refuse_nan(np.array([by_text[text] for text in texts]))

    def at(self, thresholds: Thresholds) -> GroupMetrics:
        """Return the metrics when a row is selected whose score is at least its group's threshold."""
        chosen = self.thresholds(thresholds)
        cells = self.sorted.cells(chosen)
        if self.weights is None:
            return GroupMetrics.from_cells(self.grouping, cells, self.options)
        codes = self.grouping.codes
        cell = self.positive * 2 + (self.scores >= chosen[codes])
        return self._weighted(
            WeightedRateValues(cells, codes * 4 + cell, self.weights),
            WeightedRateValues(cells.sum(axis=0, keepdims=True), cell, self.weights),
        )

    def _weighted(self, by_group: RateValues, overall: RateValues) -> GroupMetrics:
        return GroupMetrics.from_weighted(self.grouping, self.positive, by_group, overall, self.options)

    def under(self, policy: ThresholdPolicy) -> GroupMetrics:
        """Return the expected metrics when a policy decides."""
        labels, columns = self.grouping.labels, list(policy.columns)
        if isinstance(labels, pd.MultiIndex) and set(columns) == set(labels.names):
            labels = labels.reorder_levels(columns)
        rules = [policy.rule_of(label) for label in labels]
        cells = np.zeros((len(self.grouping), 4))
        for rank in range(max(len(rule) for rule in rules)):
            thresholds = np.array([rule[rank][0] if rank < len(rule) else np.inf for rule in rules])
            probabilities = np.array([rule[rank][1] if rank < len(rule) else 0.0 for rule in rules])
            cells += self.sorted.cells(thresholds) * probabilities[:, None]
        if self.weights is None:
            return GroupMetrics.from_cells(self.grouping, cells, self.options)
        # In effective rows, each group by itself and all together.
        total = cells.sum(axis=0, keepdims=True)
        for counts, codes in ((cells, self.grouping.codes), (total, np.zeros(len(self.scores), dtype=np.intp))):
            weights = effective_weights(self.weights, codes, len(counts))
            effective = np.bincount(codes, weights=weights, minlength=len(counts))
            counts *= divide(effective, counts.sum(axis=1))[:, None]
        return self._weighted(RateValues(cells), RateValues(total))

    @cached_property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest score."""
        return float(self.scores.min()), float(self.scores.max())

    def quantiles(self, shares: FloatArray) -> FloatArray:
        """Return quantiles of all scores."""
        return np.quantile(self.scores, shares)

    def roc(self, points: int = CURVE_POINTS) -> pd.DataFrame:
        """Return the ROC curve of each group, thinned: group, threshold, false_positive_rate, true_positive_rate.

        A group of one class has no curve.

        Parameters
        ----------
        points : int, default=300
            About how many points each curve keeps.
        """
        return thinned_curves(self.sorted, self.labels, "roc", points)

    def precision_recall(self, points: int = CURVE_POINTS) -> pd.DataFrame:
        """Return precision and recall of each group, thinned: group, threshold, recall, precision.

        Parameters
        ----------
        points : int, default=300
            About how many points each curve keeps.
        """
        return thinned_curves(self.sorted, self.labels, "precision_recall", points)

    def auc(self) -> pd.Series:
        """Return the area under the ROC curve of each group."""
        return pd.Series(auc_with_variance(self.sorted)[0], index=self.grouping.labels, name="roc_auc")

    def calibration(self, bins: int = 10) -> pd.DataFrame:
        """Return predicted and observed shares of each group in bins of about as many rows each.

        Parameters
        ----------
        bins : int, default=10
            Number of bins per group.

        Returns
        -------
        DataFrame
            group, bin, predicted, observed, low, high (Wilson), n.
        """
        return calibration_table(
            self.scores, self.positive, self.weights, self.grouping, bins=bins, confidence=self.options.confidence
        )

    def with_options(self, *, confidence: float | None = None, min_group_size: int | None = None) -> ScoreTable:
        """Return the same table with other options of its metrics.

        Parameters
        ----------
        confidence, min_group_size : number, optional
            Options of `group_metrics`; unchanged by default.
        """
        options = replace(
            self.options,
            confidence=self.options.confidence if confidence is None else confidence,
            min_group_size=self.options.min_group_size if min_group_size is None else min_group_size,
        )
        return replace(self, options=options)

    @cached_property
    def cuts(self) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
        """The thresholds of each group, which lie between its scores, and the rows and positive rows above each."""
        return [cuts_between(*self.sorted.of(group)) for group in range(len(self.grouping))]

    @cached_property
    def pooled_cuts(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The thresholds of all rows together, and the rows and positive rows above each."""
        together = np.zeros(len(self.scores), dtype=np.intp)
        return cuts_between(*SortedScores.build(self.scores, self.positive, together, 1, self.weights).of(0))

    @cached_property
    def hulls(self) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
        """The vertices of each group's ROC convex hull: threshold, false positives, true positives."""
        return [hull_vertices(*cuts) for cuts in self.cuts]


def _refuse_nan(thresholds: FloatArray) -> FloatArray:
    if np.isnan(thresholds).any():
        raise InputError("A threshold is NaN.", "Give a number, or infinity to select no row.")
    return thresholds


def score_table(
    y_true: ArrayLike,
    y_score: ArrayLike,
    sensitive_features: Columns,
    *,
    pos_label: Label | None = None,
    sample_weight: ArrayLike | None = None,
    min_group_size: int = MIN_GROUP_SIZE,
    confidence: float = 0.95,
) -> ScoreTable:
    """Sort scores once, so that metrics at any threshold come without the rows.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Labels.
    y_score : array-like of shape (n,)
        Finite numbers, higher for the positive label.
    sensitive_features : array-like, Series, DataFrame or mapping of shape (n,) or (n, columns)
        Columns that define the groups.
    pos_label : label, optional
        The positive label; `group_metrics` says which one it is by default.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows.
    min_group_size : int, default=30
        Rows that a group needs to be compared, see `group_metrics`.
    confidence : float, default=0.95
        Probability with which an interval holds the true value.

    Returns
    -------
    ScoreTable

    See Also
    --------
    optimize_thresholds : Finds the best thresholds by group.

    Examples
    --------
    >>> table = score_table([1, 0, 1, 0], [0.9, 0.4, 0.6, 0.7], ["a", "a", "b", "b"])
    >>> table.at({"a": 0.5, "b": 0.65}).by_group["selection_rate"].tolist()
    [0.5, 0.5]
    """
    truth = as_array(y_true, "y_true")
    scores = as_scores(as_array(y_score, "y_score", len(truth)))
    grouping = group_rows(sensitive_features, rows=len(truth))
    outcome = resolve_outcome(truth, None, pos_label)
    positive = as_positive(truth, outcome.label)
    weights = as_weights(sample_weight, len(truth))
    return ScoreTable(
        grouping,
        SortedScores.build(scores, positive, grouping.codes, len(grouping), weights),
        scores,
        positive,
        weights,
        Options(confidence=confidence, min_group_size=min_group_size, positive=outcome),
    )
