"""The Fine-tuning page: set a training up, watch it, read its mistakes, try it."""

import streamlit as st

from core import jobs
from core.catalog import RunState, datasets
from pages._ui import frame, run_view
from pages.finetune import live, result, setup

workspace = frame.workspace()
run_id = st.query_params.get("run")
known = datasets.find(workspace)
purpose = "Teach a pre-trained language model to label your texts, and read where it goes wrong."

if run_id is not None:
    run = jobs.get(run_id, workspace=workspace)
    result.head(run)
    if run.state is RunState.SUCCEEDED:
        result.show(run)
    else:
        run_view.show_run(run.id, live.details)
elif known:
    frame.head("Fine-tuning", purpose)
    setup.show(known)
else:
    frame.head("Fine-tuning", purpose)
    st.info("There is no table with texts yet. Upload one, or load the product reviews.", icon=":material/notes:")
    st.page_link("pages/data/page.py", label="Go to Data", icon=":material/arrow_forward:")
