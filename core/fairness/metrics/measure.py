"""`group_metrics`: from rows to counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import InputError
from core.fairness.metrics.counts import count_cells
from core.fairness.metrics.group_metrics import GroupMetrics
from core.fairness.metrics.groups import group_rows
from core.fairness.metrics.labels import as_array, as_positive, refuse_other_labels, resolve_positive
from core.fairness.metrics.options import Options
from core.fairness.metrics.rates import CellFigures, Figures, WeightedCells
from core.fairness.metrics.regression import NumberFigures
from core.fairness.metrics.scores import ScoreFigures
from core.fairness.metrics.sorted_scores import as_scores

__all__ = ["as_weights", "group_metrics"]

_FEW_VALUES = 20


def as_weights(weights: Any, rows: int) -> NDArray[np.float64] | None:
    """Return row weights, or None.

    Raises
    ------
    InputError
        When they are no finite numbers of at least 0.
    """
    if weights is None:
        return None
    found = as_scores(as_array(weights, "sample_weight", rows))
    if (found < 0).any() or not found.sum() > 0:
        raise InputError("The weights are negative, or all 0.", "Give weights of at least 0.")
    return found


def _is_numbers(y_true: NDArray[Any], y_pred: NDArray[Any]) -> bool:
    """Tell predicted numbers from predicted classes: fractions, or more values than a label has."""
    if y_true.dtype.kind not in "iuf" or y_pred.dtype.kind not in "iuf":
        return False
    if any(array.dtype.kind == "f" and (array != np.floor(array)).any() for array in (y_true, y_pred)):
        return True
    return len(pd.unique(y_true)) > _FEW_VALUES


def group_metrics(
    y_true: Any,
    y_pred: Any,
    sensitive_features: Any,
    *,
    control_features: Any = None,
    y_score: Any = None,
    metrics: Sequence[str] | None = None,
    confidence: float = 0.95,
    n_boot: int = 2000,
    min_group_size: int = 30,
    random_state: int = 0,
    pos_label: Any = None,
    sample_weight: Any = None,
    reference_group: Any = None,
    task: Literal["auto", "classification", "regression"] = "auto",
) -> GroupMetrics:
    """Compute metrics by group, the disparities between groups, and how sure each is.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
        Labels and predicted labels, or numbers. With more than two labels, one against the rest: `pos_label`.
    sensitive_features : array-like, Series, DataFrame or mapping of shape (n,) or (n, columns)
        Who is in which group; several columns are intersected, missing is a group of its own.
    control_features : the same, optional
        Groups are compared within each level of these.
    y_score : array-like of shape (n,), optional
        Scores of the positive label: adds roc_auc, and for probabilities log_loss, brier_score, calibration_error.
    metrics : sequence of str, optional
        The figures to keep; all by default.
    confidence : float
        Of the intervals.
    n_boot : int
        Resamples, and permutations of the tests.
    min_group_size : int
        Groups with fewer rows, and rates with fewer rows behind them, are kept in the tables, listed in `small_groups`,
        and left out of differences and ratios.
    random_state : int
        Of resamples and permutations.
    pos_label : label, optional
        The outcome that the rates are about; needed unless labels are 0 and 1.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows.
    reference_group : label, optional
        The group that signed gaps are taken to; the largest by default.
    task : str
        classification or regression; auto tells by the values.

    Returns
    -------
    GroupMetrics

    Raises
    ------
    InputError
        When lengths differ, labels are missing, or there are too many groups.
    SettingsError
        When the positive label cannot be told, or a setting is invalid.

    Examples
    --------
    >>> found = group_metrics(["hired", "no"] * 2, ["hired", "no", "no", "no"], ["a", "a", "b", "b"],
    ...                       pos_label="hired", min_group_size=0)
    >>> found.summary.loc["demographic_parity", "difference"].item()
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
    each = ((grouping.codes, len(grouping)), (level_codes, levels))
    rows = [np.bincount(codes, minlength=count).astype(float) for codes, count in each]
    by_group: list[Figures] = []
    by_level: list[Figures] = []
    numbers = _is_numbers(truth, predicted) if task == "auto" and pos_label is None else task == "regression"
    if numbers:
        kinds = [NumberFigures(as_scores(truth), as_scores(predicted), codes, count, weights) for codes, count in each]
        return GroupMetrics(
            grouping.labels, rows[0], [kinds[0]], [kinds[1]], level_of_group, level_labels, options, None, rows[1]
        )
    refuse_other_labels(truth, predicted)
    positive_label = resolve_positive(truth, predicted, pos_label)
    positive, selected = as_positive(truth, positive_label), as_positive(predicted, positive_label)
    cells = count_cells(grouping.codes, len(grouping), positive, selected, weights)
    level_cells = np.zeros((levels, 4))
    np.add.at(level_cells, level_of_group, cells)
    for figures, counts, codes in ((by_group, cells, grouping.codes), (by_level, level_cells, level_codes)):
        if weights is None:
            figures.append(CellFigures(counts))
        else:
            figures.append(WeightedCells(counts, codes * 4 + positive * 2 + selected, weights))
    if y_score is not None:
        scores = as_scores(as_array(y_score, "y_score", len(truth)))
        for figures, (codes, count) in zip((by_group, by_level), each, strict=True):
            figures.append(ScoreFigures(scores, positive, codes, count, weights))
    positives = np.bincount(grouping.codes[positive], minlength=len(grouping)).astype(float)
    return GroupMetrics(
        grouping.labels, rows[0], by_group, by_level, level_of_group, level_labels, options, positives, rows[1]
    )
