"""The Report tab: one file with the analysis, its results and its caveats."""

from __future__ import annotations

import io
import zipfile

import streamlit as st

from core import policies
from core.fairness import FairnessReport, GroupMetrics
from pages._ui import downloads, frame
from pages.fairness import mitigations
from pages.fairness.analysis import Analysis
from pages.fairness.applied_rule import applied_rule

__all__ = ["show"]


def show(analysis: Analysis, metrics: GroupMetrics, definition: str) -> None:
    """Draw the downloads and their contents."""
    report = _report(analysis, metrics, definition)
    st.caption("Settings, the table's fingerprint, charts, tables, intervals and caveats. The file loads nothing.")
    with st.container(horizontal=True):
        for label, suffix, mime, content in (
            ("Report (HTML)", ".html", "text/html", report.to_html),
            ("Report (Markdown)", ".md", "text/markdown", report.to_markdown),
            ("Tables (CSV, zip)", ".zip", "application/zip", lambda: _zip_tables(report)),
        ):
            st.download_button(
                label,
                content,
                file_name=downloads.file_name(report.title, suffix),
                mime=mime,
                icon=":material/download:",
                key=f"fairness-report{suffix}",
                on_click="ignore",
            )
    st.markdown("**Contents**")
    st.markdown("\n".join(f"- {frame.plain(name)} ({len(table):,} rows)" for name, table in report.tables().items()))


def _report(analysis: Analysis, metrics: GroupMetrics, definition: str) -> FairnessReport:
    dataset, run = analysis.dataset, analysis.run
    facts = {
        "Table": f"{dataset.name} ({dataset.rows:,} rows)",
        "Fingerprint": dataset.fingerprint,
        "Model": run.title + f" (run {run.id})" if run else "none: the table's own predictions",
        "Rows analyzed": f"{len(analysis.test.truth):,}",
        "Sensitive columns": ", ".join(analysis.sensitive),
        "Positive label": analysis.positive or "none: numbers",
        "Minimum group size": str(analysis.min_group_size),
    }
    if analysis.weight is not None:
        facts["Rows count by"] = analysis.weight
    if run is not None:
        facts["Rules checked on the test rows"] = str(policies.reads(run))
    applied = applied_rule(analysis)
    return FairnessReport(
        title=f"Fairness of {analysis.title}",
        facts=facts,
        metrics=metrics,
        definition=definition,
        policy=None if applied is None else applied[0].to_dict(),
        under_policy=None if applied is None else applied[1],
        mitigations=mitigations.latest_table(run),
    )


def _zip_tables(report: FairnessReport) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, table in report.tables().items():
            archive.writestr(f"{name.lower().replace(' ', '-')}.csv", table.to_csv(index=False))
    return buffer.getvalue()
