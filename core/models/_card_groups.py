"""Metrics by group for a card: of the sensitive columns, and of those that a policy decides by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import JsonValue

from core import policies
from core.errors import PlumblineError
from core.evaluation import weights_in
from core.models._card import CardTable, Section
from core.models._card_figures import group_figures
from core.models._card_text import Cell, format_interval
from core.models._evidence import RunEvidence

if TYPE_CHECKING:
    import pandas as pd

    from core.fairness import GroupMetrics, ThresholdPolicy

__all__ = ["groups_section"]

_TITLE = "Metrics by group"
_DECISION_METRICS = ("selection_rate", "accuracy", "true_positive_rate", "false_positive_rate")
_NUMBER_METRICS = ("mean_error", "mae", "rmse")
_FOUR_FIFTHS = (
    "The four-fifths convention (29 CFR 1607.4 D) looks at ratios of selection rates below 0.80. It is a rule of "
    "thumb: the EEOC is withdrawing the Uniform Guidelines that contain it (RIN 3046-AB43)."
)


@dataclass(frozen=True)
class _Groups:
    """The groups of one column, with the metrics that the card shows of them (titles by name)."""

    column: str
    metrics: GroupMetrics
    titles: dict[str, str]
    selected: str = ""


def groups_section(evidence: RunEvidence) -> tuple[Section, dict[str, JsonValue]]:
    """Return the section, and its metrics by column and group for programs."""
    kept = policies.kept(evidence.run, access=evidence.access)
    decided_by = [name for policy in kept.values() for name in policy.columns]
    columns = list(dict.fromkeys([*evidence.result.sensitive_columns, *decided_by]))
    in_force = policies.in_force(evidence.run, access=evidence.access).name
    rules = tuple(_policy_table(name, policy, name == in_force) for name, policy in kept.items())
    if not columns or not evidence.result.test_rows:
        reason = "no rows were held out for a test" if columns else "no sensitive columns were named"
        return Section("groups", _TITLE, (f"There are none: {reason}.",), rules, measured=False), {}
    text: list[str] = []
    tables: list[CardTable] = []
    facts: dict[str, JsonValue] = {}
    has_selections = False
    for name in columns:
        try:
            groups = _measure(evidence, name)
        except PlumblineError as error:
            text.append(f"'{name}': {error.message}")
            continue
        facts[name] = _facts(groups)
        has_selections |= "selection_rate" in groups.titles
        tables.append(_groups_table(groups))
        text += _sentences(groups)
    if has_selections:
        text.insert(0, f"Selected means that the model names '{evidence.favorable}'. {evidence.favorable_reason}")
        text.append(_FOUR_FIFTHS)
    section = Section(
        "groups", _TITLE, tuple(text), (*tables, *rules), measured=bool(facts), figures=group_figures(facts)
    )
    return section, facts


def _measure(evidence: RunEvidence, name: str) -> _Groups:
    from core.fairness import as_groups, group_metrics

    test, labels = evidence.test, evidence.labels
    column = as_groups(_group_column(evidence, name))
    truth, predicted = test[evidence.target], test["prediction"]
    weights = weights_in(test, evidence.target)
    if labels is None:
        metrics = group_metrics(
            truth.to_numpy(float), predicted.to_numpy(float), column, task="regression", sample_weight=weights
        )
        return _Groups(name, metrics, _titles(_NUMBER_METRICS))
    truth, predicted = truth.map(str), predicted.map(str)
    positive = evidence.favorable
    if positive is not None:
        metrics = group_metrics(
            truth == positive, predicted == positive, column, outcome=positive, sample_weight=weights
        )
        return _Groups(name, metrics, _titles(_DECISION_METRICS), positive)
    # With several classes none of them is "selected": accuracy is the rate that all of them have.
    metrics = group_metrics(
        np.ones(len(test), int), (truth == predicted).astype(int), column, pos_label=1, sample_weight=weights
    )
    return _Groups(name, metrics, _titles(("accuracy",)))


def _titles(names: tuple[str, ...]) -> dict[str, str]:
    from core.fairness import metric_record

    return {name: metric_record(name).title for name in names}


def _group_column(evidence: RunEvidence, name: str) -> pd.Series:
    """Return a column of the test rows, read from the table where it is not stored with the predictions."""
    test = evidence.test
    if name in test.columns:
        return test[name].set_axis(range(len(test)))
    if evidence.dataset is None:
        raise PlumblineError("the table was deleted, so its groups are not known any more.")
    from core.datasets import read_rows_at
    from core.storage import get_store

    table = get_store().local_path(evidence.dataset.data_digest)
    return read_rows_at(table, [name], test["row_id"].to_numpy())[name].reset_index(drop=True)


def _facts(groups: _Groups) -> dict[str, JsonValue]:
    from core.fairness import label_text

    metrics = groups.metrics

    def parts(label: object, metric: str) -> dict[str, JsonValue]:
        row = metrics.intervals.loc[(label, metric)]
        values = {part: float(row[part]) for part in ("value", "low", "high", "n")}
        return {part: value if math.isfinite(value) else None for part, value in values.items()}

    return {
        label_text(label): {"count": int(metrics.rows[index])}
        | {metric: parts(label, metric) for metric in groups.titles}
        for index, label in enumerate(metrics.labels)
    }


def _groups_table(groups: _Groups) -> CardTable:
    from core.fairness import label_text

    metrics = groups.metrics
    rows: list[tuple[Cell, ...]] = []
    for index, label in enumerate(metrics.labels):
        intervals = (metrics.intervals.loc[(label, metric)] for metric in groups.titles)
        cells = (format_interval(*(float(row[part]) for part in ("value", "low", "high"))) for row in intervals)
        rows.append((label_text(label), int(metrics.rows[index]), *cells))
    selected = f", '{groups.selected}' being selected" if groups.selected else ""
    title = f"By '{groups.column}' on the test rows{selected} (95% intervals)"
    return CardTable(title, (groups.column, "Rows", *groups.titles.values()), tuple(rows))


def _sentences(groups: _Groups) -> list[str]:
    from core.fairness import verdict

    definition = "accuracy_parity" if list(groups.titles) == ["accuracy"] else "demographic_parity"
    return [f"'{groups.column}': {verdict(groups.metrics, definition)}"]


def _policy_table(name: str, policy: ThresholdPolicy, in_force: bool) -> CardTable:
    rules = policy.to_dict()["rules"]  # infinite thresholds in words
    rows = tuple((group, part["threshold"], part["probability"]) for group, rule in rules.items() for part in rule)
    use = "in force" if in_force else "kept, not in force"
    return CardTable(
        f"Policy '{name}' ({use}): selected from this score on", ("Group", "Threshold", "Probability"), rows
    )
