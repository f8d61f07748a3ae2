"""The AutoML page: set a search up, watch it, read its result."""

import streamlit as st

from core import jobs
from core.catalog import RunState, datasets
from core.errors import NotFoundError
from pages._ui import address, frame, run_view
from pages.automl import live, result, setup

workspace = frame.workspace()
run_id = st.query_params.get("run")
known = datasets.find(workspace)

if run_id is not None:
    try:
        run = jobs.get(run_id, workspace=workspace)
    except NotFoundError:
        if st.button("New search", icon=":material/arrow_back:", type="tertiary", key="automl-back"):
            address.go()
        raise
    result.head(run)
    if run.state is RunState.SUCCEEDED:
        result.show(run)
    else:
        run_view.show_run(run.id, live.details, budget_s=run.settings.get("time_budget_s"))
elif known:
    frame.head("AutoML", "Search for the best model within a time budget, and see how good it is on unseen rows.")
    setup.show(known)
else:
    frame.head("AutoML", "Search for the best model within a time budget, and see how good it is on unseen rows.")
    st.info("There is no table to learn from yet. Upload one or load a sample.", icon=":material/table_chart:")
    st.page_link("pages/data/page.py", label="Go to Data", icon=":material/arrow_forward:")
