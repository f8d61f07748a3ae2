"""`group_metrics`: from rows to counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.errors import InputError
from core.fairness.metrics.arrays import Columns, FloatArray, Label, LabelArray
from core.fairness.metrics.counts import count_cells
from core.fairness.metrics.group_metrics import GroupMetrics
from core.fairness.metrics.groups import group_rows
from core.fairness.metrics.labels import as_array, as_positive, refuse_other_labels, resolve_outcome
from core.fairness.metrics.options import MIN_GROUP_SIZE, Options
from core.fairness.metrics.rates import MetricValues, RateValues, WeightedRateValues
from core.fairness.metrics.regression import NumberValues
from core.fairness.metrics.scores import ScoreValues
from core.fairness.metrics.sorted_scores import as_scores

__all__ = ["as_weights", "group_metrics"]

_MAX_LABELS = 20  # whole numbers of more different values are predicted numbers, not labels


def as_weights(weights: ArrayLike | None, rows: int) -> FloatArray | None:
    """Return row weights, or None.

    Raises
    ------
    InputError
        When they are not finite numbers of at least 0.
    """
    if weights is None:
        return None
    values = as_scores(as_array(weights, "sample_weight", rows))
    if (values < 0).any() or not values.sum() > 0:
        raise InputError("The weights are negative, or all 0.", "Give weights of at least 0.")
    return values


def _are_numbers(y_true: LabelArray, y_pred: LabelArray) -> bool:
    """Return whether these are predicted numbers, not classes: fractions, or more values than labels have."""
    if y_true.dtype.kind not in "iuf" or y_pred.dtype.kind not in "iuf":
        return False
    if any(array.dtype.kind == "f" and (array != np.floor(array)).any() for array in (y_true, y_pred)):
        return True
    return len(pd.unique(y_true)) > _MAX_LABELS


def group_metrics(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    sensitive_features: Columns,
    *,
    control_features: Columns | None = None,
    y_score: ArrayLike | None = None,
    metrics: Sequence[str] | None = None,
    confidence: float = 0.95,
    n_boot: int = 2000,
    min_group_size: int = MIN_GROUP_SIZE,
    random_state: int = 0,
    pos_label: Label | None = None,
    sample_weight: ArrayLike | None = None,
    reference_group: Label | None = None,
    task: Literal["auto", "classification", "regression"] = "auto",
    outcome: str | None = None,
) -> GroupMetrics:
    """Compute metrics by group, the disparities between groups, and an interval of each.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
        Labels and predicted labels, or numbers. With more than two labels, `pos_label` is compared with the rest.
    sensitive_features : array-like, Series, DataFrame or mapping of shape (n,) or (n, columns)
        Columns that define the groups. Several columns are intersected; missing is a group of its own.
    control_features : array-like, Series, DataFrame or mapping, optional
        Columns within whose levels the groups are compared.
    y_score : array-like of shape (n,), optional
        Scores of the positive label. They add roc_auc, and for probabilities log_loss, brier_score and
        calibration_error.
    metrics : sequence of str, optional
        Metrics to keep; all by default.
    confidence : float, default=0.95
        Probability with which an interval holds the true value.
    n_boot : int, default=2000
        Number of permutations of the tests.
    min_group_size : int, default=30
        Groups with fewer rows, and rates with fewer rows behind them, stay in the tables, are listed in `small_groups`,
        and are left out of differences and ratios.
    random_state : int, default=0
        Seed of the random number generator that draws permutations.
    pos_label : label, optional
        The outcome that the rates are about. By default it is 1 among 0 and 1, then the label that a known word says is
        good for the person, then the last in sorted order; ``options.positive`` says which one and why.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows.
    reference_group : label, optional
        The group that signed gaps refer to; the largest by default.
    task : {"auto", "classification", "regression"}, default="auto"
        Whether the values are labels or numbers; "auto" decides by the values.
    outcome : str, optional
        Name of the positive label in sentences, where the values are 0 and 1 (or False and True).

    Returns
    -------
    GroupMetrics

    Raises
    ------
    InputError
        When lengths differ, labels are missing or coded in another way than the predictions, or there are too many
        groups.
    SettingsError
        When the positive label is unknown, or a setting is invalid.

    See Also
    --------
    score_table : Metrics at any threshold of a score.
    verdict : The result in one sentence.

    Examples
    --------
    >>> metrics = group_metrics(["hired", "no"] * 2, ["hired", "no", "no", "no"], ["a", "a", "b", "b"],
    ...                         pos_label="hired", min_group_size=0)
    >>> metrics.summary.loc["demographic_parity", "difference"].item()
    0.5
    """
    options = Options(
        None if metrics is None else tuple(metrics), confidence, n_boot, min_group_size, random_state, reference_group
    )
    truth = as_array(y_true, "y_true")
    predicted = as_array(y_pred, "y_pred", len(truth))
    grouping = group_rows(sensitive_features, control_features, rows=len(truth))
    weights = as_weights(sample_weight, len(truth))
    level_of_group, level_labels = grouping.levels
    levels = 1 if level_labels is None else len(level_labels)
    level_codes = level_of_group[grouping.codes] if levels > 1 else np.zeros(len(truth), dtype=np.intp)
    partitions = ((grouping.codes, len(grouping)), (level_codes, levels))
    rows, level_rows = (np.bincount(codes, minlength=count).astype(float) for codes, count in partitions)
    by_group: list[MetricValues] = []
    by_level: list[MetricValues] = []
    positives, notices = None, tuple[str, ...]()
    if _are_numbers(truth, predicted) if task == "auto" and pos_label is None else task == "regression":
        for values, (codes, count) in zip((by_group, by_level), partitions, strict=True):
            values.append(NumberValues(as_scores(truth), as_scores(predicted), codes, count, weights))
    else:
        notices = tuple(
            f"The predicted label '{label}' never occurs among the true labels."
            for label in refuse_other_labels(truth, predicted)
        )
        positive_label = resolve_outcome(truth, predicted, pos_label)
        positive, selected = (as_positive(values, positive_label.label) for values in (truth, predicted))
        options = replace(
            options, positive=positive_label if outcome is None else replace(positive_label, label=outcome)
        )
        cells = count_cells(grouping.codes, len(grouping), positive, selected, weights)
        level_cells = np.zeros((levels, 4))
        np.add.at(level_cells, level_of_group, cells)
        for values, counts, codes in ((by_group, cells, grouping.codes), (by_level, level_cells, level_codes)):
            if weights is None:
                values.append(RateValues(counts))
            else:
                values.append(WeightedRateValues(counts, codes * 4 + positive * 2 + selected, weights))
        if y_score is not None:
            scores = as_scores(as_array(y_score, "y_score", len(truth)))
            for values, (codes, count) in zip((by_group, by_level), partitions, strict=True):
                values.append(ScoreValues(scores, positive, codes, count, weights))
        positives = np.bincount(grouping.codes[positive], minlength=len(grouping)).astype(float)
    return GroupMetrics(
        grouping.labels,
        rows,
        by_group,
        by_level,
        level_of_group,
        level_labels,
        options,
        positives,
        level_rows,
        notices,
    )
