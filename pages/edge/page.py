"""The Edge page: export a model, quantize it, find the smallest variant, measure its latency, download it."""

import streamlit as st

from core import exports, jobs
from core.catalog import RunState
from core.errors import NotFoundError
from pages._ui import frame, run_view
from pages._ui import header as page_header
from pages.edge import choose, exported, header, measurement, smallest_result

access = frame.access()
run_id = st.query_params.get("run")
RESULTS = {
    "latency": (header.show_measurement, measurement.show),
    "smallest": (header.show_search, smallest_result.show),
}

if run_id is None:
    with page_header.lookup("Model", back="All exports"):
        choose.check_link()
    page_header.show("Edge", "Export a model to ONNX, make it smaller, and find out how fast it really is.")
    choose.show()
else:
    with page_header.lookup("Run", back="All exports"):
        run = jobs.get(run_id, access=access)
        frame.opened("run", run.id, run.title or run.task)
        if run.task not in (*exports.KINDS, *RESULTS):
            raise NotFoundError(
                f"Run '{run.id}' is neither an export nor a latency measurement.", "Choose one on the Edge page."
            )
    show_header, show_result = RESULTS.get(run.task, (header.show_export, exported.show))
    show_header(run)
    if run.state is not RunState.SUCCEEDED:
        run_view.show_run(run.id)
    else:
        show_result(run)
