"""Registering: a finished search or training becomes a version of a model."""

from __future__ import annotations

import streamlit as st

from core import jobs, models
from core.catalog import ModelVersion, Run, RunState, runs
from core.catalog import models as rows
from core.errors import NotFoundError
from pages._ui import address, distinct, frame, header, numbers

__all__ = ["MODEL_TASKS", "find_run", "offer", "show"]

MODEL_TASKS = ("automl", "finetune")
"""Kinds of run that make a model."""


def find_run(run_id: str) -> Run:
    """Return the run whose model a link asks to register.

    Raises
    ------
    NotFoundError
        When there is no such run, or it made no model.
    """
    run = runs.get(run_id, frame.workspace())
    if run.task not in MODEL_TASKS or run.state is not RunState.SUCCEEDED:
        raise NotFoundError(
            f"Run '{run.id}' left no model to register.", "Choose a search or a training that succeeded."
        )
    return run


def show(run: Run) -> None:
    """Draw the form for a run that a link names."""
    header.show_object(
        "Register a model",
        back="All models",
        facts="It gets a name and a number, and is kept with all that is known of it.",
    )
    for version in rows.of_run(run.id, frame.workspace()):
        name = models.get(version.model_id, workspace=frame.workspace()).name
        st.info(
            f"It is registered already: version {version.number} of {frame.plain(name)}.", icon=":material/inventory_2:"
        )
        if st.button("Open it", icon=":material/arrow_forward:", key=f"models-open-{version.id}"):
            _open(version.model_id, version.number)
        return
    _form([run, *(other for other in _candidates() if other.id != run.id)])


def offer(*, empty: bool) -> None:
    """Draw what leads to a further model, or to the first one."""
    found = _candidates()
    if found:
        st.subheader("Register a model")
        if empty:
            st.caption("No model is registered yet. These runs made one.")
        _form(found)
    elif empty:
        st.info(
            "No model yet. Search for one or fine-tune one; then register it here: it gets numbered versions, a "
            "champion, a card with what was measured, and scores the rows of a file.",
            icon=":material/inventory_2:",
        )
        st.page_link("pages/automl/page.py", label="Go to AutoML", icon=":material/arrow_forward:")


def _versions() -> list[ModelVersion]:
    workspace = frame.workspace()
    return [
        version
        for model in models.find(workspace=workspace)
        for version in models.versions(model.id, workspace=workspace)
    ]


def _candidates() -> list[Run]:
    """Return the runs that made a model and are no version yet, newest first."""
    known = {version.run_id for version in _versions()}
    found = [
        run for task in MODEL_TASKS for run in runs.find(frame.workspace(), task=task, states=[RunState.SUCCEEDED])
    ]
    return sorted((run for run in found if run.id not in known), key=lambda run: -run.created_at)


def _form(found: list[Run]) -> None:
    by_id = {run.id: run for run in found}
    called = distinct.labels({run.id: _called(run) for run in found})
    with st.container(border=True, key="models-register"):
        left, right = st.columns(2, gap="medium")
        with left:
            chosen = st.selectbox(
                "Run",
                list(by_id),
                format_func=called.__getitem__,
                key=f"models-register-run-{found[0].id}",
            )
            run = by_id[chosen]
            st.caption(frame.plain((run.result or {}).get("verdict", "")))
        with right:
            name = st.text_input(
                "Name",
                value=_name(run),
                max_chars=200,
                key=f"models-register-name-{run.id}",
                help="A name that is there already gets a further version.",
            )
            same = {model.name: model for model in models.find(workspace=frame.workspace())}.get(name.strip())
            if not name.strip():
                st.caption("It needs a name.")
            else:
                st.caption("A new model." if same is None else f"It becomes version {same.versions + 1} of this model.")
        notes = st.text_area(
            "Notes",
            height=80,
            max_chars=5_000,
            key=f"models-register-notes-{run.id}",
            placeholder="What is particular about it. They go onto its card.",
        )
        if st.button("Register", type="primary", icon=":material/add:", key="models-register-start"):
            with frame.errors_shown():
                model = models.register(
                    run.id, name=name, notes=notes.strip(), who=address.who(), workspace=frame.workspace()
                )
                _open(model.id, model.versions)


def _open(model_id: str, number: int) -> None:
    """Lead to the version, in the tab that the link to the form named."""
    tab = st.query_params.get("tab")
    address.go(model=model_id, version=str(number), **({"tab": tab} if tab else {}))


def _called(run: Run) -> str:
    return f"{run.title} · {jobs.task_spec(run.task).title}, {numbers.when(run.created_at):%d %b %Y, %H:%M}"


def _name(run: Run) -> str:
    """Suggest the model that predicts the same from the same table, or else the run's title."""
    wanted = run.settings.get("target", run.settings.get("label_column"))
    fingerprint = (run.result or {}).get("dataset_fingerprint")
    for version in sorted(_versions(), key=lambda version: -version.created_at):
        lineage = version.lineage
        if (lineage["target"], lineage["dataset"]["fingerprint"]) == (wanted, fingerprint):
            return models.get(version.model_id, workspace=frame.workspace()).name
    return run.title
