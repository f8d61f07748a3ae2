"""The setup of a study: the sites and the target, the algorithm, the privacy, guardrails, Start."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.automl import METRICS, metric_choices
from core.catalog import Dataset
from core.federated import FederatedSettings
from core.jobs import Needs
from core.tasks import federated
from pages._ui import address, charts, findings, frame, needs_form, outcome
from pages.federated import (
    advanced,
    algorithm,
    between_machines,
    privacy_choice,
    samples,
    site_column,
    site_rows,
    site_tables,
    texts,
)
from pages.federated.study_data import StudyData

__all__ = ["show"]

_SOURCES = {
    "table": "One table with a column of sites",
    "tables": "A table per site",
    "texts": "One table with texts and a column of sites",
    "machines": "Tables on other machines",
}
_TASKS = {"binary": "Two classes", "multiclass": "Several classes", "regression": "A number"}
_LEAST_SITES = 2
_MOST_SITES = 200


def show(by_id: dict[str, Dataset]) -> None:
    """Draw the form; Start submits the run and opens it."""
    if not by_id:
        st.info(
            "There is no table yet. Try a sample, or upload a table whose rows come from several sites.",
            icon=":material/table_chart:",
        )
        samples.offer(by_id)
        st.page_link("pages/data/page.py", label="Go to Data", icon=":material/arrow_forward:")
        return
    samples.offer(by_id)
    key = "federated-source"
    shown = address.restore("from", list(_SOURCES), "table", key)
    source = st.radio(
        "The rows are in",
        list(_SOURCES),
        format_func=_SOURCES.__getitem__,
        horizontal=True,
        help="Of tables that are here, the sites are simulated: the messages are made and counted as between machines.",
        key=key,
    )
    address.keep("from", source, shown, key)
    if source == "machines":
        between_machines.form()
        return
    if source == "texts":
        texts.form(by_id)
        return
    data = site_column.choose(by_id) if source == "table" else site_tables.choose(by_id)
    if data is not None:
        _for_data(data)


def _for_data(data: StudyData) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        site_rows.show(data)
        if not data.rows:
            st.caption("The rows of each site are shown here once the column of sites is chosen.")
    with right:
        charts.target(data.summary, data.target)
        values, missing = _question(data)
    reasons = [data.missing, _too_few(data), missing]

    st.subheader("Training")
    values |= algorithm.choose()
    values |= advanced.show(data, values["algorithm"])

    st.subheader("Privacy")
    private, missing = privacy_choice.choose(data, values)
    values |= private
    reasons.append(missing)

    values |= {"target": data.target, "site_column": data.site_column}
    needs = needs_form.show("federated", values, data.dataset)
    _start(data, values, needs, next(filter(None, reasons), ""))


def _question(data: StudyData) -> tuple[dict[str, Any], str]:
    """Let the user choose task, metric and outcome; return them, and what is missing."""
    first, second = st.columns(2, gap="medium")
    with first:
        task: str = st.selectbox(
            "Task",
            list(_TASKS),
            index=list(_TASKS).index(data.summary.task),
            format_func=_TASKS.__getitem__,
            help="Type of the target, detected from its values.",
            key=f"federated-task-{data.key}",
        )
    with second:
        metric = st.selectbox(
            "Metric",
            metric_choices(task),
            format_func=lambda name: METRICS[name].title,
            help="Metric by which the shared model is compared with the sites' own.",
            key=f"federated-metric-{task}",
        )
    values: dict[str, Any] = {"task": task, "metric": metric}
    if task != "binary":
        return values, ""
    classes = list(data.summary.counts)
    if len(classes) != 2:
        return values, "The target does not have two values. Choose another task."
    values["positive_label"] = outcome.choose(data.dataset, data.target, classes)
    missing = "" if values["positive_label"] is not None else "Choose above which outcome the figures are about."
    return values, missing


def _too_few(data: StudyData) -> str:
    large = len(data.large_sites)
    if not data.rows or _LEAST_SITES <= large <= _MOST_SITES:
        return ""
    if large > _MOST_SITES:
        return f"{large:,} sites are too many: choose a column with at most {_MOST_SITES}."
    return f"Only {large} of {len(data.rows):,} sites have enough rows, and {_LEAST_SITES} are needed."


def _start(data: StudyData, values: dict[str, Any], needs: Needs | None, missing: str) -> None:
    alerts: list[dict[str, Any]] = []
    if not data.tables:
        st.subheader("Before you start")
        shown = findings.guardrails(data.dataset, data.target, list(values["sensitive_columns"]))
        alerts = [finding for finding in shown or [] if finding["level"] == "alert"]
    if missing:
        st.warning(frame.plain(missing), icon=":material/hub:")
    if st.button(
        "Start anyway" if alerts else "Start",
        type="primary",
        icon=":material/play_arrow:",
        help="Results may be misleading until the alerts above are resolved." if alerts else None,
        disabled=bool(missing),
        key="federated-start",
    ):
        settings = FederatedSettings(**values)
        if data.tables:
            address.go(run=federated.submit_tables(data.tables, settings, needs=needs, access=frame.access()))
        address.go(run=federated.submit(data.dataset, settings, needs=needs, access=frame.access()))
