"""Values of two models by group in a paired Bayesian bootstrap: each resample weighs the rows alike for both.

The rows of a group, a label and both predictions are one cell, whose weight in a resample is a gamma variable, so that
the cost does not grow with the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from core.fairness.metrics.arrays import FloatArray, IndexArray, LabelArray
from core.fairness.metrics.counts import denominator, rate

__all__ = ["PairedValues", "paired_errors", "paired_rates"]

_CELLS = 8
_PRIOR = 0.25  # of a row in each cell, so that a sample without any difference has an interval
_CHUNK = 20_000_000
# Counts of a model (true negatives, false positives, false negatives, true positives) from the cells of both, whose
# number is 4 * label + 2 * first + second.
_FIRST = np.array([[cell // 4 * 2 + cell // 2 % 2 == count for count in range(4)] for cell in range(_CELLS)], float)
_SECOND = np.array([[cell // 4 * 2 + cell % 2 == count for count in range(4)] for cell in range(_CELLS)], float)


class PairedValues(NamedTuple):
    """Values of both models by group and metric, of the rows and of each resample, and which rest on enough rows."""

    first: FloatArray
    second: FloatArray
    first_draws: FloatArray
    second_draws: FloatArray
    usable: np.ndarray


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


def paired_rates(
    positive: list[np.ndarray],
    codes: IndexArray,
    groups: int,
    metrics: Sequence[str],
    weights: FloatArray | None,
    clusters: IndexArray | None,
    min_group_size: int,
    n_boot: int,
    random: np.random.Generator,
) -> PairedValues:
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

    return PairedValues(
        by_metric(sums @ _FIRST),
        by_metric(sums @ _SECOND),
        by_metric(draws @ _FIRST),
        by_metric(draws @ _SECOND),
        usable,
    )


def paired_errors(
    truth: LabelArray,
    predictions: list[LabelArray],
    codes: IndexArray,
    groups: int,
    metrics: Sequence[str],
    weights: FloatArray | None,
    clusters: IndexArray | None,
    n_boot: int,
    random: np.random.Generator,
) -> PairedValues:
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
    return PairedValues(of(sums, 0), of(sums, 1), of(draws, 0), of(draws, 1), usable)
