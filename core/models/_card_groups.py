"""Figures by group for a card: of the sensitive columns, and of those that a policy decides by."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from core import policies
from core.errors import PlumblineError
from core.models._card import CardTable, Section
from core.models._card_text import interval
from core.models._evidence import Evidence

if TYPE_CHECKING:
    import pandas as pd

    from core.fairness import GroupMetrics, ThresholdPolicy

__all__ = ["groups"]

_DECISIONS = {
    "selection_rate": "Selection rate",
    "accuracy": "Accuracy",
    "true_positive_rate": "True positive rate",
    "false_positive_rate": "False positive rate",
}
_NUMBERS = {"mean_error": "Mean error", "mae": "MAE", "rmse": "RMSE"}


def groups(evidence: Evidence) -> tuple[Section, dict[str, Any]]:
    """Return the section, and its figures by column and group for programs."""
    kept = policies.kept(evidence.run)
    decided_by = [name for policy in kept.values() for name in policy.columns]
    wanted = list(dict.fromkeys([*evidence.result["settings"]["sensitive_columns"], *decided_by]))
    rules = tuple(_rules(name, policy) for name, policy in kept.items())
    title = "Figures by group"
    if not wanted or not evidence.result["rows"]["test"]:
        reason = "no sensitive columns were named" if not wanted else "no rows were held out for a test"
        return Section("groups", title, (f"There are none: {reason}.",), rules, measured=False), {}
    text, tables, facts = [], [], {}
    for name in wanted:
        try:
            found, shown, about = _metrics(evidence, name)
        except PlumblineError as error:
            text.append(f"'{name}': {error.message}")
            continue
        facts[name] = _figures(found, shown)
        tables.append(_table(name, found, shown, about))
        text += _told(name, found, shown)
    return Section("groups", title, tuple(text), (*tables, *rules), measured=bool(facts)), facts


def _metrics(evidence: Evidence, name: str) -> tuple[GroupMetrics, dict[str, str], str]:
    from core.fairness import as_groups, group_metrics

    test, labels = evidence.test, evidence.labels
    column = as_groups(_column(evidence, name))
    truth, predicted = test[evidence.target], test["prediction"]
    if labels is None:
        found = group_metrics(truth.to_numpy(float), predicted.to_numpy(float), column, task="regression")
        return found, {key: told for key, told in _NUMBERS.items() if key in found.metrics}, ""
    truth, predicted = truth.map(str), predicted.map(str)
    if len(labels) == 2:
        found = group_metrics(truth, predicted, column, pos_label=labels[-1])
        return found, _DECISIONS, f", '{labels[-1]}' being selected"
    # Of several classes no one is "selected": the share of right answers is what can be told for all.
    found = group_metrics(np.ones(len(test), int), (truth == predicted).astype(int), column, pos_label=1)
    return found, {"accuracy": "Accuracy"}, ""


def _column(evidence: Evidence, name: str) -> pd.Series:
    """Return a column of the test rows; groups of numbers are made of the whole table where it is there."""
    test = evidence.test
    if name in test.columns:
        return test[name].set_axis(range(len(test)))
    if evidence.dataset is None:
        raise PlumblineError("the table was deleted, so its groups cannot be told any more.")
    from core.datasets import load_frame
    from core.storage import get_store

    whole = load_frame(get_store().local_path(evidence.dataset.data_digest), [name])[name]
    return whole.iloc[test["row_id"]].reset_index(drop=True)


def _figures(found: GroupMetrics, shown: dict[str, str]) -> dict[str, Any]:
    from core.fairness import label_text

    def plain(value: float) -> float | None:
        return float(value) if math.isfinite(value) else None

    table = found.intervals
    return {
        label_text(group): {"count": int(found.rows[place])}
        | {
            metric: {part: plain(table.loc[(group, metric), part]) for part in ("value", "low", "high", "n")}
            for metric in shown
        }
        for place, group in enumerate(found.labels)
    }


def _table(name: str, found: GroupMetrics, shown: dict[str, str], about: str) -> CardTable:
    figures = _figures(found, shown)
    rows = tuple(
        (
            group,
            values["count"],
            *(interval(*(values[metric][part] for part in ("value", "low", "high"))) for metric in shown),
        )
        for group, values in figures.items()
    )
    title = f"By '{name}' on the test rows{about} (95 % intervals)"
    return CardTable(title, (name, "Rows", *shown.values()), rows)


def _told(name: str, found: GroupMetrics, shown: dict[str, str]) -> list[str]:
    from core.fairness import verdict

    if list(shown) == ["accuracy"]:
        gap = 100 * float(found.difference()["accuracy"])
        sentences = [f"'{name}': the largest difference in accuracy between groups is {gap:.1f} points."]
    else:
        sentences = [f"'{name}': {verdict(found)}"]
    few = found.small_groups
    alone = few[few["metrics"] == "all"]["group"]
    if len(alone):
        listed = ", ".join(map(repr, map(str, alone)))
        sentences.append(
            f"'{name}': {listed} have fewer than {found.options.min_group_size} test rows and are not compared."
        )
    return sentences


def _rules(name: str, policy: ThresholdPolicy) -> CardTable:
    plain = policy.to_dict()["rules"]
    rows = tuple((group, part["threshold"], part["probability"]) for group, rule in plain.items() for part in rule)
    return CardTable(f"The policy '{name}': selected from this score on", ("Group", "Threshold", "Probability"), rows)
