"""The target in each part of a column: counts of classes, or the mean with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from core.datasets._column_codes import ColumnCodes

__all__ = ["TargetByColumn", "target_by_column"]

BINS = 10
CLASSES = 10
_MISSING = "(missing)"
_OTHERS = "(other values)"


@dataclass(frozen=True)
class TargetByColumn:
    """The target by bins of a column.

    Parameters
    ----------
    bins : tuple of tuple
        Bins: a pair of the lowest and the highest value of numbers and dates, or a single label.
    rows : tuple of int
        Number of rows with a known target in each bin.
    hits : mapping of str to tuple of int, default={}
        Number of rows of each of the most frequent classes by bin, for a target of classes.
    mean, low, high : tuple of float or None, default=()
        Mean of each bin with its 95% interval (Student's t), for a target of numbers; None with a single row.
    """

    bins: tuple[tuple[float | str, ...], ...]
    rows: tuple[int, ...]
    hits: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    mean: tuple[float | None, ...] = ()
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()


def target_by_column(column: ColumnCodes, target: ColumnCodes) -> TargetByColumn:
    """Cut a column into bins and describe the target in each.

    Numbers and dates are cut into at most 10 bins of about equal size, categories into the 10 most frequent values and
    the others. Missing cells have a bin of their own.
    """
    labels, bin_of_code = _bins(column)
    bins = np.where(column.known, bin_of_code[column.codes], len(labels))
    bins, codes = bins[target.known], target.codes[target.known]
    if not column.complete:
        labels = [*labels, (_MISSING,)]
    rows = np.bincount(bins, minlength=len(labels))
    kept = np.flatnonzero(rows)
    kept_bins, kept_rows = tuple(labels[index] for index in kept), _integers(rows[kept])
    if target.ordered:
        means = _means(bins, target.values.astype(float)[codes], len(labels), kept)
        return TargetByColumn(kept_bins, kept_rows, mean=means["mean"], low=means["low"], high=means["high"])
    frequent = np.argsort(-target.counts, kind="stable")[:CLASSES]
    hits = {
        str(target.values[code]): _integers(np.bincount(bins[codes == code], minlength=len(labels))[kept])
        for code in frequent
    }
    return TargetByColumn(kept_bins, kept_rows, hits)


def _means(bins: np.ndarray, y: np.ndarray, count: int, kept: np.ndarray) -> dict[str, tuple[float | None, ...]]:
    from scipy.stats import t

    rows = np.bincount(bins, minlength=count)[kept]
    mean = np.bincount(bins, weights=y, minlength=count)[kept] / rows
    centers = np.zeros(count)
    centers[kept] = mean
    squares = np.bincount(bins, weights=(y - centers[bins]) ** 2, minlength=count)[kept]
    free = np.maximum(rows - 1, 1)
    margin = t.ppf(0.975, free) * np.sqrt(squares / free / rows)
    bounds = {"mean": mean, "low": mean - margin, "high": mean + margin}
    return {
        name: tuple(
            float(value) if name == "mean" or size > 1 else None for value, size in zip(values, rows, strict=True)
        )
        for name, values in bounds.items()
    }


def _bins(column: ColumnCodes) -> tuple[list[tuple[float | str, ...]], np.ndarray]:
    """Return the label of each bin, and the bin of each code."""
    counts = column.counts
    if not column.ordered:
        order = np.argsort(-counts, kind="stable")
        bins = np.full(len(counts), BINS)
        bins[order[:BINS]] = np.arange(min(BINS, len(counts)))
        labels: list[tuple[float | str, ...]] = [(str(column.values[code]),) for code in order[:BINS]]
        return [*labels, (_OTHERS,)] if len(counts) > BINS else labels, bins
    if len(counts) <= BINS:
        bins = np.arange(len(counts))
    else:
        middle = (np.cumsum(counts) - counts / 2) / counts.sum()
        bins = np.unique(np.minimum((middle * BINS).astype(int), BINS - 1), return_inverse=True)[1]
    edges = np.flatnonzero(np.diff(bins)) + 1
    groups = np.split(column.values, edges)
    return [(_plain(group[0]), _plain(group[-1])) for group in groups], bins


def _plain(value: object) -> float | str:
    return str(value) if isinstance(value, np.datetime64 | np.timedelta64) else float(value)  # type: ignore[arg-type]


def _integers(values: np.ndarray) -> tuple[int, ...]:
    return tuple(int(value) for value in values)
