"""Downloads: variants, bundles, and the values of a measurement."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamlit as st

from core import exports, jobs
from core.catalog import Run
from core.edge import LICENSES, license_text
from core.spreadsheet import to_csv
from core.tasks import latency
from pages._ui import artifacts, downloads, frame, numbers
from pages.edge import stored

__all__ = ["show_export", "show_measurement"]


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
    license_id = st.selectbox(
        "License of the model", list(LICENSES), format_func=LICENSES.__getitem__, key="edge-bundle-license"
    )

    def as_zip() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "bundle.zip"
            return exports.bundle(
                run, name, target, license=license_text(license_id), access=frame.access()
            ).read_bytes()

    downloads.button(
        "Bundle (zip)",
        as_zip,
        file_name=downloads.file_name(f"{run.title} {name} bundle", ".zip"),
        mime="application/zip",
        type="primary",
        icon=":material/inventory_2:",
        key="edge-download-bundle",
        on_click="ignore",
        width="stretch",
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
