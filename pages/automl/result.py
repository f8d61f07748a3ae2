"""The result of a search: the finding first, then the evidence, then how it was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from core import jobs
from core.automl import METRICS, learner_title
from core.catalog import Run, RunState
from pages._ui import artifacts, downloads, findings, frame, header, lookups, numbers, registration, run_actions, tabs
from pages._ui.next_steps import next_steps
from pages.automl import evidence, explained, leaderboard, onward, whatif

__all__ = ["head", "show"]

_TILES = 5


def head(run: Run) -> None:
    """Draw what every search has, whatever its state: title, way back, actions."""
    dataset = lookups.existing_dataset(run.dataset_id)
    query = {} if dataset is None else {"dataset": dataset.id}
    with header.show_object(run.title, back="New search", query=query):
        _actions(run)


def _actions(run: Run) -> None:
    if run.state is RunState.SUCCEEDED:
        next_steps(run)
        with st.popover("Download", icon=":material/download:", key="automl-download"):
            _downloads(run)
    run_actions.repeat(run)
    run_actions.log(run.id)


def _downloads(run: Run) -> None:
    path = jobs.artifact_path(run.id, "leaderboard.csv", workspace=frame.workspace())
    downloads.model(run)
    st.download_button(
        "Leaderboard (CSV)",
        path.read_bytes,
        file_name=downloads.file_name(f"{run.title} leaderboard", ".csv"),
        mime="text/csv",
        icon=":material/csv:",
        key="automl-download-leaderboard",
        on_click="ignore",
    )


def show(run: Run) -> None:
    """Draw a finished search."""
    found = artifacts.json_of(run, "result.json")
    st.subheader(frame.plain(found["verdict"]))
    st.caption(_how_it_went(run, found))
    if found["test_metrics"]:
        _tiles(found)
    contents: dict[str, Callable[[], None]] = {
        "Leaderboard": lambda: leaderboard.show(run, found),
        "Charts": lambda: evidence.show(found),
        "Explain": lambda: explained.show(run, found),
        "What-if": lambda: whatif.show(run, found),
        "Score": lambda: registration.show(run),
        "Export": lambda: onward.export(run),
        "Continue": lambda: onward.continued(run, found),
        "Checks": lambda: findings.show(found["findings"]),
        "Method": lambda: _method(found),
    }
    tabs.show(contents, key="automl-tabs")


def _how_it_went(run: Run, found: Mapping[str, Any]) -> str:
    count = len(found["trials"])
    budget = found["settings"]["time_budget_s"]
    of = f" of {numbers.duration(budget)}" if budget else ""
    return (
        f"{_won(found)} won among {count:,} trials. {frame.plain(found['stop_reason'])} "
        f"The model was ready after {numbers.duration(found['model_ready_s'])}{of}."
    )


def _won(found: Mapping[str, Any]) -> str:
    learner = found["winner"]["learner"]
    if learner == "blend":
        return f"A blend of {len(found['winner']['config']['members'])} models"
    return learner_title(learner)


def _tiles(found: Mapping[str, Any]) -> None:
    own = found["metric"]
    names = [own, *(name for name in found["test_metrics"] if name != own)][:_TILES]
    n = found["test_metrics"][own]["n"]
    groups = found["rows"].get("test_groups")
    drawn = f" in {groups:,} groups, with 95 % intervals that resample whole groups" if groups else ""
    st.caption(f"On {n:,} test rows{drawn or ', with 95 % intervals'}")
    with st.container(horizontal=True):
        for name in names:
            item = found["test_metrics"][name]
            st.metric(
                METRICS[name].title,
                numbers.estimate(item["value"], item["low"], item["high"]),
                numbers.interval(item["low"], item["high"]),
                delta_color="off",
                delta_arrow="off",
                border=True,
                width="stretch",
                help=None if METRICS[name].larger_is_better else "Smaller is better.",
            )


def _method(found: Mapping[str, Any]) -> None:
    rows, settings = found["rows"], found["settings"]
    left, right = st.columns(2, gap="medium")
    facts = {
        "Task": found["task"],
        "Searched for": METRICS[found["metric"]].title,
        "Rows": f"{rows['train']:,} to learn from, {rows['test']:,} to test on, of {rows['all']:,}",
        "Validation": found["split_method"],
        "Features": f"{len(found['features']):,} columns: {', '.join(found['features'][:30])}"
        + (" …" if len(found["features"]) > 30 else ""),
        "Left out by you": ", ".join(settings["drop_columns"]) or "–",
        "Sensitive columns": ", ".join(settings["sensitive_columns"]) or "–",
        "Final fit": numbers.duration(found["winner"]["refit_s"]),
        "Table's fingerprint": found["fingerprint"][:16],
    }
    with left:
        st.table({key: frame.plain(value) for key, value in facts.items()}, border="horizontal")
    with right:
        st.markdown("**Versions**")
        st.table(found["packages"], border="horizontal", width="content")
        st.markdown("**Settings**")
        st.json(settings, expanded=False)
