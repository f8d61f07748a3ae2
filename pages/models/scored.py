"""A file that was scored: what is different in it, what was predicted, and the predictions to take away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core import models
from core.catalog import ModelVersion, Run, RunState
from core.catalog import artifacts as artifact_rows
from core.storage import get_store
from pages._ui import artifacts, downloads, findings, frame, header, numbers, run_actions, run_view, tabs
from pages.models import predictions

__all__ = ["show", "version_of"]

_COUNTS = {"missing": "Missing", "unreadable": "Not readable", "unseen": "Unseen values", "outside": "Out of range"}


def version_of(run: Run) -> ModelVersion:
    """Return the version that scored the file of a run.

    Raises
    ------
    NotFoundError
        When the version is not in this workspace.
    """
    return models.resolve(run.settings["version"], workspace=frame.workspace())


def show(run: Run, version: ModelVersion) -> None:
    """Draw a run that scores a file, whatever its state."""
    name = models.get(version.model_id, workspace=frame.workspace()).name
    with header.show_object(
        run.settings["filename"],
        back="The model",
        query={"model": version.model_id, "version": str(version.number), "tab": "Score"},
        facts=f"Scored with {frame.plain(name)}, version {version.number}{_decided(run)}",
    ):
        if run.state is RunState.SUCCEEDED:
            with st.popover("Download", icon=":material/download:", type="primary", key="models-download"):
                _downloads(run)
        run_actions.log(run.id)
    if run.state is RunState.SUCCEEDED and run.result is not None:
        _result(run, run.result)
    else:
        run_view.show_run(run.id)


def _decided(run: Run) -> str:
    policy = (run.result or run.settings)["policy"]
    return "" if policy in (None, "none") else f", decided by the policy {frame.plain(policy)}"


def _result(run: Run, result: Mapping[str, Any]) -> None:
    report = artifacts.json_of(run, "report.json")
    st.subheader(_finding(result, report))
    with st.container(horizontal=True):
        st.metric("Rows scored", f"{result['rows']:,}", border=True)
        if result["skipped"]:
            st.metric(
                "Rows that could not be read",
                f"{result['skipped']:,}",
                border=True,
                help="They are not among the predictions.",
            )
        for name, title in _COUNTS.items():
            cells = sum(column[name] for column in report["columns"])
            st.metric(f"{title} (cells)", f"{cells:,}", border=True)
    path = str(artifacts.path_of(run, "scored.parquet"))
    tabs.show(
        {
            "What is different": lambda: _report(report),
            "Predictions": lambda: predictions.spread(path, result),
            "Rows": lambda: predictions.preview(path, result),
        },
        key="models-scored-tabs",
    )


def _finding(result: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    rows = f"{result['rows']:,} row{'s' * (result['rows'] != 1)} scored"
    odd = [column["name"] for column in report["columns"] if any(column[name] for name in _COUNTS) or column["given"]]
    alerts = sum(finding["level"] == "alert" for finding in report["findings"])
    if alerts:
        return f"{rows}; {alerts} thing{'s' * (alerts != 1)} in the file may make the predictions wrong"
    if odd:
        return f"{rows}; {len(odd)} of {len(report['columns'])} columns hold something that training did not"
    return f"{rows}; the file looks like the training rows in every column"


def _report(report: Mapping[str, Any]) -> None:
    if report["findings"]:
        findings.show(report["findings"])
    if report["skipped"]:
        st.markdown(f"**{report['skipped']:,} rows could not be read**")
        st.dataframe(pd.DataFrame(report["skipped_rows"]), hide_index=True, alt="Rows that could not be read")
    columns = report["columns"]
    st.markdown("**Column by column**")
    st.dataframe(
        pd.DataFrame(
            {
                "Column": [column["name"] for column in columns],
                "Cells": [column["rows"] for column in columns],
                **{title: [column[name] for column in columns] for name, title in _COUNTS.items()},
                "Type now": [column["given"] or None for column in columns],
                "Examples": [
                    ", ".join([*column["unreadable_examples"], *column["unseen_examples"]]) or None
                    for column in columns
                ],
            }
        ),
        hide_index=True,
        height="content" if len(columns) <= 25 else 600,
        placeholder="–",
        column_config={
            "Column": st.column_config.TextColumn(width="medium"),
            **{title: st.column_config.NumberColumn(format="localized") for title in ("Cells", *_COUNTS.values())},
            "Type now": st.column_config.TextColumn(help="Where it is another than in training."),
            "Examples": st.column_config.TextColumn(width="large"),
        },
        alt="How each column differs from training",
    )


def _downloads(run: Run) -> None:
    for name, label in (("scored.csv", "CSV"), ("scored.parquet", "Parquet")):
        item = artifact_rows.get(run.id, name, run.workspace)
        path = get_store().local_path(item.digest)
        if downloads.too_large(item.size_bytes, label, str(path)):
            continue
        stem = run.settings["filename"].rsplit(".", 1)[0]
        st.download_button(
            f"{label} ({numbers.size(item.size_bytes)})",
            path.read_bytes,
            file_name=downloads.file_name(f"{stem} scored", f".{name.rsplit('.', 1)[1]}"),
            icon=":material/download:",
            key=f"models-download-{label.lower()}",
            on_click="ignore",
            help="Cells that a spreadsheet would run as a formula are marked as text." if label == "CSV" else None,
        )
