"""The Federated page: set a study up, watch its rounds, read what each site gains."""

import streamlit as st

from core.catalog import RunState
from pages._ui import header, lookups, run_view
from pages.federated import live, result, setup

run_id = st.query_params.get("run")

if run_id is not None:
    with header.lookup("Federated study", back="New study"):
        run = lookups.run(run_id, "federated", what="a federated study")
    result.head(run)
    if run.state is RunState.SUCCEEDED:
        result.show(run)
    else:
        run_view.show_run(run.id, live.details)
else:
    with header.lookup("Dataset", back="New study"):
        known = lookups.selectable_datasets()
    header.show(
        "Federated learning",
        "Train one model from tables that stay with their owners, and see what each site would gain.",
    )
    if known:
        setup.show(known)
    else:
        st.info("There is no table yet. Upload one or load a sample.", icon=":material/table_chart:")
        st.page_link("pages/data/page.py", label="Go to Data", icon=":material/arrow_forward:")
