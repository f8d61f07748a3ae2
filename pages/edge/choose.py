"""The start: a model that a run made, or an ONNX file; and earlier exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core import exports, jobs
from core.access import Access, has_feature
from core.catalog import Run, RunState, runs
from core.edge import QUANTIZATION_MODES
from core.errors import NotFoundError
from core.tasks import export, onnx_upload
from pages._ui import address, badges, distinct, frame, listing, numbers, policy_choice, uploader

if TYPE_CHECKING:
    from streamlit.typing import UploadedFile

__all__ = ["check_link", "show"]

_SHOWN = 50


def check_link() -> None:
    """Check that the address names a model that can be exported, or none.

    Raises
    ------
    NotFoundError
        When there is no such run, or it made no model.
    """
    run_id = st.query_params.get("model")
    if run_id is None:
        return
    run = runs.get(run_id, access=frame.access())
    if run.task not in export.SOURCES or run.state is not RunState.SUCCEEDED:
        raise NotFoundError(f"Run '{run.id}' left no model to export.", "Choose a search or a training that succeeded.")


def show() -> None:
    """Draw both ways to start, and earlier exports."""
    access = frame.access()
    models = sorted(
        (run for task in export.SOURCES for run in runs.find(task=task, states=[RunState.SUCCEEDED], access=access)),
        key=lambda run: -run.created_at,
    )
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Export a model")
        if models:
            _model(models)
        else:
            st.info("There is no model yet. Run a search, or fine-tune a model.", icon=":material/model_training:")
            st.page_link("pages/automl/page.py", label="Go to AutoML", icon=":material/arrow_forward:")
    if has_feature("onnx_uploads"):
        with right:
            st.subheader("Upload an ONNX file")
            _upload()
    _earlier(access=access)


def _model(models: list[Run]) -> None:
    by_id = {run.id: run for run in models}
    labels = distinct.labels(
        {
            run.id: f"{run.title} · {jobs.task_spec(run.task).title}, {numbers.ago(run.created_at)}"
            for run in by_id.values()
        }
    )
    shown = address.restore("model", list(by_id), models[0].id, "edge-model")
    chosen = st.selectbox("Model", list(by_id), format_func=labels.__getitem__, key="edge-model")
    address.keep("model", chosen, shown, "edge-model")
    run = by_id[chosen]
    policy, _ = policy_choice.choose(run, f"edge-policy-{run.id}")
    if policy != policy_choice.NO_POLICY:
        st.caption("The rule is stored in the file, and the bundle's predict.py decides by it.")
    modes = st.multiselect(
        "Variants besides fp32",
        list(QUANTIZATION_MODES),
        default=list(QUANTIZATION_MODES),
        format_func=lambda name: QUANTIZATION_MODES[name].title,
        key="edge-modes",
        help="\n\n".join(f"**{mode.title}**: {mode.help}" for mode in QUANTIZATION_MODES.values()),
    )
    # Not in a callback: if a field is changed just before the press, its settings would be those before.
    if st.button("Export", type="primary", icon=":material/output:", key="edge-export"):
        address.go(run=export.submit(run, modes=modes, policy=policy, access=frame.access()))


def _take_upload(file: UploadedFile) -> None:
    address.set_query(run=onnx_upload.submit(file, file.name, access=frame.access()))


def _upload() -> None:
    st.caption("It is inspected before anything runs it, and runs in a process with limits.")
    uploader.show(
        "One file with standard operators",
        key="edge-upload",
        limit_mb=onnx_upload.limit_mb(),
        on_upload=_take_upload,
    )


def _earlier(*, access: Access) -> None:
    earlier = sorted(
        (run for task in exports.KINDS for run in runs.find(task=task, limit=_SHOWN, access=access)),
        key=lambda run: -run.created_at,
    )[:_SHOWN]
    if not earlier:
        return
    st.subheader("Earlier exports")
    listing.show(
        pd.DataFrame(
            {
                "Model": [run.title for run in earlier],
                "State": [badges.of_run(run).label for run in earlier],
                "From": [jobs.task_spec(run.task).title for run in earlier],
                "Variants": [", ".join((run.result or {}).get("variants", [])) for run in earlier],
                "Started": [numbers.when(run.created_at) for run in earlier],
            }
        ),
        [run.id for run in earlier],
        key="edge-exports",
        parameter="run",
        height="auto",
        column_config={
            "Model": st.column_config.TextColumn(width="large"),
            "Started": st.column_config.DatetimeColumn(format="D MMM, HH:mm"),
        },
        alt="Exports of this workspace, newest first",
    )
