"""What of a version is handed on: to the Edge page, as a zip, to MLflow."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import streamlit as st

from core import models
from core.catalog import Model, ModelVersion, RunState, artifacts, runs
from core.tasks import push
from pages._ui import downloads, frame

__all__ = ["show"]


def show(model: Model, version: ModelVersion) -> None:
    """Draw the actions in the head of a model."""
    if st.button("Edge", icon=":material/speed:", key="to-edge", help="Export it to ONNX, and time it."):
        st.switch_page("pages/edge/page.py", query_params={"model": version.run_id})
    with st.popover("Download", icon=":material/download:", key="download", on_change="rerun") as opened:
        if opened.open:
            st.caption(f"Version {version.number}. Its card is in the tab Card.")
            _files(version)
            _mlflow(model, version)
            _push(version)


def _files(version: ModelVersion) -> None:
    run = runs.get(version.run_id, frame.workspace())
    (downloads.model if version.kind == "table" else downloads.folder)(run)


def _mlflow(model: Model, version: ModelVersion) -> None:
    size = sum(item.size_bytes for item in artifacts.find(version.run_id, version.workspace))
    call = f'from core import models\n\nmodels.save_mlflow("{version.id}", "a new folder")'
    if downloads.too_large(size, "The model for MLflow", call, language="python"):
        return

    def as_zip() -> bytes:
        with tempfile.TemporaryDirectory(prefix="plumbline-") as scratch:
            folder = models.save_mlflow(version.id, Path(scratch) / "model", workspace=version.workspace)
            return Path(shutil.make_archive(str(Path(scratch) / "mlflow"), "zip", folder)).read_bytes()

    st.download_button(
        "For MLflow (zip)", as_zip, file_name=downloads.file_name(f"{model.name} {version.number} mlflow", ".zip"),
        mime="application/zip", icon=":material/hub:", key="download-mlflow", on_click="ignore",
        help="A folder that `mlflow.pyfunc.load_model` loads. Policies stay behind: it gives labels and probabilities.",
    )  # fmt: skip


def _push(version: ModelVersion) -> None:
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        return
    where = "Parameters, metrics, files and the model, to the server that MLFLOW_TRACKING_URI names."
    if st.button("Push to MLflow", icon=":material/cloud_upload:", key="push-mlflow", help=where):
        st.switch_page("pages/runs/page.py", query_params={"run": push.submit(version)})
    for run in runs.find(version.workspace, task="push", states=[RunState.SUCCEEDED]):
        if run.settings["subject"] == version.id:
            st.caption(f"MLflow has it as run `{(run.result or {})['mlflow_run']}`.")
            break
