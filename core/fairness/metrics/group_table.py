"""Metrics by group as tables, and the groups that are too small to be compared, without intervals and tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np
import pandas as pd

from core.errors import SettingsError
from core.fairness.metrics.arrays import BoolArray, FloatArray, IndexArray, LabelArray
from core.fairness.metrics.groups import label_text
from core.fairness.metrics.options import Options
from core.fairness.metrics.rates import MetricValues, RateValues
from core.registry import unknown_name

__all__ = ["GroupTable", "flat"]

T = TypeVar("T")


def flat(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of `GroupMetrics` with its index as columns; a sensitive column may be named like one of ours.

    Examples
    --------
    >>> flat(pd.DataFrame({"count": [3]}, index=pd.Index(["a"], name="count"))).columns.tolist()
    ['count (group)', 'count']
    """
    names, taken = list(table.index.names), {"metric", "definition", *map(str, table.columns)}
    last = len(names) - (names[-1] in ("metric", "definition"))  # this one is ours
    names[:last] = [f"{name} (group)" if name in taken else name for name in names[:last]]
    return table.rename_axis(index=names).reset_index()


@dataclass(frozen=True)
class GroupTable:
    """Metrics of each group and of all rows, and which of them rest on enough rows to be compared.

    Parameters
    ----------
    labels : Index
        Names of the groups; control features come first.
    rows : array of shape (groups,)
        Rows of each group.
    metric_values, level_metric_values : list of MetricValues
        Metrics of the groups, and of the control levels (one, of all rows, without control features).
    level_of_group : array of shape (groups,)
        Control level of each group.
    level_labels : Index or None
        Names of the control levels; None without control features.
    options : Options
        Metrics, confidence and smallest group.
    positives : array of shape (groups,), optional
        Rows of each group with the positive label.
    level_rows : array of shape (levels,)
        Rows of each control level.
    notices : tuple of str, default=()
        Sentences on what may be wrong with the labels.
    """

    labels: pd.Index
    rows: FloatArray
    metric_values: list[MetricValues]
    level_metric_values: list[MetricValues]
    level_of_group: IndexArray
    level_labels: pd.Index | None
    options: Options
    positives: FloatArray | None = None
    level_rows: FloatArray = field(default_factory=lambda: np.zeros(0))
    notices: tuple[str, ...] = ()

    @property
    def rates(self) -> RateValues | None:
        """The rates of decisions; None of predicted numbers."""
        return next((values for values in self.metric_values if isinstance(values, RateValues)), None)

    @cached_property
    def counts(self) -> pd.DataFrame:
        """True negatives, false positives, false negatives and true positives of each group; none of numbers."""
        cells = np.zeros((len(self.rows), 0)) if self.rates is None else self.rates.cells
        names = ["true_negatives", "false_positives", "false_negatives", "true_positives"]
        return pd.DataFrame(cells, index=self.labels, columns=names[: cells.shape[1]])

    @cached_property
    def _known(self) -> list[str]:
        return [name for values in self.metric_values for name in values.names]

    @cached_property
    def metrics(self) -> list[str]:
        """Names of the metrics, in the order of the tables, without the count."""
        if self.options.metrics is None:
            return self._known
        unknown = [name for name in self.options.metrics if name not in self._known and name != "count"]
        if unknown:
            raise SettingsError(
                f"Unknown metric {', '.join(map(repr, unknown))}.", unknown_name(unknown[0], self._known)
            )
        return [name for name in self._known if name in self.options.metrics]

    @cached_property
    def _columns(self) -> list[int]:
        return [self._known.index(name) for name in self.metrics]

    def _stack(self, parts: Sequence[FloatArray]) -> FloatArray:
        """Join arrays (groups, metrics) of all kinds and keep the chosen metrics."""
        return np.concatenate(parts, axis=-1)[..., self._columns]

    @cached_property
    def _values(self) -> FloatArray:
        return self._stack([values.values for values in self.metric_values])

    @cached_property
    def _level_values(self) -> FloatArray:
        return self._stack([values.values for values in self.level_metric_values])

    @cached_property
    def _rows_behind(self) -> FloatArray:
        return self._stack([values.denominators for values in self.metric_values])

    @cached_property
    def _usable(self) -> BoolArray:
        """Whether each metric of each group rests on enough rows to be compared."""
        enough = self.rows[:, None] >= self.options.min_group_size
        usable: BoolArray = enough & (self._rows_behind >= self.options.min_group_size) & np.isfinite(self._values)
        return usable

    def values_of(self, metric: str) -> FloatArray:
        """Return a metric of each group, in the order of `labels`."""
        return self._values[:, self.metrics.index(metric)]

    def bounds(self, metric: str, groups: IndexArray, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the bounds of a metric of some groups, by position, each at its own normal quantile."""
        part = next(values for values in self.metric_values if metric in values.names)
        return part.bounds(part.names.index(metric), groups, z)

    def usable(self, metric: str) -> BoolArray:
        """Return whether a metric of each group rests on enough rows to be compared."""
        return self._usable[:, self.metrics.index(metric)]

    @cached_property
    def by_group(self) -> pd.DataFrame:
        """One row per group: its count, then each metric; NaN where a rate has no denominator."""
        table = pd.DataFrame(self._values, index=self.labels, columns=self.metrics)
        table.insert(0, "count", np.rint(self.rows).astype(int))
        return table

    @cached_property
    def overall(self) -> pd.Series | pd.DataFrame:
        """The same metrics of all rows, by control level where there is one."""
        table = pd.DataFrame(self._level_values, columns=self.metrics, index=self.level_labels)
        table.insert(0, "count", np.rint(self.level_rows).astype(int))
        return table.iloc[0].rename(None) if self.level_labels is None else table

    @cached_property
    def small_groups(self) -> pd.DataFrame:
        """Groups, and metrics of groups, that rest on too few rows to be compared, with the reason."""
        table, need = [], self.options.min_group_size
        for i, label in enumerate(self.labels):
            if self.rows[i] < need:
                table.append((label, self.rows[i], "all", f"{self.rows[i]:,.0f} rows, fewer than {need}"))
                continue
            behind = self._rows_behind[i]
            few = [j for j in range(len(self.metrics)) if behind[j] < need or np.isnan(self._values[i, j])]
            for count in sorted({behind[j] for j in few}):
                names = ", ".join(self.metrics[j] for j in few if behind[j] == count)
                reason = "no row to compute it from" if count <= 0 else f"from {count:,.0f} rows, fewer than {need}"
                table.append((label, self.rows[i], names, reason))
        return pd.DataFrame(table, columns=["group", "count", "metrics", "reason"])

    def _per_level(self, function: Callable[[int, IndexArray], T]) -> list[T]:
        """Call a function with each control level and the positions of its groups."""
        levels = 1 if self.level_labels is None else len(self.level_labels)
        return [function(level, np.flatnonzero(self.level_of_group == level)) for level in range(levels)]

    def _long(self, columns: dict[str, LabelArray]) -> pd.DataFrame:
        """Return arrays (groups, metrics) as columns of a table with one row per group and metric."""
        group_names = [str(name or f"group_{i}") for i, name in enumerate(self.labels.names)]
        names = [*("metric (group)" if name == "metric" else name for name in group_names), "metric"]
        tuples = [
            (*(label if isinstance(label, tuple) else (label,)), metric)
            for label in self.labels
            for metric in self.metrics
        ]
        index = pd.MultiIndex.from_tuples(tuples, names=names)
        return pd.DataFrame({name: values.ravel() for name, values in columns.items()}, index=index)

    def _short_label(self, group: int) -> str:
        """Return a group's label without its control level."""
        label = self.labels[group]
        if self.level_labels is None:
            return label_text(label)
        parts = label[self.level_labels.nlevels :]
        return label_text(parts if len(parts) > 1 else parts[0])
