"""The Runs page: all background work, and one run in full."""

import streamlit as st

from core import jobs
from core.catalog import runs
from pages._ui import deletion, frame, header
from pages.runs import listing, single

access = frame.access()
run_id = st.query_params.get("run")

if run_id is not None:
    with header.lookup("Run", back="All runs"):
        run = jobs.get(run_id, access=access)
        frame.opened("run", run.id, run.title or run.task)
    single.show(run)
else:
    header.show("Runs", "Background work continues when you close the browser. Open a run for its log and its files.")
    deletion.notices("run")
    if runs.find(limit=1, access=access):
        listing.show()
    else:
        st.info("No runs yet. Load a table first: reading it is one.", icon=":material/table_chart:")
        st.page_link("pages/data/page.py", label="Go to Data", icon=":material/arrow_forward:")
