"""The Federated page: set a study up, watch its rounds, read what each site gains."""

import streamlit as st

from core.catalog import RunState
from pages._ui import header, lookups, run_view
from pages.automl import known_columns
from pages.federated import between_machines, live, result, samples, setup

run_id = st.query_params.get("run")

if run_id is not None:
    with header.lookup("Federated study", back="New study"):
        run = lookups.run(run_id, "federated", "federated_texts", "federated_study", what="a federated study")
    result.head(run)
    if run.state is RunState.SUCCEEDED:
        result.show(run)
    elif run.task == "federated_study":
        run_view.show_run(run.id, between_machines.details)
    else:
        known_columns.origin(run)
        run_view.show_run(run.id, live.details)
elif "sample" in st.query_params:
    with header.lookup("Sample", back="New study"):
        loading = lookups.run(st.query_params["sample"], "ingest", what="the import of a sample")
    samples.wait(loading)
else:
    with header.lookup("Dataset", back="New study"):
        known = lookups.selectable_datasets()
    header.show(
        "Federated learning",
        "Train one model from tables that stay with their owners, and see what each site would gain.",
    )
    setup.show(known)
