"""One run: its state, its settings, its log, its files, and what can be done with it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core import jobs
from core.catalog import Run, RunState
from core.catalog import artifacts as artifact_rows
from core.plain_text import markdown_code
from pages._ui import deletion, downloads, frame, header, lookups, numbers, run_actions, run_view, server_facts, tabs

__all__ = ["show"]


def show(run: Run) -> None:
    """Draw everything that is known of a run."""
    with header.show_object(jobs.task_spec(run.task).title, back="All runs", tab=run.title):
        _links(run)
        run_actions.repeat(run)
        deletion.button("run", run.id)
    run_view.show_run(run.id, budget_s=run.settings.get("time_budget_s"))
    tabs.show(
        {"Facts": lambda: _facts(run), "Log": lambda: run_view.show_log(run), "Files": lambda: _files(run)},
        key="runs-tabs",
    )


def _links(run: Run) -> None:
    if run.parent_id:
        _parent(run.parent_id)
    spec = jobs.task_spec(run.task)
    if spec.page is not None and st.button("Open the result", icon=":material/open_in_new:", key="runs-to-result"):
        st.switch_page(f"pages/{spec.page}/page.py", query_params={"run": spec.result_run_id(run)})
    dataset_id = run.dataset_id or (run.result or {}).get("dataset_id")
    if dataset_id is None:
        return
    if lookups.existing_dataset(dataset_id) is None:
        st.caption("Its dataset was deleted.", width="content")
    elif st.button("Open the dataset", icon=":material/table_chart:", key="runs-to-data"):
        st.switch_page("pages/data/page.py", query_params={"dataset": dataset_id})


def _parent(run_id: str) -> None:
    parent = lookups.existing_run(run_id)
    if parent is None:
        st.caption("The run that it was a part of was deleted.", width="content")
    elif st.button(
        "Open the parent run", icon=":material/account_tree:", help=frame.plain(parent.title), key="runs-to-parent"
    ):
        st.switch_page("pages/runs/page.py", query_params={"run": parent.id})


def _facts(run: Run) -> None:
    facts = {
        "Run": run.id,
        "Created": f"{numbers.when(run.created_at):%d %b %Y, %H:%M:%S}",
        "Time in the queue": numbers.duration(None if run.started_at is None else run.started_at - run.queued_at),
        "Duration": numbers.duration(run.elapsed_s),
        "Attempt": str(run.attempt),
        "Peak memory": "–" if run.peak_rss_mb is None else f"{run.peak_rss_mb:,.0f} MB",
        "Time limit": numbers.duration(run.timeout_s),
        "Memory limit": "–" if run.memory_limit_mb is None else f"{run.memory_limit_mb:,} MB",
    }
    if run.engine:
        facts["Needs"] = str(jobs.needs_of(run))
    if run.node and server_facts.shown():
        facts["Computer"] = run.node
    left, right = st.columns(2, gap="medium")
    with left:
        st.table({name: frame.plain(value) for name, value in facts.items()}, border="horizontal", width="content")
    with right:
        st.markdown("**Settings**")
        st.json(run.settings, expanded=1)


def _files(run: Run) -> None:
    files = artifact_rows.find(run.id, access=frame.access())
    if not files:
        unfinished = "" if run.state is RunState.SUCCEEDED else " They are written when it succeeds."
        st.caption(f"This run has no files.{unfinished}")
        return
    for file in files:
        path, suffix = jobs.artifact_path(run.id, file.name, access=frame.access()), Path(file.name).suffix
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(markdown_code(file.name), width="content")
            st.caption(numbers.size(file.size_bytes), width="content")
            st.space("stretch")
            downloads.button(
                "Download",
                path.read_bytes,
                file_name=downloads.file_name(file.name.removesuffix(suffix), suffix),
                icon=":material/download:",
                key=f"runs-file-{file.name}",
                on_click="ignore",
            )
