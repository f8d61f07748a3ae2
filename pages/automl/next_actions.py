"""What to do with a finished search: export it, log it to MLflow, or continue it with more time or trials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core import access, known_columns
from core.automl import AutoMLSettings
from core.catalog import Run, datasets, runs
from core.errors import NotFoundError
from core.tasks import automl
from pages._ui import address, badges, frame, mlflow, numbers, policy_choice

__all__ = ["continued", "export"]

_SECONDS = {60: "60 s", 300: "5 min", 1800: "30 min"}
_TRIALS = (10, 50, 200)


def export(run: Run) -> None:
    """Draw the exports of this model, and the ways to take it elsewhere."""
    reason = (run.result or {}).get("export_error")
    if reason:
        frame.show_error("The model has no ONNX file.", reason)
    if st.button("Export and measure latency", type="primary", icon=":material/speed:", key="automl-export-edge"):
        st.switch_page("pages/edge/page.py", query_params={"model": run.id})
    _exports(run)
    st.markdown("**MLflow**")
    policy, _ = policy_choice.choose(run, "automl-mlflow-policy")
    mlflow.show(run, policy_choice.unless_default(run, policy))


def _exports(run: Run) -> None:
    exports = [
        export for export in runs.find(task="export", access=frame.access()) if export.settings["source"] == run.id
    ]
    if not exports:
        st.caption("Not exported yet. An export proves that the file predicts like the model.")
        return
    st.markdown("**Exports of this model**")
    for export_run in exports:
        with st.container(horizontal=True, vertical_alignment="center"):
            if _opened(export_run, "export"):
                st.switch_page("pages/edge/page.py", query_params={"run": export_run.id})


def _opened(run: Run, key: str) -> bool:
    """Draw a run's state, time and button to open it; return whether that was pressed."""
    badges.show(badges.of_run(run))
    st.markdown(f"{numbers.when(run.created_at):%d %b, %H:%M}", width="content")
    return st.button("Open", key=f"automl-{key}-{run.id}", icon=":material/open_in_new:")


def continued(run: Run, record: Mapping[str, Any]) -> None:
    """Draw the form that continues the search with more time or trials."""
    try:
        dataset = datasets.get(str(run.dataset_id), access=frame.access())
    except NotFoundError:
        st.info(
            "The table was deleted, so the search cannot be continued. Upload the table again.", icon=":material/info:"
        )
        return
    count = len(record["trials"])
    settings = record["settings"]
    st.markdown(
        f"The new search starts with these {count:,} trials, on the same splits, and keeps all settings but the limits."
    )
    if settings.get("exit_score") is not None:
        st.caption(
            f"The score to stop at, {settings['exit_score']:g}, is dropped: it could end the new search at once."
        )
    limits = _limits(count, by_trials=settings["time_budget_s"] is None, limited=settings["max_trials"] is not None)
    if st.button("Continue", type="primary", icon=":material/forward_media:", key="automl-continue"):
        values = settings | limits | {"exit_score": None}
        address.go(run=automl.submit(dataset, AutoMLSettings(**values), continue_from=run.id, access=frame.access()))
    _later(run)


def _limits(count: int, *, by_trials: bool, limited: bool) -> dict[str, Any]:
    """Let the user choose how much more; a search without a time budget may continue without one."""
    ways = {"time": "More time", "trials": "More trials"}
    way = "time"
    longest = access.limits()
    if by_trials and longest.allows_budget(None):
        way = st.radio(
            "Continue with",
            list(ways),
            format_func=ways.__getitem__,
            horizontal=True,
            key="automl-continue-by",
            help="This search had no time budget. By trials, the new one has none either, and stays reproducible.",
        )
    if way == "trials":
        more = st.radio("More trials", _TRIALS, horizontal=True, key="automl-continue-trials")
        st.caption(f"It ends after {count + more:,} trials: the {count:,} of this search and {more:,} more.")
        return {"time_budget_s": None, "max_trials": count + more}
    seconds = st.radio(
        "More time",
        [seconds for seconds in _SECONDS if longest.allows_budget(seconds)] or [longest.budget_s or 0],
        format_func=lambda seconds: _SECONDS.get(seconds, f"{seconds} s"),
        horizontal=True,
        key="automl-continue-seconds",
    )
    if by_trials:
        st.caption("With a time budget, the number of trials depends on the machine.")
    elif limited:
        st.caption("Its limit on the number of trials is dropped.")
    return {"time_budget_s": float(seconds), "max_trials": None}


def _later(run: Run) -> None:
    searches = runs.find(task="automl", access=frame.access())
    later = [search for search in searches if search.settings.get("continue_from") == run.id]
    if not later:
        return
    st.markdown("**Continued in**")
    for search in later:
        with st.container(horizontal=True, vertical_alignment="center"):
            if _opened(search, "later"):
                address.go(run=search.id)
            st.markdown(frame.plain(known_columns.qualified_verdict(search, access=frame.access())), width="content")
