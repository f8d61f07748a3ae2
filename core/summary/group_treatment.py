"""Who is treated how: the metrics of each group of the sensitive columns."""

from __future__ import annotations

from pydantic import JsonValue

from core import policies
from core.automl import natural_frequency
from core.charts import StaticChart
from core.fairness import metric_record
from core.models import ModelCard, RunEvidence
from core.summary.document import SummarySection, SummaryTable
from core.summary.wording import format_estimate

__all__ = ["group_table", "groups_section"]

_TITLE = "Who is treated how"
_MAX_GROUPS = 12
_MAX_CHARTS = 2


def groups_section(evidence: RunEvidence, card: ModelCard) -> SummarySection:
    """Return the section, with the groups that the card has."""
    facts = card.facts["groups"]
    section = card["groups"]
    if not isinstance(facts, dict) or not facts:
        reason = "No sensitive columns are marked, so groups of people were not compared."
        if evidence.result.sensitive_columns:
            reason = " ".join(section.text)
        return SummarySection("groups", _TITLE, missing=reason)
    tables, text = [], list(section.text)
    if policies.in_force(evidence.run, access=evidence.access).policy is not None:
        text.insert(0, f"Groups are counted by {policies.without_policy(evidence.labels)}, not by the rule in force.")
    for column, groups in facts.items():
        assert isinstance(groups, dict)
        rows = {str(label): values for label, values in groups.items() if isinstance(values, dict)}
        tables.append(group_table(str(column), rows))
        if len(rows) > _MAX_GROUPS:
            text.append(f"'{column}': the {_MAX_GROUPS} largest of {len(rows):,} groups are listed.")
    charts = tuple(StaticChart.of(figure) for figure in section.figures[:_MAX_CHARTS])
    return SummarySection("groups", _TITLE, tuple(text), tuple(tables), charts)


def _largest(rows: dict[str, dict[str, JsonValue]]) -> list[tuple[str, dict[str, JsonValue]]]:
    def size(item: tuple[str, dict[str, JsonValue]]) -> int:
        count = item[1]["count"]
        return -count if isinstance(count, int) else 0

    return sorted(rows.items(), key=size)[:_MAX_GROUPS]


def group_table(column: str, rows: dict[str, dict[str, JsonValue]]) -> SummaryTable:
    """Return the metrics of the largest groups as a table; shares as numbers out of 100.

    Parameters
    ----------
    column : str
        Name of the sensitive column.
    rows : dict
        Number of rows as count, and value, low and high by metric, of each group by its name.
    """
    names = [name for name in next(iter(rows.values())) if name != "count"]
    titles = [_metric_title(name) for name in names]
    lines = []
    for label, values in _largest(rows):
        cells = [_cell(name, values[name]) for name in names]
        lines.append((label, f"{values['count']:,}", *cells))
    return SummaryTable((column, "Rows", *titles), tuple(lines), numeric=tuple(range(1, len(names) + 2)))


def _metric_title(name: str) -> str:
    record = metric_record(name)
    return f"{record.title}, of 100" if record.unit == "share" else record.title


def _cell(name: str, parts: JsonValue) -> str:
    assert isinstance(parts, dict)
    value, low, high = (_number(parts[part]) for part in ("value", "low", "high"))
    if value is None:
        return "n/a"
    if metric_record(name).unit != "share":
        interval = "" if low is None else f" [{format_estimate(low, low, high)}, {format_estimate(high, low, high)}]"
        return f"{format_estimate(value, low, high)}{interval}"
    interval = "" if low is None or high is None else f" [{100 * low:.0f}, {100 * high:.0f}]"
    return f"{natural_frequency(value).removesuffix(' of 100')}{interval}"


def _number(value: JsonValue) -> float | None:
    return float(value) if isinstance(value, int | float) else None
