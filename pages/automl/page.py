"""The AutoML page: set a search up, watch it, read its result."""

import streamlit as st

from core.catalog import RunState
from pages._ui import header, lookups, run_view
from pages.automl import known_columns, live, result, setup

run_id = st.query_params.get("run")

if run_id is not None:
    with header.lookup("Search", back="New search"):
        run = lookups.run(run_id, "automl", what="a search")
    result.head(run)
    if run.state is RunState.SUCCEEDED:
        result.show(run)
    else:
        known_columns.origin(run)
        run_view.show_run(run.id, live.details, budget_s=run.settings.get("time_budget_s"))
else:
    with header.lookup("Dataset", back="New search"):
        known = lookups.selectable_datasets()
    header.show("AutoML", "Search for the best model within a time budget, and see how good it is on unseen rows.")
    if known:
        setup.show(known)
    else:
        st.info("There is no table to learn from yet. Upload one or load a sample.", icon=":material/table_chart:")
        st.page_link("pages/data/page.py", label="Go to Data", icon=":material/arrow_forward:")
