"""The sections of a card on its data and on its evaluation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from core import policies
from core.catalog import Dataset, ModelVersion
from core.datasets import ColumnProfile, Profile, suspected_attribute
from core.evaluation import METRICS
from core.models._card import CardTable, Section
from core.models._card_figures import evaluation_figures
from core.models._card_text import Cell, format_value
from core.models._evidence import RunEvidence
from core.models._run_result import StoredEstimate
from core.models.preparation import PreparationStep, preparation_of, steps_of_replay
from core.storage import get_store

__all__ = ["data_section", "evaluation_section"]

_FACTS = ("", " ")  # columns of a table of names and values
_MAX_COLUMNS = 50
_BASELINES = {
    "linear": "a linear model",
    "majority": "guessing by class shares, or the mean",
    "prior": "guessing by class shares, or the mean",
    "tfidf": "TF-IDF with a linear model",
}


def data_section(evidence: RunEvidence, version: ModelVersion | None) -> Section:
    """Return what the table held, and the steps that led to it from its file."""
    dataset = evidence.dataset
    if dataset is None:
        return _deleted_table(evidence, version)
    profile = Profile.from_dict(json.loads(get_store().read_bytes(dataset.profile_digest)))
    columns = {column.name: column for column in profile.columns}
    tables = [_table_facts(dataset), *_steps(preparation_of(dataset, access=evidence.access))]
    target = columns.get(evidence.target)
    if target is not None and evidence.labels is not None and target.top:
        known = target.rows - target.missing
        shares = tuple((value, count, count / known) for value, count in target.top)
        tables.append(CardTable(f"Values of '{evidence.target}'", ("Value", "Rows", "Share"), shares))
    titles = ("Column", "Type", "Missing", "Distinct values", "Range", "Possible sensitive attribute")
    rows = tuple(_column_row(columns[name]) for name in evidence.features[:_MAX_COLUMNS])
    tables.append(CardTable("Columns that the model reads", titles, rows))
    unlisted = len(evidence.features) - _MAX_COLUMNS
    text = [f"{unlisted:,} more columns are not listed."] if unlisted > 0 else []
    return Section("data", "Data", tuple(text), tuple(tables))


def _deleted_table(evidence: RunEvidence, version: ModelVersion | None) -> Section:
    """Return what is known of a table that was deleted: by the registration, else by the model itself."""
    stored = {} if version is None else version.lineage["dataset"]
    number, text = stored.get("number"), "The table was deleted; only its fingerprint is known."
    steps = [PreparationStep.from_dict(values) for values in stored.get("steps", [])]
    if not steps and number is None:
        steps = steps_of_replay(evidence.replay)
        if steps:
            text += " The steps are those that the model repeats on new rows; others may have removed or added rows."
    facts: tuple[tuple[Cell, ...], ...] = (("Fingerprint", evidence.fingerprint),)
    if number is not None:
        facts = (("Version of the table", number), *facts)
    return Section("data", "Data", (text,), (CardTable("", _FACTS, facts), *_steps(steps)))


def _steps(steps: Sequence[PreparationStep]) -> list[CardTable]:
    """Return a table of the steps in order; none where there are none."""
    rows = tuple(
        (number, step.title, step.description, step.effect, " ".join(step.notes))
        for number, step in enumerate(steps, start=1)
    )
    titles = ("Step", "Kind", "Description", "Effect", "Notes")
    return [CardTable("Preparation steps, in order", titles, rows)] if rows else []


def _table_facts(dataset: Dataset) -> CardTable:
    rows: tuple[tuple[Cell, ...], ...] = (
        ("Table", dataset.name),
        ("Version of the table", _version(dataset)),
        ("Source", dataset.source or None),
        ("Rows", dataset.rows),
        ("Columns", dataset.columns),
        ("Rows that could not be read", dataset.report.get("skipped", 0)),
        ("Fingerprint", dataset.fingerprint),
    )
    return CardTable("", _FACTS, rows)


def _version(dataset: Dataset) -> str:
    count = len(dataset.lineage.get("recipe", {}).get("steps", []))
    made = f"made by {count:,} step{'s' * (count != 1)} from the table as it was read" if count else "as it was read"
    return f"{dataset.number} ({made})"


def _column_row(column: ColumnProfile) -> tuple[Cell, ...]:
    span = None if column.minimum is None else f"{format_value(column.minimum)} to {format_value(column.maximum)}"
    missing = f"{column.missing_share:.1%}"
    return (column.name, column.kind, missing, column.distinct, span, suspected_attribute(column.name))


def evaluation_section(evidence: RunEvidence) -> Section:
    """Return what was measured on rows that the model never saw."""
    result = evidence.result
    if not result.test_rows:
        text = "No rows were held out for a test: nothing here says how good the model is on other rows."
        return Section("evaluation", "Evaluation", (text,), measured=False)
    # Groups are counted by those that have the class.
    unit = "Groups with" if result.rows.get("test_groups") else "Rows of"
    rarest = () if evidence.labels is None else (f"{unit} the rarest class",)
    titles = ("Metric", "Value", "95% from", "to", "Rows", *rarest)

    def row(title: str, estimate: StoredEstimate) -> tuple[Cell, ...]:
        cells = (title, estimate.value, estimate.low, estimate.high, estimate.n, estimate.rarest)
        return cells[: len(titles)]

    metrics = tuple(row(METRICS[name].title, estimate) for name, estimate in result.test_metrics.items())
    baselines = tuple(
        (_BASELINES.get(name, name), *row(METRICS[metric].title, estimate))
        for name, estimates in result.baseline_metrics.items()
        for metric, estimate in estimates.items()
    )
    gains = tuple(row(_BASELINES.get(name, name), estimate) for name, estimate in result.differences.items())
    gain_title = f"Gain over each baseline ({METRICS[result.metric].title}, paired, larger is better)"
    tables = [
        CardTable("On the test rows", titles, metrics),
        CardTable("Baselines on the same rows", ("Baseline", *titles), baselines),
        CardTable(gain_title, ("Baseline", *titles[1:]), gains),
    ]
    if result.confusion and evidence.labels:
        counts = tuple((label, *row) for label, row in zip(evidence.labels, result.confusion, strict=True))
        tables.append(CardTable("Test rows by true (rows) and predicted class", ("", *evidence.labels), counts))
    return Section(
        "evaluation",
        "Evaluation",
        tuple(_evaluation_text(evidence)),
        tuple(tables),
        figures=evaluation_figures(evidence),
    )


def _evaluation_text(evidence: RunEvidence) -> list[str]:
    rows = evidence.result.rows
    validation = f", {rows['validation']:,} chose the weights" if "validation" in rows else ""
    text = [
        f"{rows['test']:,} of {rows['all']:,} rows were held out for the test before anything was learned, "
        f"{rows['train']:,} trained the model{validation}.",
        evidence.result.verdict,
    ]
    if rows.get("test_groups"):
        text.append(
            f"The test rows come from {rows['test_groups']:,} groups; rows of a group depend on each other, so the "
            "intervals of the metrics are those of whole groups."
        )
    text.append(_rule_sentence(evidence))
    text += _missing_intervals(evidence.result.test_metrics)
    if policies.reads(evidence.run, access=evidence.access) > 1:
        text.append(policies.reads_sentence(evidence.run, access=evidence.access))
    return text


def _rule_sentence(evidence: RunEvidence) -> str:
    """Return what decides on the rows that the model scores, and what it was chosen for."""
    rule = policies.in_force(evidence.run, access=evidence.access)
    if rule.unclear:
        return f"{rule.unclear} Scoring asks for one."
    if rule.policy is None:
        return f"No decision rule is in force: rows get {policies.without_policy(evidence.labels)}."
    text = f"The decision rule in force is {policies.describe(rule.policy)} ('{rule.name}')."
    rates = rule.policy.expected.get("by_group", {})
    if rule.policy.columns or len(rates) != 1:
        return text
    (shares,) = rates.values()
    costs = rule.policy.settings.get("costs") or {}
    amounts = ", ".join(f"{name.replace('_', ' ')} {format_value(cost)}" for name, cost in costs.items())
    selected, recall, precision = (shares.get(name) for name in ("selection_rate", "true_positive_rate", "precision"))
    event = rule.policy.settings.get("event")
    wanted, have = ("the label", "have it") if event is None else (f"the rows with '{event}'", "are among them")
    if selected is not None and recall is not None and precision is not None:
        text += (
            f" On the rows that it was chosen on it selects {selected:.1%}, finds {recall:.1%} of {wanted}, and "
            f"{precision:.1%} of the selected rows {have}."
        )
    return f"{text} It was chosen for these costs per row (gains are negative): {amounts}." if amounts else text


def _missing_intervals(estimates: Mapping[str, StoredEstimate]) -> list[str]:
    """Return which metrics have no interval, by the reason."""
    by_reason: dict[str, list[str]] = {}
    for name, estimate in estimates.items():
        if estimate.reason:
            by_reason.setdefault(estimate.reason.removeprefix("no interval: "), []).append(METRICS[name].title)
    return [f"No interval for {', '.join(titles)}: {reason}." for reason, titles in by_reason.items()]
