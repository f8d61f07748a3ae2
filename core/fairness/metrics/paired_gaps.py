"""`compare_gaps`: the gaps between groups of two models, compared on the rows that both predict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.errors import InputError, SettingsError
from core.fairness.metrics.arrays import Columns, IndexArray, Label, LabelArray
from core.fairness.metrics.counts import RATES
from core.fairness.metrics.gap_comparison import GapComparison
from core.fairness.metrics.gap_differences import pair_table
from core.fairness.metrics.groups import Grouping, group_rows
from core.fairness.metrics.labels import as_array, as_positive
from core.fairness.metrics.measure import as_weights, group_metrics
from core.fairness.metrics.options import MIN_GROUP_SIZE
from core.fairness.metrics.paired_bootstrap import paired_errors, paired_rates

__all__ = ["compare_gaps"]

_MAX_GROUPS = 20
_NUMBER_METRICS = ("mean_error", "mae")


def compare_gaps(
    y_true: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    sensitive_features: Columns,
    *,
    metrics: Sequence[str] = ("selection_rate",),
    pos_label: Label | None = None,
    task: Literal["classification", "regression"] = "classification",
    sample_weight: ArrayLike | None = None,
    units: ArrayLike | None = None,
    min_group_size: int = MIN_GROUP_SIZE,
    confidence: float = 0.95,
    n_boot: int = 2000,
    random_state: int = 0,
) -> GapComparison:
    """Compare how far apart two models leave the groups, with intervals from a paired bootstrap.

    Each resample weighs the rows anew, for both models alike (Bayesian bootstrap), so that what they have in common
    cancels. The intervals of all pairs and metrics hold together.

    Parameters
    ----------
    y_true, first, second : array-like of shape (n,)
        Labels and the predictions of both models on the same rows, or numbers.
    sensitive_features : array-like, Series, DataFrame or mapping of shape (n,) or (n, columns)
        Columns that define the groups.
    metrics : sequence of str, default=("selection_rate",)
        Rates to compare; "mean_error" and "mae" for numbers.
    pos_label : label, optional
        The outcome that the rates are about; 1 by default.
    task : {"classification", "regression"}, default="classification"
        Whether the values are labels or numbers.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows.
    units : array-like of shape (n,), optional
        Unit of each row, such as a person with several rows. Rows of a unit depend on each other and are drawn
        together.
    min_group_size : int, default=30
        Rows that a group, and a rate of it by either model, needs to be compared.
    confidence : float, default=0.95
        Probability with which all intervals hold together.
    n_boot : int, default=2000
        Number of resamples.
    random_state : int, default=0
        Seed of the random number generator that draws the resamples.

    Returns
    -------
    GapComparison

    Raises
    ------
    InputError
        When lengths differ, or values are missing.
    SettingsError
        When a metric cannot be compared.

    See Also
    --------
    group_metrics : All metrics of one model by group.

    Examples
    --------
    >>> group = ["a", "b"] * 200
    >>> fair, unfair = [1, 1, 0, 0] * 100, [1, 0] * 200
    >>> comparison = compare_gaps(fair, unfair, fair, group)
    >>> comparison.conclusive, comparison.pairs.loc[0, "difference"].item()
    (True, -1.0)
    """
    truth = as_array(y_true, "y_true")
    predictions = [as_array(values, name, len(truth)) for values, name in ((first, "first"), (second, "second"))]
    weights = as_weights(sample_weight, len(truth))
    grouping = group_rows(sensitive_features, rows=len(truth))
    known = _NUMBER_METRICS if task == "regression" else tuple(RATES)
    unknown = [name for name in metrics if name not in known]
    if unknown or not metrics:
        wrong = repr(unknown[0]) if unknown else "No metric"
        raise SettingsError(f"{wrong} cannot be compared.", f"Choose among {', '.join(known)}.")
    sides = [
        group_metrics(
            truth,
            predicted,
            sensitive_features,
            metrics=metrics,
            min_group_size=min_group_size,
            pos_label=_positive(truth, pos_label) if task == "classification" else None,
            sample_weight=weights,
            task=task,
        )
        for predicted in predictions
    ]
    codes, kept, left_out = _largest(grouping, min_group_size)
    random = np.random.default_rng(random_state)
    clusters = None if units is None else pd.factorize(as_array(units, "units", len(truth)))[0]
    if task == "regression":
        values = paired_errors(truth, predictions, codes, len(kept), metrics, weights, clusters, n_boot, random)
    else:
        positive = [as_positive(array, _positive(array, pos_label)) for array in (truth, *predictions)]
        values = paired_rates(positive, codes, len(kept), metrics, weights, clusters, min_group_size, n_boot, random)
    pairs = pair_table(values, [grouping.labels[group] for group in kept], metrics, confidence)
    return GapComparison(
        _groups(sides[0].intervals, sides[1].intervals, metrics, grouping.labels),
        pairs,
        len(truth),
        min_group_size,
        left_out,
        confidence,
    )


def _positive(values: LabelArray, pos_label: Label | None) -> Label:
    if pos_label is None and values.dtype.kind not in "biuf":
        raise InputError(
            "The labels are texts, which do not say which one is positive.", "Set pos_label to the outcome."
        )
    return 1 if pos_label is None else pos_label


def _largest(grouping: Grouping, min_group_size: int) -> tuple[IndexArray, list[int], int]:
    """Return each row's position among the compared groups (-1 for others), these groups, and how many are left out."""
    rows = np.bincount(grouping.codes, minlength=len(grouping))
    enough = [group for group in np.argsort(-rows, kind="stable") if rows[group] >= min_group_size]
    kept = sorted(int(group) for group in enough[:_MAX_GROUPS])
    positions = np.full(len(grouping), -1, dtype=np.intp)
    positions[kept] = np.arange(len(kept))
    return positions[grouping.codes], kept, len(enough) - len(kept)


def _groups(first: pd.DataFrame, second: pd.DataFrame, metrics: Sequence[str], labels: pd.Index) -> pd.DataFrame:
    """Return both models' values and intervals by group and metric."""
    parts = []
    for name in metrics:
        own, theirs = (table.xs(name, level="metric").reset_index(drop=True) for table in (first, second))
        parts.append(
            pd.DataFrame(
                {
                    "group": list(labels),
                    "metric": name,
                    "n": np.rint(own["n"]).astype(int),
                    "first": own["value"],
                    "first_low": own["low"],
                    "first_high": own["high"],
                    "second": theirs["value"],
                    "second_low": theirs["low"],
                    "second_high": theirs["high"],
                    "small": own["small"] | theirs["small"],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
