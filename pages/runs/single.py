"""One run: how it stands, what it was asked, what it said, and what can be done with it."""

from __future__ import annotations

import streamlit as st

from core import jobs
from core.catalog import Run, RunState
from core.catalog import artifacts as artifact_rows
from core.catalog import datasets as dataset_rows
from core.errors import NotFoundError
from pages._ui import downloads, frame, numbers, run_view
from pages.runs.listing import TASKS

__all__ = ["show"]

_PAGES = {
    "automl": "automl",
    "finetune": "finetune",
    "export": "edge",
    "onnx_upload": "edge",
    "latency": "edge",
    "score": "models",
}


def _to_list() -> None:
    st.query_params.clear()


def _repeat(run_id: str) -> None:
    with frame.errors_shown():
        st.query_params["run"] = jobs.repeat(run_id, workspace=frame.workspace())


def show(run: Run) -> None:
    """Draw everything that is known of a run."""
    st.button("All runs", icon=":material/arrow_back:", type="tertiary", key="runs-back", on_click=_to_list)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(TASKS.get(run.task, run.task), width="content")
        st.space("stretch")
        _links(run)
        if run.state.terminal and jobs.repeatable(run):
            st.button(
                "Repeat",
                icon=":material/replay:",
                key="runs-repeat",
                on_click=_repeat,
                args=(run.id,),
                help="Start a new run with the same settings.",
            )
    budget = run.settings.get("time_budget_s")
    run_view.show_run(run.id, budget_s=budget)

    facts, log, files = st.tabs(["Facts", "Log", "Files"], key="runs-tabs", on_change="rerun")
    if facts.open:
        with facts:
            _facts(run)
    if log.open:
        with log:
            active = not run.state.terminal
            st.fragment(frame.guarded(_log), run_every="2s" if active else None)(run.id)
    if files.open:
        with files:
            _files(run)


def _links(run: Run) -> None:
    dataset_id = run.dataset_id or (run.result or {}).get("dataset_id")
    page = _PAGES.get(run.task)
    if page is not None and st.button("Open the result", icon=":material/open_in_new:", key=f"runs-to-{page}"):
        st.switch_page(f"pages/{page}/page.py", query_params={"run": run.id})
    if dataset_id is None:
        return
    try:
        dataset_rows.get(dataset_id, frame.workspace())
    except NotFoundError:
        st.caption("Its dataset was deleted.", width="content")
        return
    if st.button("Open the dataset", icon=":material/table_chart:", key="runs-to-data"):
        st.switch_page("pages/data/page.py", query_params={"dataset": dataset_id})


def _facts(run: Run) -> None:
    facts = {
        "Run": run.id,
        "Created": f"{numbers.when(run.created_at):%d %b %Y, %H:%M:%S}",
        "Waited": numbers.duration(None if run.started_at is None else run.started_at - run.queued_at),
        "Worked": numbers.duration(run.elapsed_s),
        "Attempt": str(run.attempt),
        "Peak memory": "–" if run.peak_rss_mb is None else f"{run.peak_rss_mb:,.0f} MB",
        "Hard time limit": numbers.duration(run.timeout_s),
        "Memory limit": "–" if run.memory_limit_mb is None else f"{run.memory_limit_mb:,} MB",
    }
    left, right = st.columns(2, gap="medium")
    with left:
        st.table({key: frame.plain(value) for key, value in facts.items()}, border="horizontal", width="content")
    with right:
        st.markdown("**Settings**")
        st.json(run.settings, expanded=1)


def _log(run_id: str) -> None:
    text = jobs.log(run_id, workspace=frame.workspace())
    if text:
        st.code(text, language=None, line_numbers=False, height=420)
    else:
        st.caption("It has written nothing.")


def _files(run: Run) -> None:
    found = artifact_rows.find(run.id, frame.workspace())
    if not found:
        unfinished = "" if run.state is RunState.SUCCEEDED else " They are written when it succeeds."
        st.caption(f"This run has left no files.{unfinished}")
        return
    for artifact in found:
        path = jobs.artifact_path(run.id, artifact.name, workspace=frame.workspace())
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"`{artifact.name}`", width="content")
            st.caption(numbers.size(artifact.size_bytes), width="content")
            st.space("stretch")
            st.download_button(
                "Download",
                path.read_bytes,
                file_name=downloads.file_name(artifact.name.rsplit(".", 1)[0], "." + artifact.name.rsplit(".", 1)[-1]),
                icon=":material/download:",
                key=f"runs-file-{artifact.name}",
                on_click="ignore",
            )
