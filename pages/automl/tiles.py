"""The figures below the verdict: first what the decisions come to, in people or rows, then the metrics."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core import policies
from core.automl import METRICS, DecisionFigures, Estimate, decision_figures, natural_frequency
from core.catalog import Run
from core.evaluation import groups_in, weights_in
from core.fairness import ThresholdPolicy
from pages._ui import artifacts, frame, numbers

__all__ = ["metrics", "show"]

_METRICS = 5


def show(run: Run, record: Mapping[str, Any]) -> None:
    """Draw the tiles of a search that has a test."""
    if record["task"] == "binary":
        label = str(record["labels"][1])
        policy = policies.in_force(run, access=frame.access()).policy
        single = policy is not None and not policy.columns and policy.settings.get("positive") in (None, label)
        _decision_tiles(_figures(run, record, label, policy if single else None), policy, applied=single)
    metrics(record)


def _figures(run: Run, record: Mapping[str, Any], label: str, policy: ThresholdPolicy | None) -> DecisionFigures:
    """Return the figures of the class that the model was asked for, at the threshold in force or at the model's own."""
    table, target = artifacts.predictions_of(run, "test.parquet").frame, record["settings"]["target"]
    selected = (table["prediction"].astype(str) == label).to_numpy()
    if policy is not None:
        selected = policy.predict(table[f"p({label})"].to_numpy()) == 1
    return decision_figures(
        (table[target].astype(str) == label).to_numpy(),
        selected,
        label,
        groups=groups_in(table, target),
        sample_weight=weights_in(table, target),
    )


def _decision_tiles(figures: DecisionFigures, policy: ThresholdPolicy | None, *, applied: bool) -> None:
    label = frame.plain(figures.label)
    st.markdown(f"**{frame.plain(figures.sentence)}**")
    rule = f"A row is predicted as '{label}' above a probability of {figures.threshold:g}."
    if policy is not None:
        described = frame.plain(policies.describe(policy))
        rule = f"The rule in force decides: {described}." if applied else f"{rule} The rule in force is {described}."
    st.caption(f"{rule} Of 100 test rows {100 * figures.prevalence:.0f} are '{label}'.")
    with st.container(horizontal=True):
        _frequency(
            f"'{label}' that are found",
            figures.recall,
            f"Recall: of the test rows that are '{label}', those that are predicted as it.",
        )
        _frequency(
            "Alarms that are right",
            figures.precision,
            f"Precision: of the test rows that are predicted as '{label}', those that are it.",
        )
        _frequency(
            f"Rows predicted as '{label}'",
            figures.selected,
            f"Of all test rows, those that are predicted as '{label}'.",
        )


def _frequency(title: str, item: Estimate, explanation: str) -> None:
    unknown = math.isnan(item.value)
    bounds = "no interval"
    if item.low is not None and item.high is not None:
        bounds = f"[{100 * item.low:.0f}, {100 * item.high:.0f}]"
    _tile(
        title,
        "–" if unknown else natural_frequency(item.value),
        bounds,
        " ".join(filter(None, [explanation, f"{item.n:,} rows.", _sentence(item.reason)])),
    )


def metrics(record: Mapping[str, Any]) -> None:
    """Draw the metrics on the test rows: first the one that the search optimized."""
    own = record["metric"]
    names = [own, *(name for name in record["test_metrics"] if name != own)][:_METRICS]
    n = record["test_metrics"][own]["n"]
    groups = record["rows"].get("test_groups")
    rarest = numbers.rarest(record["test_metrics"][own].get("rarest"), groups=bool(groups))
    grouped = f" in {groups:,} groups" if groups else ""
    whole = " of whole groups" if groups else ""
    st.caption(f"Metrics on {n:,} test rows{grouped}{rarest}, with 95% intervals{whole}")
    with st.container(horizontal=True):
        for name in names:
            item = record["test_metrics"][name]
            _tile(
                METRICS[name].title,
                numbers.estimate(item["value"], item["low"], item["high"]),
                numbers.interval(item["low"], item["high"]),
                " ".join(filter(None, [_metric_help(name), _sentence(str(item.get("reason", "")))])),
            )


def _tile(title: str, value: str, interval: str, explanation: str) -> None:
    st.metric(
        title,
        value,
        interval,
        delta_color="off",
        delta_arrow="off",
        border=True,
        width="stretch",
        help=explanation,
    )


def _sentence(reason: str) -> str:
    """Return why a figure has no interval, as a sentence."""
    return f"{reason[0].upper()}{frame.plain(reason[1:])}." if reason else ""


def _metric_help(name: str) -> str:
    metric = METRICS[name]
    return metric.help if metric.larger_is_better else f"{metric.help} Smaller is better.".strip()
