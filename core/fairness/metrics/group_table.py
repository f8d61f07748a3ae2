"""Figures by group as tables, and the groups that are too small to be compared. How sure they are is said elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import SettingsError
from core.fairness.metrics.groups import label_text
from core.fairness.metrics.options import Options
from core.fairness.metrics.rates import CellFigures, Figures

__all__ = ["Array", "GroupTable", "flat"]

Array = NDArray[np.float64]


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
    """What was counted of each group, of all rows, and which of it is enough to be compared.

    Parameters
    ----------
    labels : Index
        The groups; with control features these come first.
    rows : array of shape (groups,)
        Rows of each group.
    figures, level_figures : list of Figures
        Of the groups, and of the control levels (one, of all rows, without control features).
    level_of_group : array of shape (groups,)
        The control level of each group.
    level_labels : Index or None
        The control levels; None without control features.
    options : Options
        What was asked for.
    positives : array of shape (groups,), optional
        Rows of each group with the positive label.
    """

    labels: pd.Index
    rows: Array
    figures: list[Figures]
    level_figures: list[Figures]
    level_of_group: NDArray[np.intp]
    level_labels: pd.Index | None
    options: Options
    positives: Array | None = None
    level_rows: Array = field(default_factory=lambda: np.zeros(0))

    @cached_property
    def counts(self) -> pd.DataFrame:
        """True negatives, false positives, false negatives and true positives of each group; none of numbers."""
        cells = next(
            (each.cells for each in self.figures if isinstance(each, CellFigures)), np.zeros((len(self.rows), 0))
        )
        names = ["true_negatives", "false_positives", "false_negatives", "true_positives"]
        return pd.DataFrame(cells, index=self.labels, columns=names[: cells.shape[1]])

    @cached_property
    def metrics(self) -> list[str]:
        """The names of the figures, in the order of the tables, without the count."""
        known = [name for each in self.figures for name in each.names]
        if self.options.metrics is None:
            return known
        unknown = [name for name in self.options.metrics if name not in known and name != "count"]
        if unknown:
            raise SettingsError(f"There is no metric {', '.join(map(repr, unknown))} here.", f"Choose from {known}.")
        return [name for name in known if name in self.options.metrics]

    def _stack(self, parts: Sequence[Array]) -> Array:
        """Join arrays (groups, figures) of all kinds and keep the figures that are asked for."""
        known = [name for each in self.figures for name in each.names]
        return np.concatenate(parts, axis=-1)[..., [known.index(name) for name in self.metrics]]

    @cached_property
    def _values(self) -> Array:
        return self._stack([each.values for each in self.figures])

    @cached_property
    def _level_values(self) -> Array:
        return self._stack([each.values for each in self.level_figures])

    @cached_property
    def _usable(self) -> NDArray[np.bool_]:
        """Tell for each group and figure whether enough rows are behind it to be compared."""
        enough = self.rows[:, None] >= self.options.min_group_size
        behind = self._stack([each.denominators for each in self.figures])
        return enough & (behind >= self.options.min_group_size) & np.isfinite(self._values)

    @cached_property
    def by_group(self) -> pd.DataFrame:
        """One row a group: its count, then each metric; NaN where a rate has no denominator."""
        table = pd.DataFrame(self._values, index=self.labels, columns=self.metrics)
        table.insert(0, "count", np.rint(self.rows).astype(int))
        return table

    @cached_property
    def overall(self) -> pd.Series | pd.DataFrame:
        """The same of all rows, by control level where there is one."""
        table = pd.DataFrame(self._level_values, columns=self.metrics, index=self.level_labels)
        table.insert(0, "count", np.rint(self.level_rows).astype(int))
        return table.iloc[0].rename(None) if self.level_labels is None else table

    @cached_property
    def small_groups(self) -> pd.DataFrame:
        """Groups, and figures of groups, that have too few rows behind them to be compared, with the reason."""
        table, need = [], self.options.min_group_size
        behind = self._stack([each.denominators for each in self.figures])
        for place, label in enumerate(self.labels):
            if self.rows[place] < need:
                table.append((label, self.rows[place], "all", f"{self.rows[place]:,.0f} rows, fewer than {need}"))
                continue
            few = [i for i in range(len(self.metrics)) if behind[place, i] < need or np.isnan(self._values[place, i])]
            for count in sorted({behind[place, i] for i in few}):
                names = ", ".join(self.metrics[i] for i in few if behind[place, i] == count)
                reason = "no row to compute it from" if count <= 0 else f"from {count:,.0f} rows, fewer than {need}"
                table.append((label, self.rows[place], names, reason))
        return pd.DataFrame(table, columns=["group", "count", "metrics", "reason"])

    def _per_level(self, function: Any) -> list[Any]:
        levels = 1 if self.level_labels is None else len(self.level_labels)
        return [function(level, np.flatnonzero(self.level_of_group == level)) for level in range(levels)]

    def _long(self, columns: dict[str, NDArray[Any]]) -> pd.DataFrame:
        told = [str(name or f"group_{place}") for place, name in enumerate(self.labels.names)]
        names = [*("metric (group)" if name == "metric" else name for name in told), "metric"]
        tuples = [
            (*(label if isinstance(label, tuple) else (label,)), metric)
            for label in self.labels
            for metric in self.metrics
        ]
        index = pd.MultiIndex.from_tuples(tuples, names=names)
        return pd.DataFrame({name: values.ravel() for name, values in columns.items()}, index=index)

    def _short(self, place: int) -> str:
        """Return a group's label without its control level."""
        label = self.labels[place]
        if self.level_labels is None:
            return label_text(label)
        parts = label[self.level_labels.nlevels :]
        return label_text(parts if len(parts) > 1 else parts[0])
