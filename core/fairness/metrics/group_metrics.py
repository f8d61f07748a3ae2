"""Metrics by group with their intervals, disparities and tests, all from counts made once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from core.errors import SettingsError
from core.fairness.metrics.arrays import BoolArray, FloatArray, IndexArray, Label
from core.fairness.metrics.conclusion import Conclusion, MetricOfGroups, conclude
from core.fairness.metrics.definitions import (
    DEFINITIONS,
    Disparity,
    DisparityMethod,
    compared_rates,
    extreme_groups,
    largest_difference,
    smallest_ratio,
    summarize,
)
from core.fairness.metrics.group_intervals import GroupIntervals
from core.fairness.metrics.group_table import flat
from core.fairness.metrics.groups import Grouping, is_missing, label_text
from core.fairness.metrics.intervals import benjamini_hochberg
from core.fairness.metrics.options import Options
from core.fairness.metrics.pairs import PairwiseGaps, pairwise_gaps
from core.fairness.metrics.rates import RateValues
from core.fairness.metrics.registry import metric_record

__all__ = ["GroupMetrics"]

Measure: TypeAlias = Callable[[FloatArray, float, BoolArray, DisparityMethod], float]


def _doubt(gaps: PairwiseGaps) -> tuple[float, float]:
    """Return what sorts metrics by their surest gaps: the surest first, then the widest, those without one last."""
    return (np.inf, 0.0) if gaps.surest is None else (gaps.surest.p_value, -gaps.surest.gap)


@dataclass(frozen=True)
class GroupMetrics(GroupIntervals):
    """Metrics of each group, of all rows, and the disparities between groups; the parameters are `GroupTable`'s.

    See Also
    --------
    group_metrics : Computes them from rows.

    Examples
    --------
    >>> from core.fairness import group_metrics
    >>> metrics = group_metrics([1, 0, 1, 0], [1, 0, 0, 0], ["a", "a", "b", "b"], min_group_size=0)
    >>> metrics.by_group["selection_rate"].to_dict(), metrics.difference()["selection_rate"].item()
    ({'a': 0.5, 'b': 0.0}, 0.5)
    """

    @classmethod
    def from_cells(cls, grouping: Grouping, cells: FloatArray, options: Options) -> GroupMetrics:
        """Make one from counts, which may be expected ones."""
        level_of_group, level_labels = grouping.levels
        levels = 1 if level_labels is None else len(level_labels)
        by_level = np.zeros((levels, 4))
        np.add.at(by_level, level_of_group, cells)
        return cls(
            grouping.labels,
            cells.sum(axis=1),
            [RateValues(cells)],
            [RateValues(by_level)],
            level_of_group,
            level_labels,
            options,
            cells[:, 2] + cells[:, 3],
            by_level.sum(axis=1),
        )

    @classmethod
    def from_weighted(
        cls, grouping: Grouping, positive: BoolArray, by_group: RateValues, overall: RateValues, options: Options
    ) -> GroupMetrics:
        """Make one of weighted rows: the rates come from the weights, sizes of groups are numbers of rows.

        Parameters
        ----------
        grouping : Grouping
            Groups of the rows, without control features.
        positive : array of shape (n,)
            Whether each row has the positive label.
        by_group, overall : RateValues
            Rates of each group, and of all rows.
        options : Options
            Options of the metrics.
        """
        codes, groups = grouping.codes, len(grouping)
        return cls(
            grouping.labels,
            np.bincount(codes, minlength=groups).astype(float),
            [by_group],
            [overall],
            np.zeros(groups, dtype=np.intp),
            None,
            options,
            np.bincount(codes, weights=positive, minlength=groups).astype(float),
            np.array([float(len(codes))]),
        )

    @property
    def verdict(self) -> str:
        """How the groups differ in demographic parity, or in the mean error of numbers, in sentences."""
        return self.describe()

    def describe(self, definition: str = "demographic_parity") -> str:
        """Return the text of `core.fairness.verdict` for a definition of fairness."""
        return self.conclude(definition).text

    def conclude(self, definition: str = "demographic_parity") -> Conclusion:
        """Return what `core.fairness.conclude` returns for a definition of fairness."""
        if self.level_labels is not None:
            raise SettingsError("A verdict is about one table of groups.", "Leave the control features out.")
        record = None if self.rates is None else DEFINITIONS.require(definition)
        names = ("mean_error",) if record is None else record.metrics
        unknown = [name for name in names if name not in self.metrics]
        if unknown:
            raise SettingsError(f"These metrics have no {unknown[0]}.", f"Compute {', '.join(names)} as well.")
        gaps = self.surest_gaps(names)
        column = self.metrics.index(gaps.metric)
        return conclude(
            MetricOfGroups(
                metric_record(gaps.metric),
                [label_text(label) for label in self.labels],
                self.rows,
                self._values[:, column],
                self._usable[:, column],
                np.array([is_missing(label) for label in self.labels], dtype=bool),
                float(self.tests.loc[gaps.metric, "p_value"]),
            ),
            gaps,
            definition=record,
            positive=self.options.positive,
            min_group_size=self.options.min_group_size,
            definitions=self._definitions,
            notices=self.notices,
        )

    @property
    def _definitions(self) -> int:
        """Number of rates in which people look for a difference: p-values and gaps are adjusted for them."""
        return max(1, len(set(compared_rates()) & set(self.metrics)))

    def surest_gaps(self, names: Sequence[str]) -> PairwiseGaps:
        """Return the pairs of groups in that of several metrics whose surest gap is surest."""
        for name in names:
            if name not in self._pairs:
                self._pairs[name] = pairwise_gaps(self, name, definitions=self._definitions)
        return min((self._pairs[name] for name in names), key=_doubt)

    @cached_property
    def _pairs(self) -> dict[str, PairwiseGaps]:
        """Pairs of groups by metric, as far as they were compared."""
        return {}

    def _disparities(self, measure: Measure, method: DisparityMethod) -> pd.Series | pd.DataFrame:
        if method not in ("between_groups", "to_overall"):
            raise SettingsError(f"Unknown method '{method}'.", "Use between_groups or to_overall.")

        def measure_level(level: int, groups: IndexArray) -> list[float]:
            return [
                measure(self._values[groups, i], self._level_values[level, i], self._usable[groups, i], method)
                for i in range(len(self.metrics))
            ]

        table = pd.DataFrame(self._per_level(measure_level), columns=self.metrics, index=self.level_labels)
        return table.iloc[0].rename(None) if self.level_labels is None else table

    def difference(self, method: DisparityMethod = "between_groups") -> pd.Series | pd.DataFrame:
        """Return the largest gap of each metric, without small groups.

        Parameters
        ----------
        method : {"between_groups", "to_overall"}, default="between_groups"
            "between_groups" is the highest minus the lowest value; "to_overall" is the largest distance from the value
            of all rows.

        See Also
        --------
        ratio : The smallest ratio.
        difference_intervals : Gaps to a reference group with their intervals.
        """
        return self._disparities(largest_difference, method)

    def ratio(self, method: DisparityMethod = "between_groups") -> pd.Series | pd.DataFrame:
        """Return the smallest ratio of each metric, at most 1, without small groups.

        Parameters
        ----------
        method : {"between_groups", "to_overall"}, default="between_groups"
            See `difference`.

        See Also
        --------
        difference : The largest gap.
        """
        return self._disparities(smallest_ratio, method)

    @cached_property
    def tests(self) -> pd.DataFrame:
        """One row per metric (and control level): the largest difference, its p-value, and that p-value adjusted.

        The p-value is that of groups permuted over the rows: chi-squared for rates, squared distances in standard
        errors for the other metrics; unknown for the calibration error. It is adjusted for all metrics by Benjamini
        and Hochberg. `core.fairness.pairwise_gaps` says which groups differ.
        """
        random = np.random.default_rng(self.options.random_state)
        usable = np.zeros((len(self.labels), len(self._known)), dtype=bool)
        usable[:, self._columns] = self._usable
        ends = np.cumsum([0, *(len(values.names) for values in self.metric_values)])

        def test_level(level: int, groups: IndexArray) -> pd.DataFrame:
            chosen = self.level_of_group == level
            p = self._stack(
                [
                    values.test(chosen, usable[:, begin:end], self.options.n_boot, random)
                    for values, begin, end in zip(self.metric_values, ends, ends[1:], strict=False)
                ]
            )
            gap = [
                largest_difference(self._values[groups, i], 0.0, self._usable[groups, i])
                for i in range(len(self.metrics))
            ]
            return pd.DataFrame(
                {"difference": gap, "p_value": p, "p_adjusted": benjamini_hochberg(p)},
                index=pd.Index(self.metrics, name="metric"),
            )

        return self._join_levels(self._per_level(test_level))

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row per definition of fairness (and control level): worst rate, difference, ratio, groups, p-value.

        Equalized odds takes the worse of both rates, as Fairlearn does.
        """
        if self.rates is None:
            raise SettingsError("The definitions of fairness are about decisions, not numbers.", "Use tests instead.")

        def summarize_level(level: int, groups: IndexArray) -> pd.DataFrame:
            tests = self.tests if self.level_labels is None else self.tests.loc[self.level_labels[level]]
            disparities: dict[str, Disparity] = {}
            for i, name in enumerate(self.metrics):
                values, usable = self._values[groups, i], self._usable[groups, i]
                disparities[name] = {
                    "difference": largest_difference(values, 0.0, usable),
                    "ratio": smallest_ratio(values, 0.0, usable),
                    "pair": extreme_groups(values, usable),
                    "p_value": float(tests.loc[name, "p_value"]),
                }
            return summarize(disparities, pd.Index([self._short_label(group) for group in groups]))

        return self._join_levels(self._per_level(summarize_level))

    def _join_levels(self, tables: list[pd.DataFrame]) -> pd.DataFrame:
        if self.level_labels is None:
            return tables[0]
        return pd.concat(dict(zip(self.level_labels, tables, strict=True)))

    def to_dict(self) -> dict[str, list[dict[str, Any]]]:
        """Return all tables as JSON-serializable records."""
        tables = {
            "by_group": self.by_group,
            "intervals": self.intervals,
            "gaps": self.difference_intervals,
            "tests": self.tests,
            "small_groups": self.small_groups,
        }
        if self.rates is not None:
            tables["summary"] = self.summary
        tables["overall"] = self.overall.to_frame().T if isinstance(self.overall, pd.Series) else self.overall

        def records(table: pd.DataFrame) -> list[dict[str, Any]]:
            cells = flat(table).astype(object)
            rows = cells.where(cells.notna(), None).to_dict(orient="records")
            return [{str(name): _as_json(value) for name, value in row.items()} for row in rows]

        return {name: records(table) for name, table in tables.items()}


def _as_json(value: Label | None) -> Label | None:
    """Return a cell that JSON can store: labels such as intervals and dates as text."""
    return value if value is None or isinstance(value, str | bool | int | float | np.generic) else label_text(value)
