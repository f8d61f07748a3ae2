"""A fairness report for people as one file: HTML with its charts inside, or Markdown; and its tables."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.fairness.metrics.arrays import Label
from core.fairness.metrics.definitions import DEFINITIONS
from core.fairness.metrics.group_metrics import GroupMetrics
from core.fairness.metrics.group_table import flat
from core.fairness.metrics.groups import label_text
from core.fairness.metrics.impact import IMPACT_CITATION, impact_ratios
from core.fairness.metrics.registry import metric_record
from core.fairness.metrics.verdict import conclude
from core.fairness.rendering import environment
from core.fairness.report_titles import with_titles
from core.spreadsheet import to_csv

__all__ = ["FairnessReport"]

_CAVEATS = (
    "Parity on these rows does not promise parity on others: check again when people or the model change.",
    "Intervals say how much chance is in the values, not whether labels are just.",
    "Groups with few rows are listed, and left out of differences and ratios.",
    "No definition fits all questions, and several cannot hold at once when base rates differ.",
)
_NOTES = {
    "Impact ratios": "Selection rates divided by the highest rate of the groups with enough rows and 2% of all. Ratios "
    f"below 0.80 are looked at by {IMPACT_CITATION}.",
    "Rules": "A row is selected when its score reaches the threshold that applies to it. A group without a rule of its "
    "own has too few rows for one: it has the best threshold of all rows.",
    "Tests": "p-values of no difference between groups; adjusted for all metrics (Benjamini, Hochberg).",
}
_BY_COLUMN = ("Definitions", "Intervals", "Gaps to the reference group", "Tests")
"""Tables with one column for each sensitive or control column, named as in the data."""

_NUMBER_CHARTS = ("mean_error", "mae")
_CHART_ROWS = 40


@dataclass(frozen=True)
class FairnessReport:
    """The result of a fairness analysis.

    Parameters
    ----------
    title : str
        Title of the report.
    facts : mapping
        Origin of the values: table, fingerprint, rows, settings.
    metrics : GroupMetrics
        Metrics of the model's own decisions on the test rows.
    definition : str, default="demographic_parity"
        Name of the definition of fairness that the verdict is about.
    policy : dict, optional
        The rule that was applied (`ThresholdPolicy.to_dict`).
    under_policy : GroupMetrics, optional
        Metrics of the test rows under that rule.
    mitigations : DataFrame, optional
        The table of a `MitigationResult`.
    caveats : sequence of str, optional
        Sentences at the end of the report.
    evidence : sequence of str, default=()
        Sentences on further rows, below the conclusion.
    """

    title: str
    facts: Mapping[str, str]
    metrics: GroupMetrics
    definition: str = "demographic_parity"
    policy: Mapping[str, Any] | None = None
    under_policy: GroupMetrics | None = None
    mitigations: pd.DataFrame | None = None
    caveats: Sequence[str] = _CAVEATS
    evidence: Sequence[str] = ()

    @property
    def decisions(self) -> bool:
        """Whether the report is about decisions, not predicted numbers."""
        return self.metrics.rates is not None

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table by its name."""
        tables = {"Groups": _by_group(self.metrics)}
        if self.decisions:
            if self.metrics.level_labels is None:
                tables["Impact ratios"] = impact_ratios(self.metrics)
            tables["Definitions"] = flat(self.metrics.summary)
        tables |= {
            "Intervals": flat(self.metrics.intervals),
            "Gaps to the reference group": flat(self.metrics.difference_intervals),
            "Tests": flat(self.metrics.tests),
        }
        if len(self.metrics.small_groups):
            tables["Too few rows to compare"] = self.metrics.small_groups
        if self.policy is not None:
            small = self.policy.get("expected", {}).get("small_groups", [])
            rules = [
                {
                    "group": group,
                    "threshold": part["threshold"],
                    "probability": part["probability"],
                    "own_rule": group not in small,
                }
                for group, rule in self.policy["rules"].items()
                for part in rule
            ]
            tables["Rules"] = pd.DataFrame(rules)
        if self.under_policy is not None:
            tables["Groups under the rules"] = _by_group(self.under_policy)
        if self.mitigations is not None:
            tables["Mitigations"] = self.mitigations
        return tables

    def to_zip(self) -> bytes:
        """Return all tables as CSV files in one zip.

        See Also
        --------
        to_html : The report for people.
        """
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, table in self.tables().items():
                archive.writestr(f"{name.lower().replace(' ', '-')}.csv", to_csv(table))
        return buffer.getvalue()

    def to_markdown(self) -> str:
        """Return the report as Markdown.

        See Also
        --------
        to_html : The report with charts.
        """
        return self._render("report.md.jinja", charts=[])

    def to_html(self) -> str:
        """Return the report as one HTML file; it loads nothing.

        See Also
        --------
        to_markdown : The report without charts.
        """
        metrics = DEFINITIONS[self.definition].metrics if self.decisions else _NUMBER_CHARTS
        charts = (_Chart.of(self.metrics, metric) for metric in metrics if metric in self.metrics.metrics)
        return self._render("report.html.jinja", charts=[chart for chart in charts if chart.rows])

    def _render(self, template: str, charts: list[_Chart]) -> str:
        conclusion = conclude(self.metrics, self.definition)
        return (
            environment()
            .get_template(template)
            .render(
                title=self.title,
                finding=conclusion.finding,
                sentences=[*conclusion.notes, *self.evidence],
                charts=charts,
                sections=self._sections(),
                caveats=self.caveats,
            )
        )

    def _sections(self) -> list[_Section]:
        facts = pd.DataFrame({"": list(self.facts), " ": list(map(str, self.facts.values()))})
        sections = [_Section.of("Analysis", "", facts)]
        if self.decisions:
            definition = DEFINITIONS[self.definition]
            sections.append(_Section(definition.title, definition.help))
        notes = _NOTES | {"Intervals": f"{self.metrics.options.confidence:.0%} intervals."}
        given = {str(name) for name in self.metrics.labels.names}
        tables = {
            name: with_titles(table, given if name in _BY_COLUMN else ()) for name, table in self.tables().items()
        }
        return [*sections, *(_Section.of(name, notes.get(name, ""), table) for name, table in tables.items())]


@dataclass(frozen=True)
class _Section:
    """A heading, a note, and a table of texts."""

    heading: str
    text: str
    columns: list[str] | None = None
    rows: Sequence[Sequence[str]] = ()

    @classmethod
    def of(cls, heading: str, text: str, table: pd.DataFrame) -> _Section:
        columns = [str(name) for name in table.columns]
        return cls(heading, text, columns, [[_cell_text(cell) for cell in row] for row in table.to_numpy(object)])


@dataclass(frozen=True)
class _ChartRow:
    """A group in a chart: its label and the positions of its interval."""

    y: int
    label: str
    low: str
    dot: str
    high: str
    text_x: str
    value: str
    color: str


@dataclass(frozen=True)
class _Chart:
    """A metric of each group as a dot on its interval."""

    title: str
    rows: list[_ChartRow]
    width: int = 720
    left: int = 220
    step: int = 26

    @property
    def height(self) -> int:
        return 40 + len(self.rows) * self.step

    @classmethod
    def of(cls, metrics: GroupMetrics, metric: str) -> _Chart:
        table = metrics.intervals.xs(metric, level="metric").copy()
        table.index = [label_text(label) for label in metrics.labels]
        table = table[np.isfinite(table["value"].astype(float))].sort_values("value", ascending=False)
        table = table.head(_CHART_ROWS)
        low, high = float(table["low"].min()), float(table["high"].max())
        scale = (cls.width - cls.left - 60) / (high - low or 1)

        def x(value: float) -> float:
            return cls.left + (float(value) - low) * scale

        rows = [
            _ChartRow(
                y=30 + number * cls.step,
                label=str(name)[:30] + (" (few rows)" if row["small"] else ""),
                low=f"{x(row['low']):.1f}",
                dot=f"{x(row['value']):.1f}",
                high=f"{x(row['high']):.1f}",
                text_x=f"{x(row['high']) + 8:.1f}",
                value=f"{row['value']:.3g}",
                color="#9aa4ad" if row["small"] else "#0072B2",
            )
            for number, (name, row) in enumerate(table.iterrows())
        ]
        title = f"{metric_record(metric).title} by group, with {metrics.options.confidence:.0%} intervals"
        return cls(title, rows)


def _by_group(metrics: GroupMetrics) -> pd.DataFrame:
    table = metrics.by_group.reset_index(drop=True)
    table.insert(0, "group", [label_text(label) for label in metrics.labels])
    return table


def _cell_text(value: Label) -> str:
    """Return a cell of a table as people read it."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "n/a"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        number = float(value)
        return f"{number:,.0f}" if number.is_integer() and abs(number) >= 1 else f"{number:,.4g}"
    return f"{int(value):,}" if isinstance(value, int | np.integer) else label_text(value)
