"""The summary of a comparison of groups."""

from __future__ import annotations

import math
from functools import partial

from pydantic import JsonValue

from core.automl import natural_frequency
from core.charts import Figure, StaticChart, group_intervals_chart
from core.fairness import DEFINITIONS, FairnessReport, GroupMetrics, conclude, label_text, metric_record, verdict
from core.models import code_version
from core.summary.document import ResultSummary, SummaryNotes, SummarySection, SummaryTable
from core.summary.group_treatment import group_table

__all__ = ["summarize_fairness"]

_NUMBER_METRICS = ("mean_error", "mae")
_MAX_SENTENCES = 6
_MAX_CHARTS = 2
_MAX_RULES = 20


def summarize_fairness(report: FairnessReport, notes: SummaryNotes | None = None, *, date: str = "") -> ResultSummary:
    """Return the summary of a comparison of groups.

    Parameters
    ----------
    report : FairnessReport
        The report with all values.
    notes : SummaryNotes, optional
        Notes that a person adds.
    date : str, default=""
        Date of the comparison.

    See Also
    --------
    summarize_model : The summary of a search or a training.
    """
    notes = notes or SummaryNotes()
    metrics = report.metrics
    names = _metrics_of(report)
    sections = [
        _question_section(report, notes),
        _groups_section(report, names),
        _certainty_section(report),
        _rule_section(report),
        _use_section(report, notes),
        SummarySection("data", "Data", tables=(SummaryTable(("", " "), tuple(report.facts.items())),)),
    ]
    software = code_version()
    facts = (
        ("Author", notes.author or "not stated"),
        ("Compared on", date or "not stated"),
        ("Model", report.facts.get("Model", "none: the table's own predictions")),
        ("Plumbline", f"{software['version']} (source {software['source'][:12]})"),
    )
    return ResultSummary(
        kind="Summary of a comparison of groups",
        title=report.title,
        question=_question(report),
        answer=conclude(metrics, report.definition).finding,
        sections=tuple(section for section in sections if section is not None),
        facts=facts,
    )


def _metrics_of(report: FairnessReport) -> list[str]:
    if not report.decisions:
        return [name for name in _NUMBER_METRICS if name in report.metrics.metrics]
    wanted = dict.fromkeys([*DEFINITIONS[report.definition].metrics, "selection_rate", "accuracy"])
    return [name for name in wanted if name in report.metrics.metrics]


def _question(report: FairnessReport) -> str:
    columns = report.facts.get("Sensitive columns", "the sensitive columns")
    if not report.decisions:
        return f"Are predictions as good for every group of {columns}?"
    return f"By {columns}: {DEFINITIONS[report.definition].question}"


def _question_section(report: FairnessReport, notes: SummaryNotes) -> SummarySection:
    text = []
    if report.decisions:
        definition = DEFINITIONS[report.definition]
        text.append(f"Groups are compared by {definition.title.lower()}. {definition.help}")
        if positive := report.facts.get("Favorable outcome"):
            text.append(f"The favorable outcome is '{positive}'; selected means that a person gets it.")
    else:
        text.append("Groups are compared by the errors of predicted numbers.")
    missing = ""
    if notes.intended_use:
        text.append(f"What the decisions are for: {notes.intended_use}")
    else:
        missing = "Nobody has said yet what the decisions are for."
    return SummarySection("question", "What was compared, and for whom", tuple(text), missing=missing)


def _groups_section(report: FairnessReport, names: list[str]) -> SummarySection:
    metrics = report.metrics
    text = []
    if report.decisions and "selection_rate" in names:
        labels = [label_text(label) for label in metrics.labels]
        intervals = metrics.intervals.xs("selection_rate", level="metric")
        order = sorted(range(len(labels)), key=lambda index: -metrics.rows[index])[:_MAX_SENTENCES]
        for index in order:
            row = intervals.iloc[index]
            few = ", few rows" if row["small"] else ""
            if not math.isnan(row["value"]):
                text.append(
                    f"'{labels[index]}': {natural_frequency(float(row['value']))} selected "
                    f"(of {int(metrics.rows[index]):,} rows{few})."
                )
        if len(labels) > _MAX_SENTENCES:
            text.append(f"The {_MAX_SENTENCES} largest of {len(labels):,} groups are written out; the table has more.")
    table = group_table("Group", _facts(metrics, names))
    charts = []
    charted = DEFINITIONS[report.definition].metrics if report.decisions else names
    for name in [name for name in charted if name in names][:_MAX_CHARTS]:
        lines = metrics.intervals.xs(name, level="metric").reset_index(drop=True)
        lines["group"] = [label_text(label) for label in metrics.labels]
        record = metric_record(name)
        if lines["value"].notna().any():
            draw = partial(group_intervals_chart, lines, record.title, percent=record.unit == "share")
            charts.append(StaticChart.of(Figure(name, draw)))
    return SummarySection("groups", "Who is treated how", tuple(text), (table,), tuple(charts))


def _facts(metrics: GroupMetrics, names: list[str]) -> dict[str, dict[str, JsonValue]]:
    """Return count, and value, low and high by metric, of each group; what is not known is None."""

    def parts(index: int, name: str) -> dict[str, JsonValue]:
        row = metrics.intervals.xs(name, level="metric").iloc[index]
        values = {part: float(row[part]) for part in ("value", "low", "high")}
        return {part: value if math.isfinite(value) else None for part, value in values.items()}

    return {
        label_text(label): {"count": int(metrics.rows[index])} | {name: parts(index, name) for name in names}
        for index, label in enumerate(metrics.labels)
    }


def _certainty_section(report: FairnessReport) -> SummarySection:
    metrics = report.metrics
    minimum = metrics.options.min_group_size
    text = [
        f"{int(metrics.rows.sum()):,} rows in {len(metrics.labels):,} groups, with "
        f"{metrics.options.confidence:.0%} intervals. A group needs {minimum:,} rows to be compared."
    ]
    if report.decisions:
        text.append("Interval and p-value of the answer hold for all pairs of groups and all criteria together.")
    text += [*conclude(metrics, report.definition).notes, *report.evidence]
    return SummarySection("certainty", "How sure this is", tuple(text))


def _rule_section(report: FairnessReport) -> SummarySection | None:
    """Return what an applied rule changes; None without one."""
    if report.policy is None or report.under_policy is None:
        return None
    rules = report.policy["rules"]
    rows = tuple(
        (
            str(group),
            f"{part['threshold']:.4g}" if isinstance(part["threshold"], float) else str(part["threshold"]),
            f"{part['probability']:.3g}",
        )
        for group, rule in list(rules.items())[:_MAX_RULES]
        for part in rule
    )
    text = [f"With the rule: {verdict(report.under_policy, report.definition)}"]
    table = SummaryTable(("Group", "Selected from this score on", "With probability"), rows, numeric=(1, 2))
    return SummarySection("rule", "The rule that was tried", tuple(text), (table,))


def _use_section(report: FairnessReport, notes: SummaryNotes) -> SummarySection:
    text = (notes.out_of_scope,) if notes.out_of_scope else ()
    missing = "" if text else "Nobody has said yet what the decisions must not be used for."
    return SummarySection(
        "use", "What it must not be used for, and its limits", (*text, *report.caveats), missing=missing
    )
