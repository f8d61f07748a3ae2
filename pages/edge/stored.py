"""Stored exports and measurements, read once per content; and their values as tables."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import exports, smallest_variants
from core.catalog import Run, artifacts
from core.datasets import StoredRows
from core.edge import ExportRecord
from core.edge.latency import PERCENTS, LatencySuiteReport
from core.edge.smallest import SmallestReport
from core.tasks import latency
from pages._ui import artifacts as files
from pages._ui import frame

__all__ = ["NATIVE", "export_record", "samples", "smallest_report", "suite_report", "summary"]

NATIVE = "as trained"


@st.cache_resource(max_entries=20, show_spinner=False)
def _record(digest: str) -> ExportRecord:
    return ExportRecord.from_dict(files.read_json(digest))


@st.cache_resource(max_entries=20, show_spinner=False)
def _report(digest: str) -> LatencySuiteReport:
    return LatencySuiteReport.from_dict(files.read_json(digest))


@st.cache_resource(max_entries=20, show_spinner=False)
def _smallest(digest: str) -> SmallestReport:
    return SmallestReport.from_dict(files.read_json(digest))


def export_record(run: Run) -> ExportRecord:
    """Return an export's record."""
    return _record(artifacts.get(run.id, exports.EDGE, access=frame.access()).digest)


def suite_report(run: Run) -> LatencySuiteReport:
    """Return the report of a latency measurement."""
    return _report(artifacts.get(run.id, latency.LATENCY, access=frame.access()).digest)


def smallest_report(run: Run) -> SmallestReport:
    """Return the report of a search for the smallest variant."""
    return _smallest(artifacts.get(run.id, smallest_variants.REPORT, access=frame.access()).digest)


def samples(run: Run) -> StoredRows:
    """Return the latency of the requests of a measurement, or of a sample of them: variant, ms."""
    return files.sample(artifacts.get(run.id, latency.SAMPLES, access=frame.access()).digest)


def summary(report: LatencySuiteReport) -> pd.DataFrame:
    """Return one row per variant, for spreadsheets; percentiles without enough samples are empty."""
    rows = []
    reports = report.reports if report.native is None else report.reports | {NATIVE: report.native}
    for name, measured in reports.items():
        row: dict[str, str | float | bool | None] = {"variant": name, "scenario": measured.settings.scenario}
        for percent in PERCENTS:
            percentile = measured.percentiles[percent]
            row |= {
                f"p{percent}_ms": percentile.value,
                f"p{percent}_low_ms": percentile.low,
                f"p{percent}_high_ms": percentile.high,
            }
        row |= {
            "samples": measured.requests,
            "rows_per_second": measured.throughput,
            "cpu_ms_per_row": 1000 * measured.cpu_s_per_inference,
            "peak_memory_mb": measured.peak_rss_mb,
            "load_ms": measured.load_ms,
            "first_ms": measured.first_ms,
            "stable": measured.stable,
            "busy_machine": measured.machine.busy,
            "preprocessing": measured.preprocessing,
            "size_mb": measured.size_bytes / 1e6,
        }
        rows.append(row)
    return pd.DataFrame(rows)
