"""Curves of scores by group: ROC, precision over recall, and predicted beside observed shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from core.evaluation import wilson
from core.fairness.metrics.arrays import BoolArray, FloatArray, IndexArray, Label
from core.fairness.metrics.counts import divide
from core.fairness.metrics.groups import Grouping, label_text
from core.fairness.metrics.sorted_scores import SortedScores

__all__ = ["CURVE_POINTS", "calibration_table", "thinned_curves"]

CURVE_POINTS = 300


def thinned_curves(
    scores: SortedScores, labels: Sequence[Label], kind: Literal["roc", "precision_recall"], points: int
) -> pd.DataFrame:
    """Return a curve of each group with both classes: group, threshold and the two rates.

    Parameters
    ----------
    scores : SortedScores
        Counts at each distinct score of each group.
    labels : sequence
        Labels of the groups.
    kind : {"roc", "precision_recall"}
        Curve to draw.
    points : int
        About how many points each curve keeps.
    """
    tables = []
    for group, label in enumerate(labels):
        threshold, selected, hits = scores.of(group)
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
        # Points at even steps along the curve, not along the rows.
        keep = np.unique(np.searchsorted(along, np.linspace(along[0], along[-1], points)).clip(0, len(along) - 1))
        keep = np.unique(np.r_[0, keep, len(along) - 1])
        chosen = {name: values[keep] for name, values in {"threshold": threshold, **columns}.items()}
        tables.append(pd.DataFrame({"group": label_text(label), **chosen}))
    names = ["group", "threshold"] + (
        ["false_positive_rate", "true_positive_rate"] if kind == "roc" else ["recall", "precision"]
    )
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=names)


def calibration_table(
    scores: FloatArray,
    positive: BoolArray,
    weights: FloatArray | None,
    grouping: Grouping,
    *,
    bins: int,
    confidence: float,
) -> pd.DataFrame:
    """Return predicted and observed shares of each group in bins of about as many rows each.

    Parameters
    ----------
    scores, positive : arrays of shape (n,)
        Scores of the rows, and whether each has the positive label.
    weights : array of shape (n,) or None
        Weights of the rows.
    grouping : Grouping
        The groups.
    bins : int
        Number of bins per group.
    confidence : float
        Probability with which an interval holds the true share.
    """
    rows = []
    for group, label in enumerate(grouping.labels):
        own = grouping.codes == group
        own_scores, own_positive = scores[own], positive[own]
        own_weights = np.ones(len(own_scores)) if weights is None else weights[own]
        bin_of = _equal_bins(own_scores, bins)
        n = np.bincount(bin_of)
        total, score_sum, hits = (
            np.bincount(bin_of, weights=values)
            for values in (own_weights, own_weights * own_scores, own_weights * own_positive)
        )
        predicted, observed = divide(score_sum, total), divide(hits, total)
        low, high = wilson(observed * n, n, confidence)
        columns = (values.tolist() for values in (predicted, observed, low, high, n.astype(float)))
        rows += [(label_text(label), i, *values) for i, values in enumerate(zip(*columns, strict=True))]
    return pd.DataFrame(rows, columns=["group", "bin", "predicted", "observed", "low", "high", "n"])


def _equal_bins(scores: FloatArray, bins: int) -> IndexArray:
    """Return the bin of each row; rows of one score share the bin of their middle, whatever their order."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    number = (middle * min(bins, len(inverse)) / len(inverse)).astype(np.intp)
    bin_of: IndexArray = np.unique(number, return_inverse=True)[1][inverse]
    return bin_of
