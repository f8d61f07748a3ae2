"""The Report tab: one file with the analysis, its results and its caveats."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from core import policies
from core.fairness import FairnessReport, GroupMetrics
from core.summary import summarize_fairness
from pages._ui import downloads, frame, result_summary
from pages.fairness import mitigations
from pages.fairness.analysis import Analysis
from pages.fairness.applied_rule import applied_rule

__all__ = ["show"]


def show(analysis: Analysis, metrics: GroupMetrics, definition: str, evidence: Sequence[str]) -> None:
    """Draw the downloads and their contents; `evidence` are sentences on further rows."""
    report = _report(analysis, metrics, definition, evidence)
    _summary(analysis, report)
    st.caption("Settings, the table's fingerprint, charts, tables, intervals and caveats. The file loads nothing.")
    with st.container(horizontal=True):
        for label, suffix, mime, content in (
            ("Report (HTML)", ".html", "text/html", report.to_html),
            ("Report (Markdown)", ".md", "text/markdown", report.to_markdown),
            ("Tables (CSV, zip)", ".zip", "application/zip", report.to_zip),
        ):
            downloads.button(
                label,
                content,
                file_name=downloads.file_name(report.title, suffix),
                mime=mime,
                icon=":material/download:",
                key=f"fairness-report{suffix}",
                on_click="ignore",
            )
    downloads.csv_note()
    st.markdown("**Contents**")
    st.markdown("\n".join(f"- {frame.plain(name)} ({len(table):,} rows)" for name, table in report.tables().items()))


def _summary(analysis: Analysis, report: FairnessReport) -> None:
    """Draw the button that makes a page about this comparison to hand on."""
    applied = "" if report.policy is None else json.dumps(report.policy, sort_keys=True)
    parts = (analysis.key, str(analysis.min_group_size), report.definition, applied)
    key = hashlib.sha256("/".join(parts).encode()).hexdigest()[:16]
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    result_summary.show_comparison(key, analysis.dataset, lambda notes: summarize_fairness(report, notes, date=today))


def _report(analysis: Analysis, metrics: GroupMetrics, definition: str, evidence: Sequence[str]) -> FairnessReport:
    dataset, run = analysis.dataset, analysis.run
    facts = {
        "Table": f"{dataset.name} ({dataset.rows:,} rows)",
        "Fingerprint": dataset.fingerprint,
        "Model": run.title + f" (run {run.id})" if run else "none: the table's own predictions",
        "Rows analyzed": f"{len(analysis.test.truth):,}",
        "Sensitive columns": ", ".join(analysis.sensitive),
        "Favorable outcome": analysis.positive or "none: numbers",
        "Minimum group size": str(analysis.min_group_size),
    }
    if analysis.weight is not None:
        facts["Rows count by"] = analysis.weight
    if run is not None:
        facts["Test rows used so far"] = policies.describe_reads(run, access=frame.access())
    if analysis.notes:
        facts["Reading"] = "; ".join(analysis.notes)
    applied = applied_rule(analysis)
    return FairnessReport(
        title=f"Fairness of {analysis.title}",
        facts=facts,
        metrics=metrics,
        definition=definition,
        evidence=evidence,
        policy=None if applied is None else applied[0].to_dict(),
        under_policy=None if applied is None else applied[1],
        mitigations=mitigations.latest_table(run),
    )
