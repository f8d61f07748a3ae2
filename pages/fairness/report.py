"""The report: one file that says what was looked at, what was found, and what to be careful about."""

from __future__ import annotations

import io
import zipfile

import streamlit as st

from core import policies
from core.fairness import FairnessReport, GroupMetrics
from pages._ui import downloads, frame
from pages.fairness import applied, mitigation
from pages.fairness.evidence import Evidence

__all__ = ["show"]


def show(evidence: Evidence, found: GroupMetrics, definition: str) -> None:
    """Draw the downloads and what is in them."""
    made = _report(evidence, found, definition)
    st.caption("Settings, the table's fingerprint, charts, tables, intervals and caveats. The file loads nothing.")
    with st.container(horizontal=True):
        for label, suffix, mime, content in (
            ("Report (HTML)", ".html", "text/html", made.to_html),
            ("Report (Markdown)", ".md", "text/markdown", made.to_markdown),
            ("Tables (CSV, zip)", ".zip", "application/zip", lambda: _zipped(made)),
        ):
            st.download_button(
                label,
                content,
                file_name=downloads.file_name(made.title, suffix),
                mime=mime,
                icon=":material/download:",
                key=f"fairness-report{suffix}",
                on_click="ignore",
            )
    st.markdown("**In it**")
    st.markdown("\n".join(f"- {frame.plain(name)} ({len(table):,} rows)" for name, table in made.tables().items()))


def _report(evidence: Evidence, found: GroupMetrics, definition: str) -> FairnessReport:
    dataset, run = evidence.dataset, evidence.run
    facts = {
        "Table": f"{dataset.name} ({dataset.rows:,} rows)",
        "Fingerprint": dataset.fingerprint,
        "Model": run.title + f" (run {run.id})" if run else "none: the table's own predictions",
        "Rows the figures are about": f"{len(evidence.test.truth):,}",
        "Sensitive columns": ", ".join(evidence.sensitive),
        "Positive label": evidence.positive or "none: numbers",
        "Rows a group needs": str(evidence.min_rows),
    }
    if run is not None:
        facts["Rules that the test rows were read for"] = str(policies.reads(run))
    rule = applied.rule(evidence)
    return FairnessReport(
        title=f"Fairness of {evidence.title}",
        facts=facts,
        found=found,
        definition=definition,
        policy=None if rule is None else rule[0].to_dict(),
        under_policy=None if rule is None else rule[1],
        mitigations=mitigation.latest_table(run),
    )


def _zipped(made: FairnessReport) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, table in made.tables().items():
            archive.writestr(f"{name.lower().replace(' ', '-')}.csv", table.to_csv(index=False))
    return buffer.getvalue()
