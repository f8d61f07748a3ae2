"""The way in: a model that a run made, or an ONNX file; and what was exported before."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import exports, policies
from core.catalog import Run, RunState, runs
from core.edge import QUANTIZATION_MODES
from core.tasks import export, onnx_upload
from pages._ui import frame, numbers
from pages._ui.run_view import STATE_BADGES

__all__ = ["show"]

_MAKERS = {"automl": "AutoML", "finetune": "Fine-tuning"}
_SHOWN = 50


def show() -> None:
    """Draw both ways in, and the exports there are."""
    workspace = frame.workspace()
    models = sorted(
        (run for task in export.SOURCES for run in runs.find(workspace, task=task, states=[RunState.SUCCEEDED])),
        key=lambda run: -run.created_at,
    )
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("A model of yours")
        if models:
            _model(models)
        else:
            st.info("There is no model yet. Search for one, or fine-tune one.", icon=":material/model_training:")
            st.page_link("pages/automl/page.py", label="Go to AutoML", icon=":material/arrow_forward:")
    with right:
        st.subheader("An ONNX file")
        _upload()
    _earlier(workspace)


def _model(models: list[Run]) -> None:
    by_id = {run.id: run for run in models}
    asked = st.query_params.get("model")
    if asked in by_id:
        st.session_state.setdefault("edge-model", asked)
    chosen = st.selectbox(
        "Model",
        list(by_id),
        format_func=lambda item: (
            f"{by_id[item].title} · {_MAKERS[by_id[item].task]}, {numbers.ago(by_id[item].created_at)}"
        ),
        key="edge-model",
    )
    run = by_id[chosen]
    known = list(policies.kept(run))
    policy = None
    if known:
        policy = st.selectbox(
            "Threshold policy",
            [None, *known],
            format_func=lambda name: "None: the most probable label" if name is None else name,
            key=f"edge-policy-{run.id}",
            help="It travels in the file, and the bundle's predict.py decides by it.",
        )
    modes = st.multiselect(
        "Variants beside fp32",
        list(QUANTIZATION_MODES),
        default=list(QUANTIZATION_MODES),
        key="edge-modes",
        help="\n\n".join(f"**{name}**: {text}" for name, text in QUANTIZATION_MODES.items()),
    )
    # No callback: its settings would be those of the run before, if a field was changed just before the press.
    if st.button("Export", type="primary", icon=":material/output:", key="edge-export"):
        _open(export.submit(run, modes=modes, policy=policy))


def _open(run_id: str) -> None:
    frame.go(run=run_id)
    st.rerun()


def _take_upload() -> None:
    number = st.session_state.setdefault("edge-upload-number", 0)
    file = st.session_state.get(f"edge-upload-{number}")
    if file is None:
        return
    # A new key drops the widget's copy of the file from memory.
    st.session_state["edge-upload-number"] = number + 1
    with frame.errors_shown():
        run_id = onnx_upload.submit(file, file.name, workspace=frame.workspace())
        frame.go(run=run_id)


def _upload() -> None:
    number = st.session_state.setdefault("edge-upload-number", 0)
    st.file_uploader(
        f"One file with standard operators, up to {onnx_upload.LIMIT_MB} MB. It is looked at before anything runs "
        "it, and runs in a process with limits.",
        max_upload_size=onnx_upload.LIMIT_MB,
        key=f"edge-upload-{number}",
        on_change=_take_upload,
    )


def _pick() -> None:
    chosen = st.session_state["edge-exports"].selection.rows
    if chosen:
        frame.go(run=st.session_state["edge-export-ids"][chosen[0]])


def _earlier(workspace: str) -> None:
    found = sorted(
        (run for task in exports.KINDS for run in runs.find(workspace, task=task, limit=_SHOWN)),
        key=lambda run: -run.created_at,
    )[:_SHOWN]
    if not found:
        return
    st.subheader("Exported before")
    st.session_state["edge-export-ids"] = [run.id for run in found]
    st.dataframe(
        pd.DataFrame(
            {
                "Model": [run.title for run in found],
                "State": [STATE_BADGES[run.state][0] for run in found],
                "From": ["An upload" if run.task == "onnx_upload" else "A model of yours" for run in found],
                "Variants": [", ".join((run.result or {}).get("variants", [])) for run in found],
                "Started": [numbers.when(run.created_at) for run in found],
            }
        ),
        hide_index=True,
        key="edge-exports",
        on_select=_pick,
        selection_mode="single-row",
        column_config={
            "Model": st.column_config.TextColumn(width="large"),
            "Started": st.column_config.DatetimeColumn(format="D MMM, HH:mm"),
        },
        alt="Exports of this workspace, newest first",
    )
