"""The rows of a test, and a model on them: values, bounds, and gains over other models."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.evaluation._bounds import area_bounds, distance_bounds, gain_bounds, share_bounds, student_quantile
from core.evaluation._intervals import kish, wilson
from core.evaluation._jackknife import Units, influences, make_units
from core.evaluation._metrics import METRICS, Metric
from core.evaluation._statistics import Array, ConfusionCounts
from core.evaluation._weighted import WeightedMetrics, compute_metrics

__all__ = ["MIN_UNITS", "Sample", "TestedModel"]

MIN_UNITS = 8
"""Rows of a class, or groups that have it, below which no interval is given."""

_MINOR_SHARE = 0.05  # of the rows: classes of few rows that hardly matter to a mean by frequency
_RANKED = 0.6  # a row that is ranked wrongly is seldom ranked last
_PAIRS = 2.0  # discordant pairs that are added to a difference


class Sample:
    """The rows of a test.

    Parameters
    ----------
    task : str
        Task: binary, multiclass, regression or multilabel.
    y : array of shape (n,) or (n, labels)
        Class codes, or numbers, or whether a row has each label; at least one row.
    groups : array of shape (n,), optional
        Group of each row.
    weights : array of shape (n,), optional
        Weights of the rows.
    labels : sequence, optional
        Labels by class code.
    seed : int, default=0
        Seed of the bootstrap and of the blocks.
    confidence : float, default=0.95
        Probability with which an interval holds the true value.
    """

    def __init__(
        self,
        task: str,
        y: NDArray[np.generic],
        *,
        groups: NDArray[np.generic] | None = None,
        weights: NDArray[np.floating] | None = None,
        labels: Sequence[object] | None = None,
        seed: int = 0,
        confidence: float = 0.95,
    ) -> None:
        self.y, self.labels, self.seed, self.task, self.confidence = y, labels, seed, task, confidence
        self.weights = None if weights is None else np.asarray(weights, dtype=np.float64)
        self.members = None if groups is None else np.unique(groups, return_inverse=True)[1].astype(np.intp)
        self.groups = None if self.members is None else int(self.members.max()) + 1
        self.classes = None if task in ("regression", "multilabel") else y.astype(np.intp)
        self.units = make_units(self.classes, self.members, self.weights, len(y), seed)
        counted = np.ones(len(y), dtype=bool) if self.weights is None else self.weights > 0
        self._total = int(counted.sum()) if self.members is None else len(np.unique(self.members[counted]))
        self._counts: dict[int, int] = {}  # by class, of rows or of groups that have some
        if self.classes is not None:
            for code in np.unique(self.classes[counted]).tolist():
                rows = counted & (self.classes == code)
                count = rows.sum() if self.members is None else len(np.unique(self.members[rows]))
                self._counts[code] = int(count)
        self.rarest = min(self._counts.values()) if self._counts else None
        own = np.ones(len(y)) if self.weights is None else self.weights
        self.size = kish(own if self.members is None else np.bincount(self.members, own).astype(np.float64))

    def obstacle(self, metric: Metric) -> str:
        """Return why a metric has no interval on these rows; empty where it has one."""
        noun = "row" if self.members is None else "group"
        if self.groups == 1:
            return "no interval: all test rows are of one group"
        total = self._total
        if total < MIN_UNITS and not (metric.proportion_of == "rows" and self.groups is None):
            return f"no interval: the test has only {total} {noun}{'s' * (total != 1)}"
        if self.classes is None or metric.proportion_of == "rows":
            return ""
        few = {code: count for code, count in self._counts.items() if count < MIN_UNITS}
        if metric.by_frequency and len(self._counts) > 2:
            weights = np.ones(len(self.y)) if self.weights is None else self.weights
            share = weights[np.isin(self.classes, list(few))].sum() / weights.sum()
            few = few if share > _MINOR_SHARE else {}
        if few:
            code, count = min(few.items(), key=lambda item: item[1])
            name = f"class {code}" if self.labels is None else f"'{self.labels[code]}'"
            plural = "s" * (count != 1)
            return f"no interval: the test has only {count} {noun}{plural} {'of' if noun == 'row' else 'with'} {name}"
        return ""

    def units_of(self, metric: Metric) -> Units:
        """Return the units in the strata that the metric's variance has."""
        return self.units.merged() if metric.proportion_of == "rows" else self.units


class TestedModel:
    """A model on the rows of a test.

    Parameters
    ----------
    sample : Sample
        The rows.
    names : sequence of str
        Keys of `METRICS`.
    output : array of shape (n, k) or (n,)
        Probabilities, or predicted numbers.
    """

    __test__ = False

    def __init__(self, sample: Sample, names: Sequence[str], output: Array) -> None:
        self.sample, self.names, self.output = sample, names, output
        self.values = compute_metrics(names, sample.y, output, sample.weights)
        self.influences = influences(names, sample.y, output, sample.weights, sample.units)

    @property
    def is_constant(self) -> bool:
        """Whether the model predicts the same for every row."""
        return bool((self.output == self.output[:1]).all())

    def is_exact(self, name: str) -> bool:
        """Whether a metric does not depend on the rows that were drawn: that of a constant, given the classes."""
        metric, units = METRICS[name], self.sample.units
        if metric.proportion_of != "class" or not self.is_constant or len(units.class_sizes) < 2:
            return False
        return float(np.abs(units.center(self.influences[name])).max()) < 1e-12

    def bounds(self, name: str) -> tuple[float, float]:
        """Return the bounds of a metric's interval; NaN where it has none."""
        metric, sample, value = METRICS[name], self.sample, self.values[name]
        if not np.isfinite(value) or sample.obstacle(metric):
            return np.nan, np.nan
        if self.is_exact(name):
            return value, value
        units, influence = sample.units_of(metric), self.influences[name]
        if metric.proportion_of == "rows" and (sample.groups is None or value in (0.0, 1.0)):
            # Weighted rows count as so many of equal weight; without a fault, or a hit, groups count once each.
            bounds = wilson(value * sample.size, sample.size, sample.confidence)
            return min(float(bounds[0]), value), max(float(bounds[1]), value)
        if not np.isfinite(influence).all():
            return np.nan, np.nan
        variances = units.variances(units.center(influence))
        if metric.area:
            quantile = student_quantile(units.freedom(variances), sample.confidence)
            area = area_bounds(value, variances.sum(), quantile, *self._pairs())
            return float(area[0]), float(area[1])
        if metric.proportion_of is not None:
            steps = np.zeros(1)
            if metric.proportion_of == "class":
                steps = self._steps[name]
            elif metric.proportion_of == "labels":
                steps = np.array([1 / (sample.size + 1)])
            if len(variances) == len(steps):
                variances = np.maximum(variances, steps**2)
                total = float(variances.sum())
            else:
                total = max(float(variances.sum()), float((steps**2).sum()))
            quantile = student_quantile(units.freedom(variances), sample.confidence)
            return share_bounds(value, total, quantile, float(steps.sum()), sample.confidence)
        if metric.perfect is not None:
            far = abs(value - metric.perfect)
            sign = -1.0 if metric.larger_is_better else 1.0
            guess = abs(self._guess[name] - metric.perfect)
            low, high = distance_bounds(
                far, sign * influence, units, guess, sample.size, sample.seed, sample.confidence
            )
            return (
                (metric.perfect + low, metric.perfect + high)
                if sign > 0
                else (metric.perfect - high, metric.perfect - low)
            )
        added = np.zeros(len(variances))
        return gain_bounds(value, influence, units, added, sample.seed, True, sample.confidence)

    def gain(self, other: TestedModel, name: str) -> tuple[float, tuple[float, float]]:
        """Return the gain over another model, and its bounds; NaN where there are none.

        Parameters
        ----------
        other : TestedModel
            Model on the same rows.
        name : str
            Key of the metric.
        """
        metric, sample = METRICS[name], self.sample
        sign = 1 if metric.larger_is_better else -1
        gain = sign * (self.values[name] - other.values[name])
        influence = sign * (self.influences[name] - other.influences[name])
        if not np.isfinite(gain) or sample.obstacle(metric) or not np.isfinite(influence).all():
            return gain, (np.nan, np.nan)
        exact = self.is_exact(name), other.is_exact(name)
        if all(exact):
            return gain, (np.nan, np.nan)
        if any(exact):  # the other's interval, moved, so that both say the same
            low, high = (self if exact[1] else other).bounds(name)
            ends = [sign * (low - other.values[name]), sign * (high - other.values[name])]
            if exact[0]:
                ends = [sign * (self.values[name] - low), sign * (self.values[name] - high)]
            return gain, (min(ends), max(ends))
        units = sample.units_of(metric)
        skewed = metric.proportion_of is None
        added = self._added(other, metric)
        low, high = gain_bounds(gain, influence, units, added, sample.seed, skewed, sample.confidence)
        if metric.proportion_of is not None:
            low, high = max(low, -1.0), min(high, 1.0)
        return gain, (min(low, gain), max(high, gain))

    def _added(self, other: TestedModel, metric: Metric) -> Array:
        """Return by stratum the variance of the discordant pairs that are added."""
        units, name = self.sample.units_of(metric), metric.name
        grouped = self.sample.groups is not None
        if metric.sums is not None and metric.sums.statistic is ConfusionCounts and not grouped:
            steps = np.maximum(self._steps[name], other._steps[name])
            if metric.proportion_of == "rows":
                steps = np.array([1 / (max(self.sample.size, 1.0) + 1)])
            squares = steps**2
        else:
            own = [units.variances(units.center(model.influences[name])) for model in (self, other)]
            squares = np.maximum(*own) / np.maximum(units.sizes, 1)
            if metric.area and not grouped:  # few rows of a class show too little of what two good models disagree on
                squares = 2 * squares
        return _PAIRS * (squares if len(squares) == len(units.sizes) else np.array([squares.sum()]))

    def _pairs(self) -> tuple[float, float]:
        """Return the effective numbers of rows on both sides of a ROC curve; with several classes, of a usual one."""
        sizes = self.sample.units.class_sizes
        total = self.sample.size
        hits, misses = (sizes[1], sizes[0]) if len(sizes) == 2 else (total / len(sizes), total * (1 - 1 / len(sizes)))
        return max(float(hits), 1.5), max(float(misses), 1.5)

    @cached_property
    def _steps(self) -> dict[str, Array]:
        """By metric and class: the change of the value by one further row of the class, wrong or right."""
        sample = self.sample
        assert sample.classes is not None
        present, positions = np.unique(sample.classes, return_inverse=True)
        own = np.ones(len(sample.y)) if sample.weights is None else sample.weights
        sizes = np.maximum(sample.units.class_sizes, 1)
        further = np.bincount(positions, own) / sizes
        columns = np.eye(self.output.shape[1])
        changes: list[dict[str, Array]] = []
        for shift in (0, 1):
            added = columns[(present + shift) % len(columns)]
            evaluate = WeightedMetrics(
                self.names, np.concatenate([sample.classes, present]), np.vstack([self.output, added])
            )
            weights = np.hstack([np.tile(own, (len(present), 1)), np.diag(further)])
            changes.append(evaluate(weights))
        by_name = {}
        for name in self.names:
            moved = [np.abs(change[name] - self.values[name]) for change in changes]
            metric = METRICS[name]
            counts = metric.sums is not None and metric.sums.statistic is ConfusionCounts
            by_name[name] = np.nan_to_num(np.maximum(*moved)) * (1.0 if counts else _RANKED)
        return by_name

    @cached_property
    def _guess(self) -> dict[str, float]:
        """By metric, the value of guessing: the classes alike, or the mean."""
        y, weights = self.sample.y, self.sample.weights
        if self.sample.classes is not None:
            usual = np.asarray(1 / self.output.shape[1])
        else:  # the mean, of each label where a row may have several
            usual = np.average(y.astype(np.float64), axis=0, weights=weights)
        guess: Array = np.full(self.output.shape, usual)
        return compute_metrics(self.names, y, guess, weights)
