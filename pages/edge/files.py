"""What can be taken away: variants, bundles, and the figures of a measurement."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamlit as st

from core import exports
from core.catalog import Run
from core.edge import LICENSES, license_text
from core.tasks import latency
from pages._ui import artifacts, downloads, numbers
from pages.edge import figures

__all__ = ["of_export", "of_measurement"]


def of_export(run: Run) -> None:
    """Draw the downloads of an export."""
    found = figures.export(run)
    made = [variant for variant in found["variants"] if variant["file"]]
    for variant in made:
        path = exports.variant_path(run, found, variant["name"])
        st.download_button(
            f"{variant['name']} ({numbers.size(variant['size_bytes'])})",
            path.read_bytes,
            file_name=downloads.file_name(f"{run.title} {variant['name']}", ".onnx"),
            icon=":material/deployed_code:",
            key=f"edge-variant-{variant['name']}",
            on_click="ignore",
            width="stretch",
        )
    if found["model"] is None:
        st.caption("A bundle is made of models that Plumbline exported: of this one the columns are unknown.")
        return
    st.markdown("**Edge bundle**")
    st.caption("A zip that predicts with ONNX Runtime and NumPy alone: model, predict.py, sample, card, licence.")
    variant = st.selectbox("Variant", [item["name"] for item in made], key="edge-bundle-variant")
    licence = st.selectbox(
        "Licence of the model", list(LICENSES), format_func=LICENSES.__getitem__, key="edge-bundle-licence"
    )

    def as_zip() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "bundle.zip"
            return exports.bundle(run, variant, target, licence=license_text(licence)).read_bytes()

    st.download_button(
        "Bundle (zip)",
        as_zip,
        file_name=downloads.file_name(f"{run.title} {variant} bundle", ".zip"),
        mime="application/zip",
        type="primary",
        icon=":material/inventory_2:",
        key="edge-download-bundle",
        on_click="ignore",
        width="stretch",
    )


def of_measurement(run: Run) -> None:
    """Draw the downloads of a measurement."""
    path = artifacts.path_of(run, latency.LATENCY)
    st.download_button(
        "All figures (JSON)",
        path.read_bytes,
        file_name=downloads.file_name(f"{run.title} latency", ".json"),
        mime="application/json",
        icon=":material/data_object:",
        key="edge-download-json",
        on_click="ignore",
        width="stretch",
    )
    st.download_button(
        "Summary (CSV)",
        lambda: figures.summary(figures.measurement(run)).to_csv(index=False).encode(),
        file_name=downloads.file_name(f"{run.title} latency", ".csv"),
        mime="text/csv",
        icon=":material/csv:",
        key="edge-download-summary",
        on_click="ignore",
        width="stretch",
    )
    st.download_button(
        "Every request (CSV)",
        lambda: figures.samples(run).to_csv(index=False).encode(),
        file_name=downloads.file_name(f"{run.title} requests", ".csv"),
        mime="text/csv",
        icon=":material/csv:",
        help="Variant and milliseconds of each request that was measured.",
        key="edge-download-samples",
        on_click="ignore",
        width="stretch",
    )
