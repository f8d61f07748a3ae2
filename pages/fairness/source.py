"""What is looked at: the test predictions of a search, or a table that has labels and predictions of its own."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.catalog import Dataset, Run, RunState, datasets, runs
from core.errors import NotFoundError
from pages._ui import address, artifacts, frame, lookups, tables
from pages.fairness import own_table
from pages.fairness.evidence import (
    Evidence,
    Side,
    group_columns,
    positive_label,
    sensitive_columns,
)

__all__ = ["check_link", "choose"]

# Which predictions thresholds are found on, by the kind of run that trained the model.
_SIDES = {"automl": "oof", "finetune": "validation"}


def check_link() -> None:
    """Check that the address names a model or a table that groups can be compared by, or nothing.

    Raises
    ------
    NotFoundError
        When there is no such run or dataset, or the run made no model.
    """
    lookups.linked_dataset()
    run_id = st.query_params.get("run")
    if run_id is None:
        return
    run = runs.get(run_id, frame.workspace())
    if run.task not in _SIDES or run.state is not RunState.SUCCEEDED:
        raise NotFoundError(f"Run '{run.id}' left no model.", "Choose a search or a training that succeeded.")


def choose() -> Evidence | None:
    """Draw the choice of what to look at, and read it."""
    workspace = frame.workspace()
    trained = [run for task in _SIDES for run in runs.find(workspace, task=task, states=[RunState.SUCCEEDED])]
    searches = {f"run:{run.id}": run for run in sorted(trained, key=lambda run: -run.created_at)}
    known = {f"dataset:{dataset.id}": dataset for dataset in datasets.find(workspace)}
    if not known:
        st.info("There is nothing to look at yet. Load a table, then search for a model.", icon=":material/balance:")
        st.page_link("pages/data/page.py", label="Go to Data", icon=":material/arrow_forward:")
        return None
    options = [*searches, *known]
    asked = next((f"{kind}:{st.query_params[kind]}" for kind in ("run", "dataset") if kind in st.query_params), None)
    left, right = st.columns(2, gap="medium")
    with left:
        chosen = st.selectbox(
            "Model or table",
            options,
            index=options.index(asked) if asked in options else 0,
            format_func=lambda item: _told(searches, known, item),
            help="A search's model on the rows it never saw, or a table that has labels and predictions.",
            key="fairness-source",
        )
    kind, _, identity = chosen.partition(":")
    if chosen != (asked if asked in options else options[0]):
        tab = st.query_params.get("tab")
        address.set_query(**{kind: identity}, **({} if tab is None else {"tab": tab}))
    if kind == "run":
        return _of_run(searches[chosen], left, right)
    return own_table.of_table(known[chosen], left, right)


def _told(searches: Mapping[str, Run], known: Mapping[str, Dataset], item: str) -> str:
    return f"Model: {searches[item].title}" if item in searches else f"Table: {known[item].name}"


def _of_run(run: Run, left: DeltaGenerator, right: DeltaGenerator) -> Evidence | None:
    workspace = frame.workspace()
    result = artifacts.json_of(run, "result.json")
    if not result["rows"]["test"]:
        frame.show_error("This search held out no rows to look at.", "Search again with a test share.")
        return None
    assert run.dataset_id is not None
    try:
        dataset = datasets.get(run.dataset_id, workspace)
    except NotFoundError:
        frame.show_error("The table of this search was deleted.", "Load it again and repeat the search.")
        return None
    settings = result["settings"]
    target = settings["label_column" if run.task == "finetune" else "target"]
    names = [name for name in tables.column_names(dataset) if name not in (target, settings.get("text_column"))]
    default = settings["sensitive_columns"] or dataset.roles.get("sensitive", [])
    with right:
        sensitive, bins, least = sensitive_columns(names, list(default), run.id)
    labels = [str(label) for label in result["labels"]] if result["labels"] is not None else None
    with left:
        positive = positive_label(labels, run.id) if labels is not None else None
    if not sensitive:
        st.caption("Choose at least one sensitive column.")
        return None
    groups = group_columns(artifacts.read_table(dataset.data_digest, sensitive), bins)

    def side(name: str) -> Side:
        rows = artifacts.table_of(run, f"{name}.parquet")
        truth, decided = rows[target], rows["prediction"]
        if positive is None:
            return Side(truth.to_numpy(float), decided.to_numpy(float), None, groups.iloc[rows["row_id"]])
        return Side(
            (truth.astype(str) == positive).to_numpy(),
            (decided.astype(str) == positive).to_numpy(),
            rows[f"p({positive})"].to_numpy(float),
            groups.iloc[rows["row_id"]],
        )

    key = f"{run.id}/{sensitive}/{positive}/{bins}"
    fit = side(_SIDES[run.task]) if positive is not None else None
    return Evidence(key, run.title, run, dataset, positive, sensitive, side("test"), fit, least)
