"""Scores by group, sorted once: metrics at any thresholds, curves, and the best thresholds, without the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import InputError
from core.fairness.metrics.counts import share
from core.fairness.metrics.group_metrics import GroupMetrics
from core.fairness.metrics.groups import Grouping, group_rows, label_text
from core.fairness.metrics.intervals import effective_weights, wilson
from core.fairness.metrics.labels import as_array, as_positive, resolve_positive
from core.fairness.metrics.measure import as_weights
from core.fairness.metrics.options import Options
from core.fairness.metrics.rates import CellFigures, WeightedCells
from core.fairness.metrics.scores import auc_with_variance
from core.fairness.metrics.sorted_scores import SortedScores, as_scores

if TYPE_CHECKING:
    from core.fairness.postprocessing.policy import ThresholdPolicy

__all__ = ["ScoreTable", "score_table"]

Array = NDArray[np.float64]
_POINTS = 300


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
        What it was made from.
    options : Options
        Of the metrics that `at` returns.
    """

    grouping: Grouping
    sorted: SortedScores
    scores: Array
    positive: NDArray[np.bool_]
    weights: Array | None = None
    options: Options = Options()  # noqa: RUF009  (frozen)

    @property
    def labels(self) -> list[Any]:
        """The groups."""
        return list(self.grouping.labels)

    @property
    def texts(self) -> list[str]:
        """The groups as text, by which thresholds and rules are kept.

        Raises
        ------
        InputError
            When several groups read the same.
        """
        texts = [label_text(label) for label in self.labels]
        twice = sorted({text for text in texts if texts.count(text) > 1})
        if twice:
            raise InputError(f"Several groups read '{twice[0]}'.", "Rename values so that they can be told apart.")
        return texts

    def thresholds(self, given: float | Mapping[Any, float]) -> Array:
        """Return a threshold a group from one for all, or one for each.

        Raises
        ------
        InputError
            When a group has none, or a threshold belongs to no group.
        """
        if not isinstance(given, Mapping):
            return self._known(np.full(len(self.grouping), float(given)))
        texts = self.texts
        by_text = {label_text(label): float(threshold) for label, threshold in given.items()}
        missing = [text for text in texts if text not in by_text]
        unknown = [text for text in by_text if text not in texts]
        if missing or unknown:
            wrong = f"no threshold for {', '.join(missing)}" if missing else f"no group {', '.join(unknown)}"
            raise InputError(f"There is {wrong}.", f"Give one for each of {', '.join(texts[:10])}.")
        return self._known(np.array([by_text[text] for text in texts]))

    @staticmethod
    def _known(thresholds: Array) -> Array:
        if np.isnan(thresholds).any():
            raise InputError("A threshold is NaN.", "Give a number, or infinity to select nobody.")
        return thresholds

    def at(self, thresholds: float | Mapping[Any, float]) -> GroupMetrics:
        """Return the metrics when a row is selected whose score is at least its group's threshold."""
        chosen = self.thresholds(thresholds)
        cells = self.sorted.cells(chosen)
        if self.weights is None:
            return GroupMetrics.from_cells(self.grouping, cells, self.options)
        codes = self.grouping.codes
        cell = self.positive * 2 + (self.scores >= chosen[codes])
        return self._weighted(
            WeightedCells(cells, codes * 4 + cell, self.weights),
            WeightedCells(cells.sum(axis=0, keepdims=True), cell, self.weights),
        )

    def _weighted(self, by_group: CellFigures, overall: CellFigures) -> GroupMetrics:
        """Return metrics of weighted rows: the weights make the rates, the rows how sure these are."""
        codes, groups = self.grouping.codes, len(self.grouping)
        rows, positives = (
            np.bincount(codes, weights=each, minlength=groups).astype(float) for each in (None, self.positive)
        )
        return GroupMetrics(
            self.grouping.labels,
            rows,
            [by_group],
            [overall],
            np.zeros(groups, dtype=np.intp),
            None,
            self.options,
            positives,
            np.array([float(len(codes))]),
        )

    def under(self, policy: ThresholdPolicy) -> GroupMetrics:
        """Return the expected metrics when a policy decides."""
        cells = np.zeros((len(self.grouping), 4))
        parts: dict[int, list[tuple[float, Array]]] = {}
        for place, label in enumerate(self.labels):
            for rank, (threshold, probability) in enumerate(policy.rule_of(label)):
                parts.setdefault(rank, []).append((probability, np.array([place, threshold])))
        for drawn in parts.values():
            thresholds, shares = np.full(len(self.grouping), np.inf), np.zeros(len(self.grouping))
            for probability, (place, threshold) in drawn:
                thresholds[int(place)], shares[int(place)] = threshold, probability
            cells += self.sorted.cells(thresholds) * shares[:, None]
        if self.weights is None:
            return GroupMetrics.from_cells(self.grouping, cells, self.options)
        # In effective rows, each group by itself and all together.
        codes, everyone = self.grouping.codes, np.zeros(len(self.scores), dtype=np.intp)
        total = cells.sum(axis=0, keepdims=True)
        for counts, of in ((cells, codes), (total, everyone)):
            effective = np.bincount(of, weights=effective_weights(self.weights, of, len(counts)), minlength=len(counts))
            counts *= share(effective, counts.sum(axis=1))[:, None]
        return self._weighted(CellFigures(cells), CellFigures(total))

    @cached_property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest score."""
        return float(self.scores.min()), float(self.scores.max())

    def quantiles(self, shares: Array) -> Array:
        """Return quantiles of all scores."""
        return np.quantile(self.scores, shares)

    def roc(self, points: int = _POINTS) -> pd.DataFrame:
        """Return the ROC curve of each group, thinned: group, threshold, false_positive_rate, true_positive_rate.

        A group of one class has none.
        """
        return self._curves("roc", points)

    def precision_recall(self, points: int = _POINTS) -> pd.DataFrame:
        """Return precision and recall of each group, thinned: group, threshold, recall, precision."""
        return self._curves("pr", points)

    def _curves(self, kind: str, points: int) -> pd.DataFrame:
        tables = []
        for place, label in enumerate(self.labels):
            threshold, selected, hits = self.sorted.of(place)
            positives, negatives = hits[-1], selected[-1] - hits[-1]
            if positives <= 0 or negatives <= 0:
                continue
            if kind == "roc":
                columns = {"false_positive_rate": (selected - hits) / negatives, "true_positive_rate": hits / positives}
                along = np.hypot(*(np.diff(values, prepend=0) for values in columns.values())).cumsum()
            else:
                threshold, selected, hits = threshold[1:], selected[1:], hits[1:]
                columns = {"recall": hits / positives, "precision": hits / selected}
                along = columns["recall"]
            # As many points for every stretch of the curve, not for every row.
            keep = np.unique(np.searchsorted(along, np.linspace(along[0], along[-1], points)).clip(0, len(along) - 1))
            keep = np.unique(np.r_[0, keep, len(along) - 1])
            chosen = {name: values[keep] for name, values in {"threshold": threshold, **columns}.items()}
            tables.append(pd.DataFrame({"group": label_text(label), **chosen}))
        names = ["group", "threshold"] + (
            ["false_positive_rate", "true_positive_rate"] if kind == "roc" else ["recall", "precision"]
        )
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=names)

    def auc(self) -> pd.Series:
        """Return the area under the ROC curve of each group."""
        return pd.Series(auc_with_variance(self.sorted)[0], index=self.grouping.labels, name="roc_auc")

    def calibration(self, bins: int = 10) -> pd.DataFrame:
        """Return predicted and observed shares of each group in bins of about as many rows each.

        Returns
        -------
        DataFrame
            group, bin, predicted, observed, low, high (Wilson), n.
        """
        rows = []
        for group, label in enumerate(self.labels):
            own = self.grouping.codes == group
            weights = np.ones(int(own.sum())) if self.weights is None else self.weights[own]
            # Rows of one score are in one bin, that of their middle, so that the order of rows does not count.
            _, inverse, counts = np.unique(self.scores[own], return_inverse=True, return_counts=True)
            middle = np.cumsum(counts) - counts / 2
            place = (middle * min(bins, len(inverse)) / len(inverse)).astype(np.intp)
            bin_of = np.unique(place, return_inverse=True)[1][inverse]
            n, total, scores, hits = (
                np.bincount(bin_of, weights=each)
                for each in (None, weights, weights * self.scores[own], weights * self.positive[own])
            )
            predicted, observed = share(scores, total), share(hits, total)
            low, high = wilson(observed, n, self.options.confidence)
            columns = (each.tolist() for each in (predicted, observed, low, high, n))
            rows += [(label_text(label), at, *values) for at, values in enumerate(zip(*columns, strict=True))]
        return pd.DataFrame(rows, columns=["group", "bin", "predicted", "observed", "low", "high", "n"])

    def optimize(self, **settings: Any) -> ThresholdPolicy:
        """Find the best thresholds; `optimize_thresholds` has the settings."""
        from core.fairness.postprocessing.optimize import optimize

        return optimize(self, **settings)

    def tradeoff(self, **settings: Any) -> pd.DataFrame:
        """Return what each tolerance costs; `tradeoff_curve` has the settings."""
        from core.fairness.postprocessing.optimize import tradeoff

        return tradeoff(self, **settings)

    def with_options(self, **changed: Any) -> ScoreTable:
        """Return the same table with other options of its metrics."""
        return replace(self, options=replace(self.options, **changed))

    @cached_property
    def hulls(self) -> list[tuple[Array, Array, Array]]:
        """The vertices of each group's ROC convex hull: threshold, false positives, true positives.

        The upper hull of counts over scores is isotonic regression of the labels (Fawcett, Niculescu-Mizil 2007).
        """
        from scipy.optimize import isotonic_regression

        found = []
        for place in range(len(self.grouping)):
            threshold, selected, hits = self.sorted.of(place)
            keep = np.array([0, len(threshold) - 1])
            if len(threshold) > 2:
                rows, positives = np.diff(selected), np.diff(hits)
                some = rows > 0  # rows of no weight move nothing
                places = np.flatnonzero(some) + 1
                fitted = isotonic_regression(positives[some] / rows[some], weights=rows[some], increasing=False)
                keep = np.r_[0, places[fitted.blocks[1:] - 1]]
            found.append((threshold[keep], (selected - hits)[keep], hits[keep]))
        return found


def score_table(
    y_true: Any,
    y_score: Any,
    sensitive_features: Any,
    *,
    pos_label: Any = None,
    sample_weight: Any = None,
    min_group_size: int = 30,
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
        Who is in which group.
    pos_label : label, optional
        The positive label; needed unless labels are 0 and 1.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows.
    min_group_size, confidence
        As in `group_metrics`.

    Returns
    -------
    ScoreTable

    Examples
    --------
    >>> table = score_table([1, 0, 1, 0], [0.9, 0.4, 0.6, 0.7], ["a", "a", "b", "b"])
    >>> table.at({"a": 0.5, "b": 0.65}).by_group["selection_rate"].tolist()
    [0.5, 0.5]
    """
    truth = as_array(y_true, "y_true")
    scores = as_scores(as_array(y_score, "y_score", len(truth)))
    grouping = group_rows(sensitive_features, rows=len(truth))
    positive = as_positive(truth, resolve_positive(truth, None, pos_label))
    weights = as_weights(sample_weight, len(truth))
    return ScoreTable(
        grouping,
        SortedScores.build(scores, positive, grouping.codes, len(grouping), weights),
        scores,
        positive,
        weights,
        Options(confidence=confidence, min_group_size=min_group_size),
    )
