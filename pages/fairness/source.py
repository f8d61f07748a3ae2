"""The choice of what to analyze: the test predictions of a model, or a table with labels and predictions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.catalog import Dataset, Run, RunState, datasets, runs
from core.errors import NotFoundError
from core.evaluation import weights_in
from core.label_cells import MULTILABEL, has_label
from pages._ui import address, artifacts, cohort_rows, distinct, frame, lookups, tables
from pages.fairness import own_table
from pages.fairness.analysis import (
    Analysis,
    GroupChoice,
    Predictions,
    choose_favorable,
    choose_groups,
    group_columns,
    sampled,
    short_texts,
)

__all__ = ["check_link", "choose", "chosen"]

# Stored predictions that thresholds are fitted on, by the kind of run that trained the model.
_CALIBRATION = {"automl": "oof", "federated": "oof", "finetune": "validation", "federated_texts": "validation"}
_NAMES = {"oof": "out-of-fold predictions", "validation": "validation texts", "test": "test rows"}


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
    run = runs.get(run_id, access=frame.access())
    if run.task not in _CALIBRATION or run.state is not RunState.SUCCEEDED:
        raise NotFoundError(f"Run '{run.id}' left no model.", "Choose a search or a training that succeeded.")


def choose() -> Analysis | None:
    """Draw the choice of a model or table, and read its rows."""
    access = frame.access()
    trained = [run for task in _CALIBRATION for run in runs.find(task=task, states=[RunState.SUCCEEDED], access=access)]
    models = {f"run:{run.id}": run for run in sorted(trained, key=lambda run: -run.created_at)}
    tables_by_key = {f"dataset:{name}": dataset for name, dataset in lookups.selectable_datasets().items()}
    if not tables_by_key:
        st.info("Nothing to analyze yet. Load a table, then search for a model.", icon=":material/balance:")
        st.page_link("pages/data/page.py", label="Go to Data", icon=":material/arrow_forward:")
        return None
    options = [*models, *tables_by_key]
    linked = next((f"{kind}:{st.query_params[kind]}" for kind in ("run", "dataset") if kind in st.query_params), None)
    labels = distinct.labels({_identity(option): _option_title(models, tables_by_key, option) for option in options})
    left, right = st.columns(2, gap="medium")
    with left:
        chosen = st.selectbox(
            "Model or table",
            options,
            index=options.index(linked) if linked in options else 0,
            format_func=lambda option: labels[_identity(option)],
            help="A model on the rows held out from it, or a table that has labels and predictions.",
            key="fairness-source",
        )
    kind, identity = chosen.partition(":")[0], _identity(chosen)
    if chosen != (linked if linked in options else options[0]):
        tab = st.query_params.get("tab")
        address.set_query(**{kind: identity}, **({} if tab is None else {"tab": tab}))
    if kind == "run":
        return _analysis_of_run(models[chosen], left, right)
    return own_table.choose_columns(tables_by_key[chosen], left, right)


def chosen() -> tuple[Dataset, Run | None] | None:
    """Return the table that was chosen, and the run of its model where a model was; None without a table."""
    kind, _, identity = str(st.session_state.get("fairness-source", "")).partition(":")
    run = lookups.existing_run(identity) if kind == "run" else None
    dataset = lookups.existing_dataset(identity if run is None else run.dataset_id)
    return None if dataset is None else (dataset, run)


def _identity(option: str) -> str:
    return option.partition(":")[2]


def _option_title(models: Mapping[str, Run], tables_by_key: Mapping[str, Dataset], option: str) -> str:
    return (
        f"Model: {models[option].title}"
        if option in models
        else f"Table: {lookups.dataset_title(tables_by_key[option])}"
    )


def _analysis_of_run(run: Run, left: DeltaGenerator, right: DeltaGenerator) -> Analysis | None:
    access = frame.access()
    result = artifacts.json_of(run, "result.json")
    if not result["rows"]["test"]:
        frame.show_error("This search held out no rows to analyze.", "Search again with a test fraction.")
        return None
    assert run.dataset_id is not None
    try:
        dataset = datasets.get(run.dataset_id, access=access)
    except NotFoundError:
        frame.show_error("The table of this search was deleted.", "Load it again and repeat the search.")
        return None
    settings = result["settings"]
    target = settings["label_column" if run.task == "finetune" else "target"]
    names = [
        name
        for name in tables.column_names(dataset)
        if name not in (target, settings.get("text_column"), settings.get("second_text_column"))
    ]
    default = settings["sensitive_columns"] or dataset.roles.get("sensitive", [])
    with right:
        choice = choose_groups(names, list(default), run.id)
    labels = [str(label) for label in result["labels"]] if result["labels"] is not None else None
    with left:
        positive = None if labels is None else choose_favorable(labels, run.id, chosen=settings.get("positive_label"))
        rows_read = cohort_rows.choose(run, dataset, key=f"fairness-cohort-{run.id}")
    if not choice.columns:
        st.caption("Choose at least one sensitive column.")
        return None
    if (labels is not None and positive is None) or not rows_read.enough:
        return None
    cohort = rows_read.cohort
    if not short_texts(dataset, choice.columns):
        return None
    own = _groups_of(run, dataset, choice)
    notes = [] if cohort is None else [f"only rows where {cohort.text}"]
    sample = None
    if positive is not None:
        sample = artifacts.sample_size(artifacts.predictions_of(run, f"{_CALIBRATION[run.task]}.parquet"))

    def predictions(name: str) -> Predictions:
        stored = artifacts.predictions_of(run, f"{name}.parquet")
        if not stored.complete:
            notes.append(sampled(stored, _NAMES[name]))
        rows = stored.frame
        if cohort is not None:
            digest = artifacts.digests(run)[f"{name}.parquet"]
            rows = rows[np.isin(rows["row_id"], cohort_rows.positions(dataset.data_digest, digest, cohort))]
        truth, predicted, groups = rows[target], rows["prediction"], own.loc[rows["row_id"]]
        weight = weights_in(rows, target)
        if positive is None:
            return Predictions(truth.to_numpy(float), predicted.to_numpy(float), None, groups, weight)
        return Predictions(
            has_label(truth, positive, several=result["task"] == MULTILABEL),
            has_label(predicted, positive, several=result["task"] == MULTILABEL),
            rows[f"p({positive})"].to_numpy(float),
            groups,
            weight,
        )

    test = predictions("test")
    calibration = predictions(_CALIBRATION[run.task]) if positive is not None else None
    where = "" if cohort is None else f"/{cohort.text}"
    return Analysis(
        key=f"{run.id}/{choice.columns}/{positive}/{choice.bins}{where}",
        title=run.title,
        run=run,
        dataset=dataset,
        positive=positive,
        sensitive=choice.columns,
        test=test,
        calibration=calibration,
        min_group_size=choice.min_group_size,
        weight=None if test.weight is None else settings["weight_column"],
        notes=tuple(notes),
        sample=sample,
        cohort=cohort,
    )


def _groups_of(run: Run, dataset: Dataset, choice: GroupChoice) -> pd.DataFrame:
    """Return the groups of the table's rows, or of the predicted ones where these are too many, by their positions."""
    rows = artifacts.sample(dataset.data_digest, choice.columns)
    if rows.complete:
        return group_columns(rows.frame, choice.bins)
    files = artifacts.digests(run)
    names = [f"{name}.parquet" for name in (_CALIBRATION[run.task], "test")]
    ids = [artifacts.predictions(files[name]).frame["row_id"].to_numpy() for name in names if name in files]
    predicted = artifacts.rows_at(dataset.data_digest, choice.columns, np.unique(np.concatenate(ids)))
    return group_columns(predicted, choice.bins)
