"""The Edge page: export a model, make it smaller, time it as the industry does, take it away."""

import streamlit as st

from core import exports, jobs
from core.catalog import RunState
from core.errors import NotFoundError
from pages._ui import frame, run_view
from pages.edge import choose, exported, heads, measured

workspace = frame.workspace()
run_id = st.query_params.get("run")

if run_id is None:
    frame.head("Edge", "Export a model to ONNX, make it smaller, and find out how fast it really is.")
    choose.show()
else:
    run = jobs.get(run_id, workspace=workspace)
    if run.task in exports.KINDS:
        heads.of_export(run)
    elif run.task == "latency":
        heads.of_measurement(run)
    else:
        raise NotFoundError(f"Run '{run.id}' is no export and no measurement.", "Choose one on the Edge page.")
    if run.state is not RunState.SUCCEEDED:
        run_view.show_run(run.id)
    elif run.task == "latency":
        measured.show(run)
    else:
        exported.show(run)
