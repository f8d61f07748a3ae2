"""A file that was scored: how it differs from training, what was predicted, and the predictions to download."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import models
from core.catalog import ModelVersion, Run, RunState
from core.catalog import artifacts as artifact_rows
from core.models import COLUMN_COUNTS, ScoringReport
from core.storage import get_store
from core.tasks.score import ScoredFile
from pages._ui import artifacts, downloads, findings, frame, header, numbers, run_actions, run_view, tabs
from pages.models import file_summary, predictions

__all__ = ["show", "version_of"]

_FORMULAS = "Cells that a spreadsheet would run as a formula are marked as text."


def version_of(run: Run) -> ModelVersion:
    """Return the version that scored the file of a run.

    Raises
    ------
    NotFoundError
        When the version is not in this workspace.
    """
    return models.resolve(run.settings["version"], access=frame.access())


def show(run: Run, version: ModelVersion) -> None:
    """Draw a run that scores a file, whatever its state."""
    name = models.get(version.model_id, access=frame.access()).name
    with header.show_object(
        run.settings["filename"],
        back="The model",
        query={"model": version.model_id, "version": str(version.number), "tab": "Score"},
        facts=f"Scored with {frame.plain(name)}, version {version.number}{_policy(run)}",
    ):
        if run.state is RunState.SUCCEEDED:
            with st.popover("Download", icon=":material/download:", type="primary", key="models-download"):
                _downloads(run)
        run_actions.log(run.id)
    if run.state is RunState.SUCCEEDED and run.result is not None:
        _result(run, ScoredFile.from_dict(run.result))
    else:
        run_view.show_run(run.id)


def _policy(run: Run) -> str:
    policy = (run.result or run.settings)["policy"]
    return "" if policy in (None, "none") else f", decided by the policy {frame.plain(policy)}"


def _result(run: Run, scored: ScoredFile) -> None:
    report = ScoringReport.from_json(artifacts.path_of(run, "report.json").read_bytes())
    st.subheader(_headline(scored, report))
    with st.container(horizontal=True):
        st.metric("Rows scored", f"{scored.rows:,}", border=True)
        if scored.skipped:
            st.metric(
                "Rows that could not be read",
                f"{scored.skipped:,}",
                border=True,
                help="They are not among the predictions.",
            )
        for count in COLUMN_COUNTS.values():
            cells = sum(getattr(column, count.name) for column in report.columns)
            st.metric(f"{count.title} (cells)", f"{cells:,}", border=True, help=count.help)
    file_summary.show_expected(report)
    path = str(artifacts.path_of(run, "scored.parquet"))
    shown = {
        "Differences": lambda: _differences(report),
        "Predictions": lambda: predictions.show_distribution(path, scored),
        **({"Top rows": lambda: predictions.show_top(path, scored)} if scored.ranked_by is not None else {}),
        "Rows": lambda: predictions.show_rows(path, scored),
    }
    evaluation = report.evaluation
    if evaluation is not None:
        shown["Metrics"] = lambda: file_summary.show_evaluation(evaluation)
    if scored.reasons:
        shown["Reasons"] = lambda: file_summary.show_reasons(artifacts.path_of(run, "reasons.parquet"), scored)
    tabs.show(shown, key="models-scored-tabs")


def _headline(scored: ScoredFile, report: ScoringReport) -> str:
    rows = f"{scored.rows:,} row{'s' * (scored.rows != 1)} scored"
    different = sum(column.differs for column in report.columns)
    if report.alerts:
        problems = f"{report.alerts} problem{'s' * (report.alerts != 1)}"
        return f"{rows}; {problems} in the file may make the predictions wrong"
    if different:
        return f"{rows}; {different} of {len(report.columns)} columns hold something that training did not"
    return f"{rows}; the file looks like the training rows in every column"


def _differences(report: ScoringReport) -> None:
    if report.findings:
        findings.show([finding.to_dict() for finding in report.findings])
    if report.skipped:
        st.markdown(f"**{report.skipped:,} rows could not be read**")
        st.dataframe(pd.DataFrame(report.skipped_rows), hide_index=True, alt="Rows that could not be read")
    columns, counts = report.columns, list(COLUMN_COUNTS.values())
    st.markdown("**Column by column**")
    st.dataframe(
        pd.DataFrame(
            {
                "Column": [column.name for column in columns],
                "Cells": [column.rows for column in columns],
                **{count.title: [getattr(column, count.name) for column in columns] for count in counts},
                "New type": [column.given or None for column in columns],
                "Examples": [
                    ", ".join([*column.unreadable_examples, *column.unseen_examples]) or None for column in columns
                ],
            }
        ),
        hide_index=True,
        height="content" if len(columns) <= 25 else 600,
        placeholder="–",
        column_config={
            "Column": st.column_config.TextColumn(width="medium"),
            "Cells": st.column_config.NumberColumn(format="localized"),
            **{count.title: st.column_config.NumberColumn(format="localized", help=count.help) for count in counts},
            "New type": st.column_config.TextColumn(help="The type now, where training had another."),
            "Examples": st.column_config.TextColumn(width="large"),
        },
        alt="How each column differs from training",
    )


def _downloads(run: Run) -> None:
    files = {"scored.csv": "CSV", "ranked.csv": "CSV by rank", "scored.parquet": "Parquet"}
    made = {item.name for item in artifact_rows.find(run.id, access=frame.access())}
    for name, label in files.items():
        if name not in made:
            continue
        item = artifact_rows.get(run.id, name, access=frame.access())
        path = get_store().local_path(item.digest)
        if downloads.too_large(item.size_bytes, label, str(path)):
            continue
        stem = run.settings["filename"].rsplit(".", 1)[0]
        downloads.button(
            f"{label} ({numbers.size(item.size_bytes)})",
            path.read_bytes,
            file_name=downloads.file_name(f"{stem} {name.split('.')[0]}", f".{name.rsplit('.', 1)[1]}"),
            icon=":material/download:",
            key=f"models-download-{label.lower().replace(' ', '-')}",
            on_click="ignore",
        )
    downloads.csv_note("Parquet has them as they are.")
