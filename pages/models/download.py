"""The actions in the header of a model: to the Edge page, downloads, MLflow."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import streamlit as st

from core import models
from core.catalog import Model, ModelVersion, artifacts, runs
from pages._ui import downloads, frame, mlflow, policy_choice

__all__ = ["show"]


def show(model: Model, version: ModelVersion) -> None:
    """Draw the actions."""
    if st.button(
        "Edge", icon=":material/speed:", key="models-to-edge", help="Export it to ONNX and measure its latency."
    ):
        st.switch_page("pages/edge/page.py", query_params={"model": version.run_id})
    with st.popover("Download", icon=":material/download:", key="models-download", on_change="rerun") as opened:
        if opened.open:
            st.caption(f"Version {version.number}. Its card can be downloaded in the tab Card.")
            _model_files(version)
            run = runs.get(version.run_id, access=frame.access())
            policy, _ = policy_choice.choose(run, "models-download-policy")
            _mlflow_zip(model, version, policy)
            mlflow.show(version, policy_choice.unless_default(run, policy))


def _model_files(version: ModelVersion) -> None:
    run = runs.get(version.run_id, access=frame.access())
    (downloads.model if version.kind == "table" else downloads.folder)(run)


def _mlflow_zip(model: Model, version: ModelVersion, policy: str) -> None:
    size = sum(item.size_bytes for item in artifacts.find(version.run_id, access=frame.access()))
    arguments = f'"{version.id}", "a new folder", policy="{policy}", access=LOCAL'
    call = f"from core import models\nfrom core.access import LOCAL\n\nmodels.save_mlflow({arguments})"
    if downloads.too_large(size, "The model for MLflow", call, language="python"):
        return

    def as_zip() -> bytes:
        with tempfile.TemporaryDirectory(prefix="plumbline-") as scratch:
            folder = models.save_mlflow(version.id, Path(scratch) / "model", policy=policy, access=frame.access())
            return Path(shutil.make_archive(str(Path(scratch) / "mlflow"), "zip", folder)).read_bytes()

    downloads.button(
        "For MLflow (zip)",
        as_zip,
        file_name=downloads.file_name(f"{model.name} {version.number} mlflow", ".zip"),
        mime="application/zip",
        icon=":material/hub:",
        key="models-download-mlflow",
        on_click="ignore",
        help="A folder that `mlflow.pyfunc.load_model` loads. It predicts labels and probabilities, and decides by the "
        "chosen policy.",
    )
