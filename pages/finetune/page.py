"""The Fine-tuning page: start a training, watch it, read its mistakes, try the model."""

import streamlit as st

from core.catalog import RunState
from pages._ui import header, lookups, run_view
from pages.finetune import live, result, setup

run_id = st.query_params.get("run")

if run_id is not None:
    with header.lookup("Training", back="New training"):
        run = lookups.run(run_id, "finetune", what="a training")
    result.head(run)
    if run.state is RunState.SUCCEEDED:
        result.show(run)
    else:
        run_view.show_run(run.id, live.details)
else:
    with header.lookup("Dataset", back="New training"):
        known = lookups.selectable_datasets()
    header.show("Fine-tuning", "Train a language model to label your texts, and see where it goes wrong.")
    if known:
        setup.show(known)
    else:
        st.info("There are no tables yet. Upload one with texts, or load the product reviews.", icon=":material/notes:")
        st.page_link("pages/data/page.py", label="Go to Data", icon=":material/arrow_forward:")
