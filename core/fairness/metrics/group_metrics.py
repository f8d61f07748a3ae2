"""Metrics by group: every figure from counts made once, and how sure each one is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import SettingsError
from core.fairness.metrics import disparity as _disparity
from core.fairness.metrics.counts import RATES
from core.fairness.metrics.group_table import Array, GroupTable, flat
from core.fairness.metrics.groups import Grouping, label_text
from core.fairness.metrics.intervals import benjamini_hochberg, mover, percentiles
from core.fairness.metrics.options import Options
from core.fairness.metrics.rates import CellFigures

__all__ = ["GroupMetrics"]

Method = Literal["between_groups", "to_overall"]


@dataclass(frozen=True)
class GroupMetrics(GroupTable):
    """Metrics of each group, of all rows, and the disparities between groups; the parameters are `GroupTable`'s.

    Examples
    --------
    >>> from core.fairness import group_metrics
    >>> found = group_metrics([1, 0, 1, 0], [1, 0, 0, 0], ["a", "a", "b", "b"], min_group_size=0)
    >>> found.by_group["selection_rate"].to_dict(), found.difference()["selection_rate"].item()
    ({'a': 0.5, 'b': 0.0}, 0.5)
    """

    @classmethod
    def from_cells(cls, grouping: Grouping, cells: Array, options: Options) -> GroupMetrics:
        """Make one from counts, which may be expected ones."""
        level_of_group, level_labels = grouping.levels
        levels = 1 if level_labels is None else len(level_labels)
        by_level = np.zeros((levels, 4))
        np.add.at(by_level, level_of_group, cells)
        return cls(
            grouping.labels,
            cells.sum(axis=1),
            [CellFigures(cells)],
            [CellFigures(by_level)],
            level_of_group,
            level_labels,
            options,
            cells[:, 2] + cells[:, 3],
            by_level.sum(axis=1),
        )

    def _disparities(self, measure: Any, method: Method) -> pd.Series | pd.DataFrame:
        if method not in ("between_groups", "to_overall"):
            raise SettingsError(f"There is no method '{method}'.", "Use between_groups or to_overall.")

        def of(level: int, groups: NDArray[np.intp]) -> list[float]:
            return [
                measure(self._values[groups, i], self._level_values[level, i], self._usable[groups, i], method)
                for i in range(len(self.metrics))
            ]

        table = pd.DataFrame(self._per_level(of), columns=self.metrics, index=self.level_labels)
        return table.iloc[0].rename(None) if self.level_labels is None else table

    def difference(self, method: Method = "between_groups") -> pd.Series | pd.DataFrame:
        """Return the largest gap of each metric, small groups left out.

        Parameters
        ----------
        method : str
            between_groups: the highest minus the lowest; to_overall: the largest distance to all rows' value.
        """
        return self._disparities(_disparity.gaps, method)

    def ratio(self, method: Method = "between_groups") -> pd.Series | pd.DataFrame:
        """Return the smallest ratio of each metric, at most 1, small groups left out."""
        return self._disparities(_disparity.ratios, method)

    @cached_property
    def _bounds(self) -> tuple[Array, Array, list[str]]:
        random = np.random.default_rng(self.options.random_state)
        found = [each.intervals(self.options.confidence, self.options.n_boot, random) for each in self.figures]
        methods = dict(
            zip([n for each in self.figures for n in each.names], [m for _, _, ms in found for m in ms], strict=True)
        )
        return (
            self._stack([low for low, _, _ in found]),
            self._stack([high for _, high, _ in found]),
            [methods[name] for name in self.metrics],
        )

    @cached_property
    def intervals(self) -> pd.DataFrame:
        """One row a group and metric: value, low, high, n (the rows behind it), method, small."""
        low, high, methods = self._bounds
        behind = self._stack([each.denominators for each in self.figures])
        return self._long(
            {
                "value": self._values,
                "low": low,
                "high": high,
                "n": behind,
                "method": np.tile(np.array(methods, dtype=object), (len(self.labels), 1)),
                "small": ~self._usable,
            }
        )

    @cached_property
    def overall_intervals(self) -> pd.DataFrame:
        """The same of all rows: one row a metric (and control level)."""
        random = np.random.default_rng(self.options.random_state)
        found = [each.intervals(self.options.confidence, self.options.n_boot, random) for each in self.level_figures]
        levels: list[Any] = ["all"] if self.level_labels is None else list(self.level_labels)
        index = pd.MultiIndex.from_product([levels, self.metrics], names=["level", "metric"])
        columns = {
            "value": self._level_values,
            "low": self._stack([low for low, _, _ in found]),
            "high": self._stack([high for _, high, _ in found]),
        }
        table = pd.DataFrame({name: values.ravel() for name, values in columns.items()}, index=index)
        return table.droplevel("level") if self.level_labels is None else table

    @cached_property
    def reference(self) -> NDArray[np.intp]:
        """The place of the reference group of each group: the largest of its control level, or the chosen one."""
        found = np.zeros(len(self.labels), dtype=np.intp)
        for groups in self._per_level(lambda _, groups: groups):
            chosen = groups[np.argmax(self.rows[groups])]
            if self.options.reference_group is not None:
                wanted = label_text(self.options.reference_group)
                texts = [self._short(place) for place in groups]
                if wanted not in texts:
                    raise SettingsError(
                        f"There is no group '{wanted}' to compare with.", f"Choose one of {', '.join(texts[:10])}."
                    )
                chosen = groups[texts.index(wanted)]
            found[groups] = chosen
        return found

    @cached_property
    def difference_intervals(self) -> pd.DataFrame:
        """One row a group and metric: the signed gap to the reference group, low, high; an interval may hold 0."""
        low, high, _ = self._bounds
        ref = self.reference
        below, above = mover(self._values, (low, high), self._values[ref], (low[ref], high[ref]))
        own = (np.arange(len(ref)) == ref)[:, None]
        gap = self._values - self._values[ref]
        names = np.array([self._short(place) for place in ref], dtype=object)
        table = self._long(
            {
                "gap": gap,
                "low": np.where(own, 0.0, below),
                "high": np.where(own, 0.0, above),
                "reference": np.repeat(names[:, None], len(self.metrics), axis=1),
                "small": ~(self._usable & self._usable[ref]),
            }
        )
        return table[~np.repeat(own.ravel(), len(self.metrics))]

    @cached_property
    def ratio_intervals(self) -> pd.DataFrame:
        """One row a group and rate: the ratio to the reference group, low, high, and resamples without a ratio.

        Bootstrap of rows within each group. Figures of scores and of numbers have no ratio here.
        """
        cells = next((each for each in self.figures if isinstance(each, CellFigures)), None)
        if cells is None:
            raise SettingsError("Figures of numbers have no ratios.", "Use difference_intervals.")
        names = [name for name in RATES if name in self.metrics]
        places = [RATES.index(name) for name in names]
        drawn = cells.draw(self.options.n_boot, np.random.default_rng(self.options.random_state))[..., places]
        values = cells.values[:, places]
        with np.errstate(invalid="ignore", divide="ignore"):
            low, high, unknown = percentiles(drawn / drawn[:, self.reference], self.options.confidence)
            ratio = values / values[self.reference]
        table = pd.DataFrame(
            {"ratio": ratio.ravel(), "low": low.ravel(), "high": high.ravel(), "undefined": unknown.ravel()},
            index=pd.MultiIndex.from_tuples(
                [(*(label if isinstance(label, tuple) else (label,)), name) for label in self.labels for name in names]
            ),
        )
        return table[~np.repeat(np.arange(len(self.labels)) == self.reference, len(names))]

    @cached_property
    def tests(self) -> pd.DataFrame:
        """One row a metric (and control level): the largest difference, its p-value, and that adjusted for all metrics.

        The p-value is that of a permutation of groups over rows (heterogeneity of means for figures of scores and of
        numbers); adjusted by Benjamini and Hochberg.
        """
        random = np.random.default_rng(self.options.random_state)
        usable = np.zeros((len(self.labels), sum(len(each.names) for each in self.figures)), dtype=bool)
        known = [name for each in self.figures for name in each.names]
        usable[:, [known.index(name) for name in self.metrics]] = self._usable
        ends = np.cumsum([0, *(len(each.names) for each in self.figures)])

        def of(level: int, groups: NDArray[np.intp]) -> pd.DataFrame:
            chosen = self.level_of_group == level
            p = self._stack(
                [
                    each.test(chosen, usable[:, begin:end], self.options.n_boot, random)
                    for each, begin, end in zip(self.figures, ends, ends[1:], strict=False)
                ]
            )
            gap = [
                _disparity.gaps(self._values[groups, i], 0.0, self._usable[groups, i], "between_groups")
                for i in range(len(self.metrics))
            ]
            return pd.DataFrame(
                {"difference": gap, "p_value": p, "p_adjusted": benjamini_hochberg(p)},
                index=pd.Index(self.metrics, name="metric"),
            )

        tables = self._per_level(of)
        return tables[0] if self.level_labels is None else pd.concat(dict(zip(self.level_labels, tables, strict=True)))

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row a definition of fairness (and control level): its worst rate, difference, ratio, groups, p-value.

        Equalized odds takes the worse of both rates, as Fairlearn does.
        """
        if not any(isinstance(each, CellFigures) for each in self.figures):
            raise SettingsError("The definitions of fairness are about decisions, not numbers.", "Use tests instead.")

        def of(level: int, groups: NDArray[np.intp]) -> pd.DataFrame:
            tests = self.tests if self.level_labels is None else self.tests.loc[self.level_labels[level]]
            row = {}
            for i, name in enumerate(self.metrics):
                values, usable = self._values[groups, i], self._usable[groups, i]
                row[name] = {
                    "difference": _disparity.gaps(values, 0.0, usable, "between_groups"),
                    "ratio": _disparity.ratios(values, 0.0, usable, "between_groups"),
                    "pair": _disparity.worst_pair(values, usable),
                    "p_value": float(tests.loc[name, "p_value"]),
                }
            return _disparity.summarise(row, pd.Index([self._short(place) for place in groups]))

        tables = self._per_level(of)
        return tables[0] if self.level_labels is None else pd.concat(dict(zip(self.level_labels, tables, strict=True)))

    def to_dict(self) -> dict[str, Any]:
        """Return all tables as JSON-serialisable records."""

        tables = {
            "by_group": self.by_group,
            "intervals": self.intervals,
            "gaps": self.difference_intervals,
            "tests": self.tests,
            "small_groups": self.small_groups,
        }
        if any(isinstance(each, CellFigures) for each in self.figures):
            tables["summary"] = self.summary
        overall = self.overall.to_frame().T if isinstance(self.overall, pd.Series) else self.overall
        tables["overall"] = overall

        def records(table: pd.DataFrame) -> list[dict[str, Any]]:
            plain = flat(table).astype(object)
            return plain.where(plain.notna(), None).to_dict(orient="records")

        return {kind: records(table) for kind, table in tables.items()}
