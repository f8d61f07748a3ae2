"""Metrics by group: every figure from counts made once, and how sure each one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import SettingsError
from core.fairness import _disparity
from core.fairness._cells import RATES
from core.fairness._figures import CellFigures, Figures
from core.fairness._groups import Grouping, label_text
from core.fairness._intervals import benjamini_hochberg, mover, percentiles

__all__ = ["GroupMetrics", "Options", "flat"]

Array = NDArray[np.float64]
Method = Literal["between_groups", "to_overall"]


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
class Options:
    """What does not change the counts: which metrics, how sure, which groups are small, which one is the reference."""

    metrics: tuple[str, ...] | None = None
    confidence: float = 0.95
    n_boot: int = 2000
    min_group_size: int = 30
    random_state: int = 0
    reference_group: Any = None

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            raise SettingsError(f"The confidence is {self.confidence}.", "Give a number between 0 and 1.")
        if self.n_boot < 100:
            raise SettingsError(f"{self.n_boot} resamples are too few for an interval.", "Use 100 or more.")
        if self.min_group_size < 0:
            raise SettingsError(f"The smallest group size is {self.min_group_size}.", "Use 0 or more.")


@dataclass(frozen=True)
class GroupMetrics:
    """Metrics of each group, of all rows, and the disparities between groups.

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

    Examples
    --------
    >>> from core.fairness import group_metrics
    >>> found = group_metrics([1, 0, 1, 0], [1, 0, 0, 0], ["a", "a", "b", "b"], min_group_size=0)
    >>> found.by_group["selection_rate"].to_dict(), found.difference()["selection_rate"].item()
    ({'a': 0.5, 'b': 0.0}, 0.5)
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

    @classmethod
    def from_cells(cls, grouping: Grouping, cells: Array, options: Options) -> GroupMetrics:
        """Make one from counts, which may be expected ones."""
        level_of_group, level_labels = grouping.levels
        levels = 1 if level_labels is None else len(level_labels)
        by_level = np.zeros((levels, 4))
        np.add.at(by_level, level_of_group, cells)
        return cls(
            grouping.labels, cells.sum(axis=1), [CellFigures(cells)], [CellFigures(by_level)], level_of_group,
            level_labels, options, cells[:, 2] + cells[:, 3], by_level.sum(axis=1),
        )  # fmt: skip

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

    def _disparities(self, measure: Any, method: Method) -> pd.Series | pd.DataFrame:
        if method not in ("between_groups", "to_overall"):
            raise SettingsError(f"There is no method '{method}'.", "Use between_groups or to_overall.")

        def of(level: int, groups: NDArray[np.intp]) -> list[float]:
            return [measure(self._values[groups, i], self._level_values[level, i], self._usable[groups, i], method)
                    for i in range(len(self.metrics))]  # fmt: skip

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
        methods = dict(zip([n for each in self.figures for n in each.names], [m for _, _, ms in found for m in ms],
                           strict=True))  # fmt: skip
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
            {"value": self._values, "low": low, "high": high, "n": behind,
             "method": np.tile(np.array(methods, dtype=object), (len(self.labels), 1)), "small": ~self._usable}
        )  # fmt: skip

    def _long(self, columns: dict[str, NDArray[Any]]) -> pd.DataFrame:
        told = [str(name or f"group_{place}") for place, name in enumerate(self.labels.names)]
        names = [*("metric (group)" if name == "metric" else name for name in told), "metric"]
        tuples = [(*(label if isinstance(label, tuple) else (label,)), metric)
                  for label in self.labels for metric in self.metrics]  # fmt: skip
        index = pd.MultiIndex.from_tuples(tuples, names=names)
        return pd.DataFrame({name: values.ravel() for name, values in columns.items()}, index=index)

    @cached_property
    def overall_intervals(self) -> pd.DataFrame:
        """The same of all rows: one row a metric (and control level)."""
        random = np.random.default_rng(self.options.random_state)
        found = [each.intervals(self.options.confidence, self.options.n_boot, random) for each in self.level_figures]
        levels: list[Any] = ["all"] if self.level_labels is None else list(self.level_labels)
        index = pd.MultiIndex.from_product([levels, self.metrics], names=["level", "metric"])
        columns = {"value": self._level_values, "low": self._stack([low for low, _, _ in found]),
                   "high": self._stack([high for _, high, _ in found])}  # fmt: skip
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

    def _short(self, place: int) -> str:
        """Return a group's label without its control level."""
        label = self.labels[place]
        if self.level_labels is None:
            return label_text(label)
        parts = label[self.level_labels.nlevels :]
        return label_text(parts if len(parts) > 1 else parts[0])

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
            {"gap": gap, "low": np.where(own, 0.0, below), "high": np.where(own, 0.0, above),
             "reference": np.repeat(names[:, None], len(self.metrics), axis=1),
             "small": ~(self._usable & self._usable[ref])}
        )  # fmt: skip
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
            p = self._stack([each.test(chosen, usable[:, begin:end], self.options.n_boot, random)
                             for each, begin, end in zip(self.figures, ends, ends[1:], strict=False)])  # fmt: skip
            gap = [_disparity.gaps(self._values[groups, i], 0.0, self._usable[groups, i], "between_groups")
                   for i in range(len(self.metrics))]  # fmt: skip
            return pd.DataFrame({"difference": gap, "p_value": p, "p_adjusted": benjamini_hochberg(p)},
                                index=pd.Index(self.metrics, name="metric"))  # fmt: skip

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

        tables = {"by_group": self.by_group, "intervals": self.intervals, "gaps": self.difference_intervals,
                  "tests": self.tests, "small_groups": self.small_groups}  # fmt: skip
        if any(isinstance(each, CellFigures) for each in self.figures):
            tables["summary"] = self.summary
        overall = self.overall.to_frame().T if isinstance(self.overall, pd.Series) else self.overall
        tables["overall"] = overall

        def records(table: pd.DataFrame) -> list[dict[str, Any]]:
            plain = flat(table).astype(object)
            return plain.where(plain.notna(), None).to_dict(orient="records")

        return {kind: records(table) for kind, table in tables.items()}
