"""The Bias audit tab: the three tables of New York City's Local Law 144, to read, print and download."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.catalog import Dataset, Run
from core.fairness import AUDIT_TABLES, AUDITOR_SENTENCE, AuditFacts, BiasAudit, bias_audit
from pages._ui import artifacts, downloads, frame
from pages.fairness import audit_columns
from pages.fairness.audit_columns import NOT_HISPANIC
from pages.fairness.audit_study import AuditStudy
from pages.fairness.audited_rows import AuditColumns

__all__ = ["show"]

_SMALL_SHARE = 0.02


def show(dataset: Dataset, run: Run | None) -> None:
    """Draw the choice of columns and categories, the tables, and the downloads."""
    st.caption(
        "Selection or scoring rates and impact ratios by sex, by race and ethnicity, and by both, as New York City's "
        "Local Law 144 (6 RCNY 5-300 to 5-304) defines them for tools that help to hire or promote."
    )
    st.info(AUDITOR_SENTENCE, icon=":material/gavel:")
    study = AuditStudy(dataset, run)
    columns = audit_columns.choose(dataset, run, study)
    if columns is not None:
        exclude = study.toggle(
            "exclude",
            "Leave categories below 2% out of the impact ratios",
            default=True,
            help_text="The law allows it where the auditor justifies it. Their numbers and rates are shown all the "
            "same.",
        )
        with frame.errors_shown():
            audit = _audit(columns, _SMALL_SHARE if exclude else 0.0)
            if note := artifacts.sample_note(columns.rows, "rows"):
                st.warning(note, icon=":material/filter_alt:")
            _tables(audit)
            _downloads(audit, _facts(audit, columns, dataset, run, study), columns.title)
    study.store()


@st.cache_resource(max_entries=16, show_spinner="Counting")
def _audit(columns: AuditColumns, min_share: float) -> BiasAudit:
    table = columns.rows.frame
    sex, race = (None if name is None else table[name] for name in (columns.sex, columns.race))
    return bias_audit(
        columns.outcomes(table),
        sex,
        race,
        kind=columns.kind,
        min_share=min_share,
        sex_categories=None if sex is None else dict(columns.sex_mapping),
        race_categories=None if race is None else dict(columns.race_mapping),
    )


def _tables(audit: BiasAudit) -> None:
    for name in audit.tables:
        st.subheader(AUDIT_TABLES[name])
        table = _shown(audit.published(name))
        st.table(table.set_index(table.columns[0]), border="horizontal")
    if audit.race is not None:
        st.caption("Categories of race and ethnicity but Hispanic or Latino are of people who are neither.")
    st.markdown("\n".join(f"- {frame.plain(note)}" for note in audit.notes))
    st.caption(
        "An impact ratio is the rate of a category divided by the highest rate of its table. The law sets no limit for "
        "it. The four-fifths convention (29 CFR 1607.4 D) looks at ratios below 0.80; the Groups tab has intervals."
    )


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return a published table as Markdown, with categories short enough for a phone."""
    shown = table.apply(
        lambda cells: (
            [frame.plain(cell.removesuffix(NOT_HISPANIC)) for cell in cells]
            if str(cells.name).endswith("Category")
            else cells
        )
    )
    return shown.rename(columns=frame.plain)


def _facts(audit: BiasAudit, columns: AuditColumns, dataset: Dataset, run: Run | None, study: AuditStudy) -> AuditFacts:
    """Draw the form with what is published beside the tables, and return it."""
    st.subheader("To publish beside the tables")
    left, right = st.columns(2, gap="medium")
    with left:
        tool = study.text("tool", "Tool and version", default="" if run is None else run.title)
        source = study.text("source", "Source of the data", default=dataset.name)
        explanation = study.long_text(
            "explanation",
            "Explanation of the data",
            placeholder="Historical data of which employers and which period? Test data: why, and how were they made?",
        )
    with right:
        audited = study.date("date", "Date of the audit")
        distributed = study.date("distributed", "Distribution date of the tool")
        auditor = study.text("auditor", "Independent auditor")
    justification = ""
    if audit.has_excluded:
        justification = study.long_text("justification", "Auditor's justification for the excluded categories")
    facts = AuditFacts(
        tool=tool,
        source=source,
        explanation=explanation,
        audit_date=audited,
        distribution_date=distributed,
        auditor=auditor,
        justification=justification,
        calculation=columns.facts(dataset),
    )
    if missing := facts.missing(excluded=audit.has_excluded):
        st.caption(f"Printed as not stated: {', '.join(name[0].lower() + name[1:] for name in missing)}.")
    return facts


def _downloads(audit: BiasAudit, facts: AuditFacts, title: str) -> None:
    heading = f"Bias audit tables of {title}"
    with st.container(horizontal=True):
        downloads.button(
            "To print (HTML)",
            lambda: audit.to_html(facts, title=heading),
            file_name=downloads.file_name(heading, ".html"),
            mime="text/html",
            type="primary",
            icon=":material/print:",
            key="fairness-audit-html",
            help="One file that loads nothing; a browser prints it or saves it as PDF.",
            on_click="ignore",
        )
        downloads.button(
            "Numbers (CSV)",
            audit.to_csv,
            file_name=downloads.file_name(heading, ".csv"),
            mime="text/csv",
            icon=":material/csv:",
            key="fairness-audit-csv",
            help="Unrounded rates and ratios.",
            on_click="ignore",
        )
    downloads.csv_note()
