"""The Runs page: all background work, and one run in full."""

import streamlit as st

from core.catalog import runs
from pages._ui import frame
from pages.runs import listing, single

workspace = frame.workspace()
selected = st.query_params.get("run")
if selected is not None:
    single.show(runs.get(selected, workspace))
else:
    frame.head("Runs", "Background work goes on when you close the browser. Open a run for its log and what it left.")
    if runs.find(workspace, limit=1):
        listing.show()
    else:
        st.info("No run yet. Load a table first: reading it is one.", icon=":material/table_chart:")
        st.page_link("pages/data/page.py", label="Go to Data", icon=":material/arrow_forward:")
