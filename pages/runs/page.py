"""The Runs page: all background work, and one run in full."""

import streamlit as st

from core import jobs
from pages._ui import deletion, frame, header, server_facts, tabs
from pages.runs import cluster, listing, single

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
    if jobs.engine_lanes() and server_facts.shown():
        tabs.show({"Runs": listing.show, "Cluster": cluster.show}, key="runs-overview")
    else:
        listing.show()
