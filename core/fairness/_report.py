"""A report of fairness as one file for people: HTML with its charts inside, or Markdown; and its tables."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from core.fairness.metrics.disparity import DEFINITIONS
from core.fairness.metrics.group_metrics import GroupMetrics
from core.fairness.metrics.group_table import flat
from core.fairness.metrics.groups import label_text
from core.fairness.metrics.rates import CellFigures
from core.fairness.metrics.verdict import verdict

__all__ = ["FairnessReport"]

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2733;background:#fff}
table{border-collapse:collapse;margin:1rem 0;font-variant-numeric:tabular-nums;display:block;overflow-x:auto}
th,td{border-bottom:1px solid #dde3e9;padding:.3rem .7rem;text-align:right}
th:first-child,td:first-child{text-align:left}h2{margin-top:2rem}.note{color:#5a6773}svg{max-width:100%;height:auto}
"""
_CAVEATS = (
    "Parity on these rows is no promise for others: look again when people or the model change.",
    "Intervals say how much chance is in the figures, not whether labels are just.",
    "Groups with few rows are listed, and left out of differences and ratios.",
    "No definition fits all questions, and several cannot hold at once when base rates differ.",
)


@dataclass(frozen=True)
class FairnessReport:
    """What a look at fairness found.

    Parameters
    ----------
    title : str
        What was looked at.
    facts : mapping
        Where the figures come from: table, fingerprint, rows, settings.
    found : GroupMetrics
        The model's own decisions on the test rows.
    definition : str
        The definition of fairness that was asked about.
    policy : dict, optional
        A rule that was applied (`ThresholdPolicy.to_dict`).
    under_policy : GroupMetrics, optional
        The test rows when it decides.
    mitigations : DataFrame, optional
        The table of a `MitigationResult`.
    """

    title: str
    facts: Mapping[str, Any]
    found: GroupMetrics
    definition: str = "demographic_parity"
    policy: Mapping[str, Any] | None = None
    under_policy: GroupMetrics | None = None
    mitigations: pd.DataFrame | None = None
    caveats: Sequence[str] = field(default=_CAVEATS)

    @property
    def decisions(self) -> bool:
        """Whether it is about decisions, not predicted numbers."""
        return any(isinstance(each, CellFigures) for each in self.found.figures)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table by its name."""
        named = {"Groups": _by_group(self.found)}
        if self.decisions:
            named["Definitions"] = flat(self.found.summary)
        named |= {
            "Intervals": flat(self.found.intervals),
            "Gaps to the reference group": flat(self.found.difference_intervals),
            "Tests": flat(self.found.tests),
        }
        if len(self.found.small_groups):
            named["Too few rows to compare"] = self.found.small_groups
        if self.policy is not None:
            rules = [
                {"group": group, "threshold": part["threshold"], "probability": part["probability"]}
                for group, rule in self.policy["rules"].items()
                for part in rule
            ]
            named["Rules"] = pd.DataFrame(rules)
        if self.under_policy is not None:
            named["Groups under the rules"] = _by_group(self.under_policy)
        if self.mitigations is not None:
            named["Mitigations"] = self.mitigations
        return named

    def _sections(self) -> list[tuple[str, str, pd.DataFrame | None]]:
        """Return (heading, text, table) in the order of the report."""
        tables = self.tables()
        facts = pd.DataFrame({"": list(map(str, self.facts)), " ": [str(value) for value in self.facts.values()]})
        parts: list[tuple[str, str, pd.DataFrame | None]] = [("What was looked at", "", facts)]
        if self.decisions:
            told = DEFINITIONS[self.definition]
            parts.append((told.title, f"{told.question} {told.when}", None))
        texts = {
            "Rules": "A row is selected when its score reaches the threshold that counts for it.",
            "Intervals": f"{self.found.options.confidence:.0%} intervals.",
            "Tests": "p-values of no difference between groups; adjusted for all metrics (Benjamini, Hochberg).",
        }
        return [*parts, *((name, texts.get(name, ""), table) for name, table in tables.items())]

    def to_markdown(self) -> str:
        """Return the report as Markdown."""
        lines = [f"# {self.title}", "", verdict(self.found, self.definition), ""]
        for heading, text, table in self._sections():
            lines += [f"## {heading}", ""]
            if text:
                lines += [text, ""]
            if table is not None:
                lines += [*_markdown(table), ""]
        return "\n".join([*lines, "## Caveats", "", *(f"* {caveat}" for caveat in self.caveats), ""])

    def to_html(self) -> str:
        """Return the report as one HTML file; it loads nothing."""
        parts = [
            f"<h1>{html.escape(self.title)}</h1>",
            f"<p><b>{html.escape(verdict(self.found, self.definition))}</b></p>",
        ]
        metrics = DEFINITIONS[self.definition].metrics if self.decisions else ("mean_error", "mae")
        parts += [_chart(self.found, metric) for metric in metrics if metric in self.found.metrics]
        for heading, text, table in self._sections():
            parts.append(f"<h2>{html.escape(heading)}</h2>")
            if text:
                parts.append(f"<p class='note'>{html.escape(text)}</p>")
            if table is not None:
                parts.append(_told(table).to_html(index=False, border=0, escape=True, na_rep="n/a"))
        parts += ["<h2>Caveats</h2><ul>", *(f"<li>{html.escape(caveat)}</li>" for caveat in self.caveats), "</ul>"]
        return (
            f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{html.escape(self.title)}</title>"
            f"<style>{_STYLE}</style><body>{''.join(parts)}</body></html>"
        )


def _by_group(found: GroupMetrics) -> pd.DataFrame:
    table = found.by_group.reset_index(drop=True)
    table.insert(0, "group", [label_text(label) for label in found.labels])
    return table


def _told(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its numbers as people read them."""

    def cell(value: Any) -> str:
        if value is None or (isinstance(value, float) and np.isnan(value)):
            return "n/a"
        if isinstance(value, bool | np.bool_):
            return "yes" if value else "no"
        if isinstance(value, float | np.floating):
            number = float(value)
            return f"{number:,.0f}" if number.is_integer() and abs(number) >= 1 else f"{number:,.4g}"
        return f"{int(value):,}" if isinstance(value, int | np.integer) else label_text(value)

    return table.rename(columns=lambda name: str(name).replace("_", " ")).map(cell)


def _markdown(table: pd.DataFrame) -> list[str]:
    told = _told(table)

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return [line(list(told.columns)), line(["---"] * told.shape[1]), *(line(list(row)) for row in told.to_numpy())]


def _chart(found: GroupMetrics, metric: str) -> str:
    """Draw a metric of each group as a dot on its interval, as SVG."""
    table = found.intervals.xs(metric, level="metric").copy()
    table.index = [label_text(label) for label in found.labels]
    table = table[np.isfinite(table["value"].astype(float))].sort_values("value", ascending=False).head(40)
    if table.empty:
        return ""
    low, high = float(table["low"].min()), float(table["high"].max())
    width, left, step = 720, 220, 26
    scale = (width - left - 60) / (high - low or 1)

    rows = []
    for place, (name, row) in enumerate(table.iterrows()):
        y, colour = 30 + place * step, "#9aa4ad" if row["small"] else "#0072B2"
        label = html.escape(str(name)[:30]) + (" (few rows)" if row["small"] else "")
        left_end, dot, right_end = (
            f"{left + (float(row[part]) - low) * scale:.1f}" for part in ("low", "value", "high")
        )
        rows.append(
            f"<text x='{left - 12}' y='{y + 4}' text-anchor='end' font-size='13'>{label}</text>"
            f"<line x1='{left_end}' x2='{right_end}' y1='{y}' y2='{y}' stroke='{colour}' stroke-width='3'/>"
            f"<circle cx='{dot}' cy='{y}' r='5' fill='{colour}'/>"
            f"<text x='{float(right_end) + 8:.1f}' y='{y + 4}' font-size='12' fill='#5a6773'>{row['value']:.3g}</text>"
        )
    title = f"{metric.replace('_', ' ').capitalize()} by group, with {found.options.confidence:.0%} intervals"
    return (
        f"<svg role='img' aria-label='{title}' viewBox='0 0 {width} {40 + len(rows) * step}' width='{width}'>"
        f"<text x='0' y='12' font-size='14' font-weight='600'>{title}</text>{''.join(rows)}</svg>"
    )
