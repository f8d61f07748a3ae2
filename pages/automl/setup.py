"""The setup of a search: data and target, budget, everything else under Advanced, guardrails, Start."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core import jobs
from core.automl import AutoMLSettings
from core.catalog import Dataset
from core.datasets import memory_bytes, rows_in_memory
from core.jobs import Needs
from core.resources import usable_memory
from core.tasks import automl
from pages._ui import address, charts, findings, frame, lookups, needs_form, numbers, outcome, suggestions, tables
from pages.automl import advanced, budget, features

__all__ = ["show"]

TASKS = {"binary": "Two classes", "multiclass": "Several classes", "regression": "A number"}


def show(by_id: dict[str, Dataset]) -> None:
    """Draw the form; Start submits the run and opens it."""
    linked = st.query_params.get("dataset")
    left, right = st.columns(2, gap="medium")
    with left:
        chosen = st.selectbox(
            "Dataset",
            list(by_id),
            index=list(by_id).index(linked) if linked in by_id else 0,
            format_func=lambda item: lookups.dataset_title(by_id[item]),
            key="automl-dataset",
        )
    if chosen != (linked if linked in by_id else next(iter(by_id))):
        address.set_query(dataset=chosen)
    dataset = by_id[chosen]
    names = tables.column_names(dataset)
    with right:
        target = _target(dataset, names)
    if target is None:
        st.caption("Choose the column to predict.")
        return
    _for_target(dataset, target, [name for name in names if name != target])


def _target(dataset: Dataset, names: list[str]) -> str | None:
    """Let the user choose the target: at first that of the address, or else that of the dataset."""
    key, stored = f"automl-target-{dataset.id}", dataset.roles.get("target")
    shown = address.restore_optional("target", names, stored if stored in names else None, key)
    target = st.selectbox("Target", names, index=None, placeholder="The column to predict", key=key)
    address.keep("target", target, shown, key)
    if target != stored:
        suggestions.explain(dataset, "search", {"target": target})
    return target


def _for_target(dataset: Dataset, target: str, others: list[str]) -> None:
    summary = tables.target_summary(dataset, target)
    charts.target(summary, target)

    values: dict[str, Any] = {"target": target}
    first, second = st.columns(2, gap="medium")
    with first:
        values["task"] = st.selectbox(
            "Task",
            list(TASKS),
            index=list(TASKS).index(summary.task),
            format_func=TASKS.__getitem__,
            help="Type of the target, detected from its values.",
            key=f"automl-task-{dataset.id}-{target}",
        )
    with second:
        values["metric"] = advanced.metric(values["task"])
    limits = budget.show(rows=dataset.rows, columns=len(others))
    if values["task"] == "binary":
        values["positive_label"] = outcome.choose(dataset, target, list(summary.counts))
    values |= advanced.show(dataset, target, values["task"], others) | limits

    _warn_of_size(dataset)
    values["nodes"] = needs_form.nodes()
    needs = needs_form.show("automl", values, dataset)

    st.subheader("Before you start")
    guardrails = findings.guardrails(dataset, target, values["sensitive_columns"])
    alerts = [finding for finding in guardrails or [] if finding["level"] == "alert"]
    missing = features.missing_choice(values)
    if missing is not None:
        st.warning(missing, icon=":material/call_split:")
    if values.get("positive_label", "") is None:
        missing = "Choose above which outcome the figures are about."
        st.warning(missing, icon=":material/target:")
    if st.button(
        "Start anyway" if alerts else "Start",
        type="primary",
        icon=":material/play_arrow:",
        help="Results may be misleading until the alerts above are resolved." if alerts else None,
        disabled=missing is not None,
        key="automl-start",
    ):
        _start(dataset, values, needs)


def _warn_of_size(dataset: Dataset) -> None:
    """Say that a table is too large for this machine, and what to do, before a search fails for lack of memory."""
    needed, there = memory_bytes(dataset.rows, dataset.columns), usable_memory()
    if jobs.engine_lanes() or needed <= there:
        return
    st.warning(
        f"A search of the whole table takes about {numbers.size(needed)} of memory, and this machine has "
        f"{numbers.size(there)}. Keep a random sample of {rows_in_memory(dataset.columns):,} rows first (*Prepare*, "
        "*Sample rows*): the model that is made of it scores the whole table.",
        icon=":material/memory:",
    )
    if st.button("Prepare a sample", icon=":material/table_rows:", key="automl-to-sample"):
        st.switch_page("pages/data/page.py", query_params={"dataset": dataset.id, "tab": "Prepare"})


def _start(dataset: Dataset, values: dict[str, Any], needs: Needs | None) -> None:
    address.go(run=automl.submit(dataset, AutoMLSettings(**values), needs=needs, access=frame.access()))
