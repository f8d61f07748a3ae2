"""The Pipelines page: files of Azure ML pipelines that run here, their runs, steps, outputs and components."""

import streamlit as st

from core.catalog import saved_pipelines
from pages._ui import deletion, frame, header, lookups, tabs
from pages.pipelines import component, components, listing, saved, step
from pages.pipelines import run as run_page

query = st.query_params

if "run" in query:
    with header.lookup("Pipeline run", back="All pipelines"):
        run = lookups.run(query["run"], "pipeline", what="a run of a pipeline")
    if "step" in query:
        with header.lookup("Step", back="The run", query={"run": run.id}):
            opened = step.find(run, query["step"])
        step.show(run, opened)
    else:
        run_page.show(run)
elif "pipeline" in query:
    with header.lookup("Pipeline", back="All pipelines"):
        pipeline = saved_pipelines.get(query["pipeline"], access=frame.access())
    saved.show(pipeline)
elif "component" in query:
    with header.lookup("Component", back="All components", query={"tab": "Components"}):
        versions = component.find(query["component"])
    component.show(query["component"], versions)
else:
    header.show("Pipelines", "Run Azure ML pipeline files on this machine, step by step, and keep what each step made.")
    deletion.notices("pipeline")
    tabs.show({"Pipelines": listing.show, "Components": components.show}, key="pipelines-home")
