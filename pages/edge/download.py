"""Downloads: variants, bundles, and the values of a measurement."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import streamlit as st

from core import exports, jobs, smallest_variants
from core.catalog import Run
from core.edge import FULL_PRECISION, LICENSES, ExportRecord, license_text
from core.edge.smallest import SmallestReport, describe_candidate
from core.spreadsheet import to_csv
from core.tasks import latency
from pages._ui import artifacts, downloads, frame, lookups, numbers
from pages.edge import stored

__all__ = ["show_candidate", "show_export", "show_measurement", "show_search", "show_variant"]


def show_export(run: Run) -> None:
    """Draw the downloads of an export."""
    record = stored.export_record(run)
    for variant in record.made:
        downloads.button(
            f"{variant.name} ({numbers.size(variant.size_bytes or 0)})",
            exports.variant_path(run, record, variant.name, access=frame.access()).read_bytes,
            file_name=downloads.file_name(f"{run.title} {variant.name}", ".onnx"),
            icon=":material/deployed_code:",
            key=f"edge-variant-{variant.name}",
            on_click="ignore",
            width="stretch",
        )
    if record.model is None:
        st.caption("A bundle needs a model that Plumbline exported: the columns of this one are unknown.")
        return
    st.markdown("**Edge bundle**")
    st.caption(
        "A zip that predicts with only ONNX Runtime and NumPy: model, predict.py, sample, model card and license."
    )
    name = st.selectbox("Variant", [variant.name for variant in record.made], key="edge-bundle-variant")

    def write(target: Path, license: str) -> Path:
        return exports.bundle(run, name, target, license=license, access=frame.access())

    _bundle(f"{run.title} {name}", write, key="edge")


def show_search(run: Run) -> None:
    """Draw the downloads of a search: the bundle of any candidate, and the report."""
    report = stored.smallest_report(run)
    path = jobs.artifact_path(run.id, smallest_variants.REPORT, access=frame.access())
    downloads.button(
        "Full report (JSON)",
        path.read_bytes,
        file_name=downloads.file_name(f"{run.title} smallest variant", ".json"),
        mime="application/json",
        icon=":material/data_object:",
        key="edge-download-smallest-json",
        on_click="ignore",
        width="stretch",
    )
    if not report.candidates:
        return
    st.markdown("**Bundle of another candidate**")
    names = [f"{item.candidate.variant} ({describe_candidate(item.candidate)})" for item in report.candidates]
    index = st.selectbox(
        "Candidate",
        range(len(names)),
        index=report.chosen or 0,
        format_func=names.__getitem__,
        key="edge-smallest-candidate",
    )
    show_candidate(run, report, index, key="edge-other", width="stretch")


def show_candidate(
    run: Run,
    report: SmallestReport,
    index: int,
    *,
    key: str = "edge-smallest",
    width: Literal["content", "stretch"] = "content",
) -> None:
    """Draw the download of a candidate of a search: its bundle, or of an uploaded model the file alone.

    Parameters
    ----------
    run : Run
        The search.
    report : SmallestReport
        Its report.
    index : int
        Position of the candidate.
    key : str, default="edge-smallest"
        Prefix of the widgets' keys.
    width : {"content", "stretch"}, default="content"
        Width of the button.
    """
    measured = report.candidates[index]
    variant = report.variant(measured.candidate.variant)
    title = f"{run.title} {variant.name}"
    exported = lookups.existing_run(run.settings["export"])
    if exported is None:
        st.caption("The export was deleted, and with it what a bundle needs.")
        return
    record = stored.export_record(exported)
    if record.model is None:
        path = (
            exports.variant_path(exported, record, FULL_PRECISION, access=frame.access())
            if variant.name == FULL_PRECISION
            else artifacts.path_of(run, variant.file or "")
        )
        downloads.button(
            f"{variant.name} ({numbers.size(measured.size_bytes)})",
            path.read_bytes,
            file_name=downloads.file_name(title, ".onnx"),
            type="primary",
            icon=":material/deployed_code:",
            key=f"{key}-file",
            on_click="ignore",
            width=width,
        )
        return

    def write(target: Path, license: str) -> Path:
        return smallest_variants.bundle(run, index, target, license=license, access=frame.access())

    with st.container(horizontal=width == "content", vertical_alignment="bottom"):
        _bundle(title, write, key=key, width=width)


def show_variant(run: Run, record: ExportRecord, name: str, *, key: str) -> None:
    """Draw the button of a variant's bundle, with the choice of its license beside it.

    Parameters
    ----------
    run : Run
        The export.
    record : ExportRecord
        Its record.
    name : str
        Name of the variant.
    key : str
        Prefix of the widgets' keys.
    """
    if record.model is None:
        return

    def write(target: Path, license: str) -> Path:
        return exports.bundle(run, name, target, license=license, access=frame.access())

    with st.container(horizontal=True, vertical_alignment="bottom"):
        _bundle(f"{run.title} {name}", write, key=key, width="content")


def _bundle(
    title: str, write: Callable[[Path, str], Path], *, key: str, width: Literal["content", "stretch"] = "stretch"
) -> None:
    """Draw the choice of a license, and the button of the bundle.

    Parameters
    ----------
    title : str
        Title of what is in the bundle.
    write : callable
        Takes the path of a zip and the text of a license, and writes the zip.
    key : str
        Prefix of the widgets' keys.
    width : {"content", "stretch"}, default="stretch"
        Width of the button.
    """
    license_id = st.selectbox(
        "License of the model",
        list(LICENSES),
        format_func=LICENSES.__getitem__,
        key=f"{key}-bundle-license",
        width="stretch" if width == "stretch" else 260,
    )

    def as_zip() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            return write(Path(folder) / "bundle.zip", license_text(license_id)).read_bytes()

    downloads.button(
        "Bundle (zip)",
        as_zip,
        file_name=downloads.file_name(f"{title} bundle", ".zip"),
        mime="application/zip",
        type="primary",
        icon=":material/inventory_2:",
        key=f"{key}-download-bundle",
        on_click="ignore",
        width=width,
    )


def show_measurement(run: Run) -> None:
    """Draw the downloads of a measurement."""
    path = jobs.artifact_path(run.id, latency.LATENCY, access=frame.access())
    downloads.button(
        "Full report (JSON)",
        path.read_bytes,
        file_name=downloads.file_name(f"{run.title} latency", ".json"),
        mime="application/json",
        icon=":material/data_object:",
        key="edge-download-json",
        on_click="ignore",
        width="stretch",
    )
    downloads.button(
        "Summary (CSV)",
        lambda: to_csv(stored.summary(stored.suite_report(run))).encode(),
        file_name=downloads.file_name(f"{run.title} latency", ".csv"),
        mime="text/csv",
        icon=":material/csv:",
        key="edge-download-summary",
        on_click="ignore",
        width="stretch",
    )
    downloads.button(
        "Every request (CSV)",
        lambda: downloads.csv_of(artifacts.path_of(run, latency.SAMPLES)),
        file_name=downloads.file_name(f"{run.title} requests", ".csv"),
        mime="text/csv",
        icon=":material/csv:",
        help="Variant and latency in milliseconds of each measured request.",
        key="edge-download-samples",
        on_click="ignore",
        width="stretch",
    )
