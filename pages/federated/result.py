"""The result of a study: the verdict first, then what each site gains, then everything that left a site."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

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
from pages.automl import cohort_evidence, explain, known_columns, method, next_actions, whatif, where_it_fails, winner
from pages.automl import tiles as model_tiles
from pages.decide import panel as decide
from pages.federated import messages, privacy, rounds, sites, tiles
from pages.finetune import playground

__all__ = ["head", "show"]


def head(run: Run) -> None:
    """Draw what every study has, whatever its state: title, way back, actions."""
    dataset = lookups.existing_dataset(run.dataset_id)
    query = {} if dataset is None else {"dataset": dataset.id}
    with header.show_object(run.title, back="New study", query=query):
        _actions(run)


def _actions(run: Run) -> None:
    if run.state is RunState.SUCCEEDED:
        if run.task != "federated_study":  # what is next reads rows, which are at the sites
            next_steps(run)
            result_summary.show(run)
        with st.popover("Download", icon=":material/download:", key="federated-download"):
            (downloads.folder if run.task == "federated_texts" else downloads.model)(run)
    run_actions.repeat(run)
    run_actions.log(run.id)


def show(run: Run) -> None:
    """Draw a finished study."""
    study = artifacts.json_of(run, "federated.json")
    record = artifacts.json_of(run, "result.json")
    st.subheader(frame.plain(study["verdict"]))
    st.caption(_how_it_went(run, study, record))
    for finding in study["findings"]:
        if finding["level"] == "alert":
            st.warning(frame.plain(f"{finding['message']} {finding['hint']}"), icon=":material/warning:")
    tiles.show(study)
    if run.task == "federated":
        known_columns.show(run, record)
    study_tabs: dict[str, Callable[[], None]] = {
        "Sites": lambda: sites.show(run, study),
        "Rounds": lambda: rounds.show(study),
        "Messages": lambda: messages.show(run, study),
        "Privacy": lambda: privacy.show(study),
    }
    tabs.show(study_tabs | _MODEL_TABS[run.task](run, study, record), key="federated-tabs")


def _of_table(run: Run, study: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Callable[[], None]]:
    """Return the tabs of a model whose rows are all here."""
    return {
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


def _of_texts(run: Run, study: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Callable[[], None]]:
    """Return the tabs of a model of texts."""
    return {
        "Decide": lambda: decide.show(run),
        "Try it": lambda: playground.show(run),
        "Score": lambda: registration.show(run),
        "Checks": lambda: findings.show(study["findings"]),
    }


def _of_machines(run: Run, study: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Callable[[], None]]:
    """Return the tabs of a model whose rows are at the sites: no row can be drawn, explained or decided here."""
    return {
        "Model": lambda: winner.show(record, how=_how_trained(study, record)),
        "Checks": lambda: findings.show(study["findings"]),
        "Method": lambda: method.show(record, settings=study["settings"]),
    }


_MODEL_TABS = {"federated": _of_table, "federated_texts": _of_texts, "federated_study": _of_machines}


def _charts(run: Run, record: Mapping[str, Any]) -> None:
    """Draw the figures and charts of the shared model on the test rows of all sites."""
    if record["test_metrics"]:
        model_tiles.show(run, record)
    cohort_evidence.show(run, record)


def _how_it_went(run: Run, study: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    count, title = len(study["rounds"]), study["algorithm_title"]
    made = "1 round" if count == 1 else f"{count:,} rounds"
    stopped = " It was stopped before its last round." if record.get("stop_code") == "stopped" else ""
    where = "joined from other machines" if run.task == "federated_study" else "were simulated on this machine"
    return (
        f"{title}, trained by {len(study['sites']):,} sites in {made}, in {numbers.duration(study['elapsed_s'])}."
        f"{frame.plain(stopped)} The sites {where}."
    )


def _how_trained(study: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    folds = study["settings"]["folds"]
    scored = f" Its score is the mean over {folds} folds of each site." if folds and record["winner"]["score"] else ""
    return f"The shared model learned from the training rows of all {len(study['sites']):,} sites.{scored}"
