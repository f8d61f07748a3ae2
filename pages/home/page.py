"""The Home page: what Plumbline does, step by step, and recent work to continue."""

import streamlit as st

from core import jobs, known_columns
from core.catalog import datasets, runs
from core.models import TABLE_TASKS
from core.tasks import ingest
from pages._ui import badges, frame, header, numbers, server_facts
from pages.home import open_alerts

access = frame.access()
known = datasets.find(access=access)
models = [run for task in TABLE_TASKS for run in runs.find(task=task, limit=5, access=access)]
recent = sorted(models, key=lambda run: -run.created_at)[:5]

header.show("Plumbline", "From a table to a machine-learning model that you can defend.")
frame.show_notices()
open_alerts.show()

if not known:
    with st.container(border=True):
        st.subheader("See it work in two minutes")
        st.write(
            "Load the census sample (48,842 people, what they earn), search for a model within a minute, "
            "and read how good it is on people it has never seen."
        )
        with st.container(horizontal=True):
            if st.button("Load the Adult sample", type="primary", icon=":material/download:", key="home-first-sample"):
                run_id = ingest.submit_sample("adult", access=access)
                st.switch_page("pages/data/page.py", query_params={"import": run_id})
            if st.button("Upload my own table", icon=":material/upload:", key="home-first-upload"):
                st.switch_page("pages/data/page.py")

steps = (
    (":material/table_chart:", "Data", "Bring a table in. See every column, and what could go wrong with it."),
    (":material/model_training:", "AutoML", "Search for the best model within a time budget that holds."),
    (
        ":material/fact_check:",
        "Evidence",
        "Read how good it is on held-out rows, with intervals, compared with a baseline.",
    ),
)
with st.grid(3, min_column_width=240):
    for icon, title, text in steps:
        with st.container(border=True, height="stretch"):
            st.markdown(f"{icon} **{title}**")
            st.caption(text)

if recent:
    st.subheader("Recent work")
    for run in recent:
        with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"home-recent-{run.id}"):
            badges.show(badges.of_run(run))
            with st.container(gap=None):
                st.markdown(f"**{frame.plain(run.title)}**")
                said = known_columns.qualified_verdict(run, access=frame.access()) or run.error_message or ""
                st.caption(frame.plain(server_facts.without(said)))
            st.caption(numbers.ago(run.created_at), width="content")
            if st.button("Open", icon=":material/arrow_forward:", key=f"home-open-{run.id}"):
                st.switch_page(f"pages/{jobs.task_spec(run.task).page}/page.py", query_params={"run": run.id})

if known:
    st.subheader("Datasets")
    for dataset in known[:5]:
        with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"home-known-{dataset.id}"):
            with st.container(gap=None):
                st.markdown(f"**{frame.plain(dataset.name)}**")
                st.caption(
                    f"{dataset.rows:,} rows · {dataset.columns:,} columns · added {numbers.ago(dataset.created_at)}"
                )
            if st.button("Open", icon=":material/arrow_forward:", key=f"home-data-{dataset.id}"):
                st.switch_page("pages/data/page.py", query_params={"dataset": dataset.id})
