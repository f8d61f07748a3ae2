"""`compare_gaps`: the gaps between groups of two models, compared on the rows that both predict.

The interval of a pair's gaps a (first model) and b (second model) rests on u = b - a and v = b + a, which are smooth
where the sizes of gaps are not: |b| - |a| is u, limited to the range from -|v| to |v|, with the sign of v. Both have
normal intervals with the spread of a paired bootstrap, and the widest values within them bound the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.errors import InputError, SettingsError
from core.fairness.metrics.arrays import Columns, FloatArray, IndexArray, Label, LabelArray
from core.fairness.metrics.counts import RATES, denominator, rate
from core.fairness.metrics.gap_comparison import GapComparison
from core.fairness.metrics.groups import Grouping, group_rows
from core.fairness.metrics.labels import as_array, as_positive
from core.fairness.metrics.measure import as_weights, group_metrics
from core.fairness.metrics.options import MIN_GROUP_SIZE

__all__ = ["compare_gaps"]

_MAX_GROUPS = 20
_CELLS = 8
_PRIOR = 0.25  # of a row in each cell, so that a sample without any difference has an interval
_CHUNK = 20_000_000
_NUMBER_METRICS = ("mean_error", "mae")
_PAIR_COLUMNS = ["metric", "group", "other", "first", "second", "difference", "low", "high"]
# Counts of a model (true negatives, false positives, false negatives, true positives) from the cells of both, whose
# number is 4 * label + 2 * first + second.
_FIRST = np.array([[cell // 4 * 2 + cell // 2 % 2 == count for count in range(4)] for cell in range(_CELLS)], float)
_SECOND = np.array([[cell // 4 * 2 + cell % 2 == count for count in range(4)] for cell in range(_CELLS)], float)


class _Values(NamedTuple):
    """Values of both models by group and metric, of the rows and of each resample, and which rest on enough rows."""

    first: FloatArray
    second: FloatArray
    first_draws: FloatArray
    second_draws: FloatArray
    usable: np.ndarray


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
        values = _numbers(truth, predictions, codes, len(kept), metrics, weights, clusters, n_boot, random)
    else:
        positive = [as_positive(array, _positive(array, pos_label)) for array in (truth, *predictions)]
        values = _rates(positive, codes, len(kept), metrics, weights, clusters, min_group_size, n_boot, random)
    pairs = _pairs(values, [grouping.labels[group] for group in kept], metrics, confidence)
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


def _draw_sums(
    columns: IndexArray,
    amounts: FloatArray,
    width: int,
    clusters: IndexArray,
    n_boot: int,
    random: np.random.Generator,
) -> FloatArray:
    """Return sums by column for each resample, in which every cluster counts by an exponential weight."""
    count = int(clusters.max()) + 1 if len(clusters) else 0
    table = np.zeros((count, width))
    np.add.at(table, (clusters, columns), amounts)
    size = max(1, _CHUNK // max(1, count))
    parts = [
        random.standard_exponential((min(size, n_boot - start), count)) @ table for start in range(0, n_boot, size)
    ]
    return np.concatenate(parts)


def _rates(
    positive: list[np.ndarray],
    codes: IndexArray,
    groups: int,
    metrics: Sequence[str],
    weights: FloatArray | None,
    clusters: IndexArray | None,
    min_group_size: int,
    n_boot: int,
    random: np.random.Generator,
) -> _Values:
    inside = codes >= 0
    label, first, second = (array[inside].astype(np.intp) for array in positive)
    cell = codes[inside] * _CELLS + 4 * label + 2 * first + second
    row_weights = np.ones(len(cell)) if weights is None else weights[inside]
    width = groups * _CELLS
    sums = np.bincount(cell, weights=row_weights, minlength=width)
    if clusters is None:
        squares = np.bincount(cell, weights=row_weights**2, minlength=width)
        # A sum of weights times exponentials is near a gamma variable of the same mean and variance; with equal weights
        # it is one.
        scale = np.divide(squares, sums, out=np.ones(width), where=sums > 0)
        draws = random.standard_gamma(sums / scale, (n_boot, width)) * scale
    else:
        draws = _draw_sums(cell, row_weights, width, clusters[inside], n_boot, random)
    draws = draws + _PRIOR * row_weights.mean() * random.standard_gamma(1.0, draws.shape) if groups else draws
    counts = np.bincount(cell, minlength=width).astype(float).reshape(groups, _CELLS)
    sums, draws = sums.astype(float).reshape(groups, _CELLS), draws.reshape(n_boot, groups, _CELLS)
    behind = np.array([[denominator(name, counts @ side) for side in (_FIRST, _SECOND)] for name in metrics])
    usable = (behind >= min_group_size).min(axis=1)

    def by_metric(cells: FloatArray) -> FloatArray:
        return np.stack([rate(name, cells) for name in metrics], axis=-2)  # (..., metrics, groups)

    return _Values(
        by_metric(sums @ _FIRST),
        by_metric(sums @ _SECOND),
        by_metric(draws @ _FIRST),
        by_metric(draws @ _SECOND),
        usable,
    )


def _numbers(
    truth: LabelArray,
    predictions: list[LabelArray],
    codes: IndexArray,
    groups: int,
    metrics: Sequence[str],
    weights: FloatArray | None,
    clusters: IndexArray | None,
    n_boot: int,
    random: np.random.Generator,
) -> _Values:
    inside = codes >= 0
    row_weights = (np.ones(len(codes)) if weights is None else weights)[inside]
    units = np.arange(int(inside.sum())) if clusters is None else clusters[inside]
    errors = [(predicted.astype(float) - truth.astype(float))[inside] for predicted in predictions]
    amounts = [row_weights]
    for name in metrics:
        amounts += [row_weights * (error if name == "mean_error" else np.abs(error)) for error in errors]
    width = len(amounts)
    columns = np.concatenate([codes[inside] * width + index for index in range(width)])
    flat, repeated = np.concatenate(amounts), np.tile(units, width)
    sums = np.bincount(columns, weights=flat, minlength=groups * width).astype(float).reshape(groups, width)
    draws = _draw_sums(columns, flat, groups * width, repeated, n_boot, random).reshape(n_boot, groups, width)

    def of(table: FloatArray, side: int) -> FloatArray:
        means = [table[..., 1 + 2 * index + side] / table[..., 0] for index in range(len(metrics))]
        return np.stack(means, axis=-2)

    usable = np.ones((len(metrics), groups), dtype=bool)
    return _Values(of(sums, 0), of(sums, 1), of(draws, 0), of(draws, 1), usable)


def _pairs(values: _Values, labels: list[Label], metrics: Sequence[str], confidence: float) -> pd.DataFrame:
    """Return the gaps of all pairs of usable groups, with intervals that hold together."""
    chosen = [
        (metric, group, other)
        for metric in range(len(metrics))
        for group, other in combinations(np.flatnonzero(values.usable[metric]).tolist(), 2)
    ]
    if not chosen:
        return pd.DataFrame(columns=_PAIR_COLUMNS)
    metric, group, other = (np.array(part, dtype=np.intp) for part in zip(*chosen, strict=True))

    def gaps(table: FloatArray) -> FloatArray:
        difference: FloatArray = table[..., metric, group] - table[..., metric, other]
        return difference

    a, b, a_draws, b_draws = (gaps(table) for table in values[:4])
    change, total = b_draws - a_draws, b_draws + a_draws
    spreads = [draws.std(axis=0, ddof=1) for draws in (change, total)]
    quantiles = []
    for draws, spread in zip((change, total), spreads, strict=True):
        moving = spread > 0
        distances = np.abs(draws - draws.mean(axis=0))[:, moving] / spread[moving]
        quantiles.append(np.quantile(distances.max(axis=1), confidence) if moving.any() else 0.0)
    reach = max(quantiles)
    low, high = _bounds(b - a, reach * spreads[0], b + a, reach * spreads[1])
    for bound in (low, high):
        bound[spreads[0] == 0] = np.nan  # the same numbers in every row: nothing says how often they would differ
    return pd.DataFrame(
        {
            "metric": [metrics[index] for index in metric],
            "group": [labels[index] for index in group],
            "other": [labels[index] for index in other],
            "first": a,
            "second": b,
            "difference": np.abs(b) - np.abs(a),
            "low": low,
            "high": high,
        },
        columns=_PAIR_COLUMNS,
    )


def _bounds(u: FloatArray, u_reach: FloatArray, v: FloatArray, v_reach: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the smallest and largest |b| - |a| where b - a and b + a are within these distances of u and v.

    Where neither changes its sign, the function is monotone in both: its extremes lie at the corners of the rectangle
    and where an axis cuts it.
    """

    def corners(center: FloatArray, reach: FloatArray) -> list[FloatArray]:
        ends = [center - reach, center + reach]
        return [*ends, np.where((ends[0] < 0) & (ends[1] > 0), 0.0, ends[0])]

    values = [(np.abs(one + two) - np.abs(two - one)) / 2 for one in corners(u, u_reach) for two in corners(v, v_reach)]
    return np.min(values, axis=0), np.max(values, axis=0)


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
