"""The result of a search: the verdict first, then the evidence, then the method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from core import jobs
from core.automl import learner_title
from core.catalog import Run, RunState
from pages._ui import (
    artifacts,
    downloads,
    findings,
    frame,
    header,
    lookups,
    numbers,
    registration,
    result_summary,
    run_actions,
    tabs,
)
from pages._ui.next_steps import next_steps
from pages.automl import (
    cohort_evidence,
    explain,
    known_columns,
    leaderboard,
    method,
    next_actions,
    tiles,
    whatif,
    where_it_fails,
    winner,
)
from pages.decide import panel as decide

__all__ = ["head", "show"]


def head(run: Run) -> None:
    """Draw what every search has, whatever its state: title, way back, actions."""
    dataset = lookups.existing_dataset(run.dataset_id)
    query = {} if dataset is None else {"dataset": dataset.id}
    with header.show_object(run.title, back="New search", query=query):
        _actions(run)


def _actions(run: Run) -> None:
    if run.state is RunState.SUCCEEDED:
        next_steps(run)
        result_summary.show(run)
        with st.popover("Download", icon=":material/download:", key="automl-download"):
            _downloads(run)
    run_actions.repeat(run)
    run_actions.log(run.id)


def _downloads(run: Run) -> None:
    path = jobs.artifact_path(run.id, "leaderboard.csv", access=frame.access())
    downloads.model(run)
    downloads.button(
        "Leaderboard (CSV)",
        path.read_bytes,
        file_name=downloads.file_name(f"{run.title} leaderboard", ".csv"),
        mime="text/csv",
        icon=":material/csv:",
        key="automl-download-leaderboard",
        on_click="ignore",
    )
    downloads.csv_note()
    downloads.pipeline(run)


def show(run: Run) -> None:
    """Draw a finished search."""
    record = artifacts.json_of(run, "result.json")
    st.subheader(frame.plain(record["verdict"]))
    st.caption(_how_it_went(run, record))
    _alerts(record)
    known_columns.show(run, record)
    if record["test_metrics"]:
        tiles.show(run, record)
    contents: dict[str, Callable[[], None]] = {
        "Leaderboard": lambda: leaderboard.show(run, record),
        "Winner": lambda: winner.show(record),
        "Charts": lambda: cohort_evidence.show(run, record),
        "Explain": lambda: explain.show(run, record),
        "Where it fails": lambda: where_it_fails.show(run, record),
        "Decide": lambda: decide.show(run),
        "What-if": lambda: whatif.show(run, record),
        "Score": lambda: registration.show(run),
        "Export": lambda: next_actions.export(run),
        "Continue": lambda: next_actions.continued(run, record),
        "Checks": lambda: findings.show(record["findings"]),
        "Method": lambda: method.show(record),
    }
    tabs.show(contents, key="automl-tabs")


def _alerts(record: Mapping[str, Any]) -> None:
    """Draw what makes the result doubtful, such as a learner that failed in every trial."""
    for finding in record["findings"]:
        if finding["level"] == "alert":
            st.warning(frame.plain(f"{finding['message']} {finding['hint']}"), icon=":material/warning:")


def _how_it_went(run: Run, record: Mapping[str, Any]) -> str:
    count = len(record["trials"])
    budget = record["settings"]["time_budget_s"]
    of = f" of {numbers.duration(budget)}" if budget else ""
    trials = "1 trial" if count == 1 else f"{count:,} trials"
    if record["winner"]["learner"] in ("blend", "linear"):  # which is not a trial itself
        outcome = f"won after {trials}" if count else "was the only model"
    else:
        outcome = "was the only trial" if count == 1 else f"won among {trials}"
    return (
        f"{_won(record)} {outcome}. {frame.plain(record['stop_reason'])} "
        f"The model was ready after {numbers.duration(record['model_ready_s'])}{of}."
    )


def _won(record: Mapping[str, Any]) -> str:
    learner = record["winner"]["learner"]
    if learner == "blend":
        return f"A blend of {len(record['winner']['config']['members'])} models"
    return learner_title(learner)
