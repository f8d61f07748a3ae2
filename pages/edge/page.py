"""The Edge page: export a model, quantize it, measure its latency, download it."""

import streamlit as st

from core import exports, jobs
from core.catalog import RunState
from core.errors import NotFoundError
from pages._ui import frame, run_view
from pages._ui import header as page_header
from pages.edge import choose, exported, header, measurement

access = frame.access()
run_id = st.query_params.get("run")

if run_id is None:
    with page_header.lookup("Model", back="All exports"):
        choose.check_link()
    page_header.show("Edge", "Export a model to ONNX, make it smaller, and find out how fast it really is.")
    choose.show()
else:
    with page_header.lookup("Run", back="All exports"):
        run = jobs.get(run_id, access=access)
        frame.opened("run", run.id, run.title or run.task)
        if run.task not in (*exports.KINDS, "latency"):
            raise NotFoundError(
                f"Run '{run.id}' is neither an export nor a latency measurement.", "Choose one on the Edge page."
            )
    if run.task == "latency":
        header.show_measurement(run)
    else:
        header.show_export(run)
    if run.state is not RunState.SUCCEEDED:
        run_view.show_run(run.id)
    elif run.task == "latency":
        measurement.show(run)
    else:
        exported.show(run)
