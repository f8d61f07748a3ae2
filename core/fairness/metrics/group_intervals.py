"""Intervals of metrics by group, and of their gaps and ratios to a reference group."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from core.errors import SettingsError
from core.evaluation import mover, mover_ratio, normal_quantile
from core.fairness.metrics.arrays import BoolArray, FloatArray, IndexArray, LabelArray
from core.fairness.metrics.counts import divide
from core.fairness.metrics.group_table import GroupTable
from core.fairness.metrics.groups import label_text
from core.fairness.metrics.rates import MetricValues
from core.registry import unknown_name

__all__ = ["GroupIntervals"]


@dataclass(frozen=True)
class GroupIntervals(GroupTable):
    """Metrics of each group with their intervals; the parameters are `GroupTable`'s."""

    @cached_property
    def _bounds(self) -> tuple[FloatArray, FloatArray]:
        return self._bounds_of(self.metric_values)

    def _bounds_of(self, parts: list[MetricValues]) -> tuple[FloatArray, FloatArray]:
        z, low, high = normal_quantile(self.options.confidence), [], []
        for part in parts:
            groups = np.arange(len(part.values))
            bounds = [part.bounds(metric, groups, np.full(len(groups), z)) for metric in range(len(part.names))]
            low.append(np.stack([below for below, _ in bounds], axis=-1))
            high.append(np.stack([above for _, above in bounds], axis=-1))
        return self._stack(low), self._stack(high)

    @cached_property
    def intervals(self) -> pd.DataFrame:
        """One row per group and metric: value, low, high, n (the rows behind it), method, small, reason.

        The reason says why the interval is missing.
        """
        low, high = self._bounds
        methods = [method for part in self.metric_values for method in part.methods]
        return self._long(
            {
                "value": self._values,
                "low": low,
                "high": high,
                "n": self._rows_behind,
                "method": np.tile(np.array(methods, dtype=object)[self._columns], (len(self.labels), 1)),
                "small": ~self._usable,
                "reason": self._reasons(np.isnan(low)),
            }
        )

    def _reasons(self, missing: BoolArray) -> LabelArray:
        """Return why each metric of each group has no interval; empty where it has one."""
        reasons = np.full(missing.shape, "", dtype=object)
        sources = [(part, metric) for part in self.metric_values for metric in range(len(part.names))]
        for group, column in zip(*np.nonzero(missing), strict=True):
            part, metric = sources[self._columns[column]]
            reasons[group, column] = part.obstacle(metric, group) or "no interval: all rows are equal"
        return reasons

    @cached_property
    def overall_intervals(self) -> pd.DataFrame:
        """Value, low and high of all rows: one row per metric (and control level)."""
        low, high = self._bounds_of(self.level_metric_values)
        levels = ["all"] if self.level_labels is None else list(self.level_labels)
        index = pd.MultiIndex.from_product([levels, self.metrics], names=["level", "metric"])
        columns = {"value": self._level_values, "low": low, "high": high}
        table = pd.DataFrame({name: values.ravel() for name, values in columns.items()}, index=index)
        return table.droplevel("level") if self.level_labels is None else table

    @cached_property
    def reference(self) -> IndexArray:
        """Position of the reference group of each group: the largest of its control level, or the chosen one."""
        reference = np.zeros(len(self.labels), dtype=np.intp)
        for groups in self._per_level(lambda _, groups: groups):
            chosen = groups[np.argmax(self.rows[groups])]
            if self.options.reference_group is not None:
                name = label_text(self.options.reference_group)
                names = [self._short_label(group) for group in groups]
                if name not in names:
                    raise SettingsError(f"Unknown reference group '{name}'.", unknown_name(name, names, most=10))
                chosen = groups[names.index(name)]
            reference[groups] = chosen
        return reference

    @cached_property
    def difference_intervals(self) -> pd.DataFrame:
        """One row per group and metric: the signed gap to the reference group, low, high, reference, small."""
        low, high = self._bounds
        ref = self.reference
        below, above = mover(self._values, (low, high), self._values[ref], (low[ref], high[ref]))
        is_reference = (np.arange(len(ref)) == ref)[:, None]
        names = np.array([self._short_label(group) for group in ref], dtype=object)
        table = self._long(
            {
                "gap": self._values - self._values[ref],
                "low": np.where(is_reference, 0.0, below),
                "high": np.where(is_reference, 0.0, above),
                "reference": np.repeat(names[:, None], len(self.metrics), axis=1),
                "small": ~(self._usable & self._usable[ref]),
            }
        )
        return table[~np.repeat(is_reference.ravel(), len(self.metrics))]

    @cached_property
    def ratio_intervals(self) -> pd.DataFrame:
        """One row per group and rate: the ratio to the reference group, low and high; NaN where that has a rate of 0.

        Metrics of scores and of numbers have no ratio here.
        """
        if self.rates is None:
            raise SettingsError("Metrics of numbers have no ratios.", "Use difference_intervals.")
        names = [name for name in self.rates.names if name in self.metrics]
        columns = [self.metrics.index(name) for name in names]
        values, ref = self._values[:, columns], self.reference
        low, high = (bounds[:, columns] for bounds in self._bounds)
        below, above = mover_ratio(values, (low, high), values[ref], (low[ref], high[ref]))
        ratio = divide(values, values[ref])
        table = pd.DataFrame(
            {"ratio": ratio.ravel(), "low": below.ravel(), "high": above.ravel()},
            index=pd.MultiIndex.from_tuples(
                [(*(label if isinstance(label, tuple) else (label,)), name) for label in self.labels for name in names]
            ),
        )
        return table[~np.repeat(np.arange(len(self.labels)) == self.reference, len(names))]
