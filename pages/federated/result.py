"""The result of a study: the verdict first, then what each site gains, then everything that left a site."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from core.catalog import Run, RunState
from core.federated import ALGORITHMS
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
from pages.automl import cohort_evidence, explain, known_columns, method, next_actions, whatif, where_it_fails, winner
from pages.automl import tiles as model_tiles
from pages.decide import panel as decide
from pages.federated import messages, privacy, rounds, sites, tiles

__all__ = ["head", "show"]


def head(run: Run) -> None:
    """Draw what every study has, whatever its state: title, way back, actions."""
    dataset = lookups.existing_dataset(run.dataset_id)
    query = {} if dataset is None else {"dataset": dataset.id}
    with header.show_object(run.title, back="New study", query=query):
        _actions(run)


def _actions(run: Run) -> None:
    if run.state is RunState.SUCCEEDED:
        next_steps(run)
        result_summary.show(run)
        with st.popover("Download", icon=":material/download:", key="federated-download"):
            downloads.model(run)
    run_actions.repeat(run)
    run_actions.log(run.id)


def show(run: Run) -> None:
    """Draw a finished study."""
    study = artifacts.json_of(run, "federated.json")
    record = artifacts.json_of(run, "result.json")
    st.subheader(frame.plain(study["verdict"]))
    st.caption(_how_it_went(study, record))
    for finding in study["findings"]:
        if finding["level"] == "alert":
            st.warning(frame.plain(f"{finding['message']} {finding['hint']}"), icon=":material/warning:")
    tiles.show(study)
    known_columns.show(run, record)
    contents: dict[str, Callable[[], None]] = {
        "Sites": lambda: sites.show(run, study),
        "Rounds": lambda: rounds.show(study),
        "Messages": lambda: messages.show(run, study),
        "Privacy": lambda: privacy.show(study),
        "Model": lambda: winner.show(record, how=_how_trained(study, record)),
        "Charts": lambda: _charts(run, record),
        "Explain": lambda: explain.show(run, record),
        "Where it fails": lambda: where_it_fails.show(run, record),
        "Decide": lambda: decide.show(run),
        "What-if": lambda: whatif.show(run, record),
        "Score": lambda: registration.show(run),
        "Export": lambda: next_actions.export(run),
        "Checks": lambda: findings.show(study["findings"]),
        "Method": lambda: method.show(record, settings=study["settings"]),
    }
    tabs.show(contents, key="federated-tabs")


def _charts(run: Run, record: Mapping[str, Any]) -> None:
    """Draw the figures and charts of the shared model on the test rows of all sites."""
    if record["test_metrics"]:
        model_tiles.show(run, record)
    cohort_evidence.show(run, record)


def _how_it_went(study: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    algorithm, count = study["settings"]["algorithm"], len(study["rounds"])
    title = ALGORITHMS[algorithm].title if algorithm in ALGORITHMS else algorithm
    made = "1 round" if count == 1 else f"{count:,} rounds"
    stopped = " It was stopped before its last round." if record["stop_code"] == "stopped" else ""
    return (
        f"{title}, trained by {len(study['sites']):,} sites in {made}, in {numbers.duration(study['elapsed_s'])}."
        f"{frame.plain(stopped)} The sites were simulated on this machine."
    )


def _how_trained(study: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    folds = study["settings"]["folds"]
    scored = f" Its score is the mean over {folds} folds of each site." if folds and record["winner"]["score"] else ""
    return f"The shared model learned from the training rows of all {len(study['sites']):,} sites.{scored}"
