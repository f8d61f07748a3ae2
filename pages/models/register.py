"""The form that registers a finished search or training as a version of a model."""

from __future__ import annotations

import streamlit as st

from core import jobs, known_columns, models
from core.catalog import ModelVersion, Run, RunState, runs
from core.catalog import models as rows
from core.errors import NotFoundError
from core.models import MODEL_KINDS
from pages._ui import address, distinct, frame, header, numbers

__all__ = ["find_run", "offer", "show"]


def find_run(run_id: str) -> Run:
    """Return the run of a link to this form.

    Raises
    ------
    NotFoundError
        When there is no such run, or it did not make a model.
    """
    run = runs.get(run_id, access=frame.access())
    if models.kind_of_task(run.task) is None or run.state is not RunState.SUCCEEDED:
        raise NotFoundError(
            f"Run '{run.id}' did not make a model to register.", "Choose a search or a training that succeeded."
        )
    return run


def show(run: Run) -> None:
    """Draw the form for a run that a link names."""
    header.show_object(
        "Register a model",
        back="All models",
        facts="It gets a name and a version number, and is stored with everything that is known about it.",
    )
    for version in rows.of_run(run.id, access=frame.access()):
        name = models.get(version.model_id, access=frame.access()).name
        st.info(
            f"It is already registered: version {version.number} of {frame.plain(name)}.", icon=":material/inventory_2:"
        )
        if st.button("Open the version", icon=":material/arrow_forward:", key=f"models-open-{version.id}"):
            _open(version.model_id, version.number)
        return
    _form([run, *(other for other in _candidates() if other.id != run.id)])


def offer(*, empty: bool) -> None:
    """Draw the form for one more model, or how to make the first one."""
    candidates = _candidates()
    if candidates:
        st.subheader("Register a model")
        if empty:
            st.caption("No model is registered yet. These runs made one.")
        _form(candidates)
    elif empty:
        st.info(
            "There are no models yet. Search for one or fine-tune one, then register it here: it gets numbered "
            "versions, a champion, a card with what was measured, and it scores the rows of a file.",
            icon=":material/inventory_2:",
        )
        st.page_link("pages/automl/page.py", label="Go to AutoML", icon=":material/arrow_forward:")


def _versions() -> list[ModelVersion]:
    access = frame.access()
    return [version for model in models.find(access=access) for version in models.versions(model.id, access=access)]


def _candidates() -> list[Run]:
    """Return the runs that made a model and are not registered yet, newest first."""
    registered = {version.run_id for version in _versions()}
    finished = [
        run
        for kind in MODEL_KINDS.values()
        for task in kind.tasks
        for run in runs.find(task=task, states=[RunState.SUCCEEDED], access=frame.access())
    ]
    return sorted((run for run in finished if run.id not in registered), key=lambda run: -run.created_at)


def _form(candidates: list[Run]) -> None:
    by_id = {run.id: run for run in candidates}
    labels = distinct.labels({run.id: _label(run) for run in candidates})
    with st.container(border=True, key="models-register"):
        left, right = st.columns(2, gap="medium")
        with left:
            chosen = st.selectbox(
                "Run",
                list(by_id),
                format_func=labels.__getitem__,
                key=f"models-register-run-{candidates[0].id}",
            )
            run = by_id[chosen]
            st.caption(frame.plain(known_columns.qualified_verdict(run, access=frame.access())))
        with right:
            name = st.text_input(
                "Name",
                value=_suggested_name(run),
                max_chars=200,
                key=f"models-register-name-{run.id}",
                help="A name that exists already gets one more version.",
            )
            existing = {model.name: model for model in models.find(access=frame.access())}.get(name.strip())
            if not name.strip():
                st.caption("A model needs a name.")
            else:
                st.caption(
                    "A new model." if existing is None else f"It becomes version {existing.versions + 1} of this model."
                )
        notes = st.text_area(
            "Notes",
            height=80,
            max_chars=5_000,
            key=f"models-register-notes-{run.id}",
            placeholder="What is special about this version; shown on its card",
        )
        if st.button("Register", type="primary", icon=":material/add:", key="models-register-start"):
            with frame.errors_shown():
                model = models.register(run.id, name=name, notes=notes.strip(), access=frame.access())
                _open(model.id, model.versions)


def _open(model_id: str, number: int) -> None:
    """Open the version, in the tab that the link to the form names."""
    tab = st.query_params.get("tab")
    address.go(model=model_id, version=str(number), **({"tab": tab} if tab else {}))


def _label(run: Run) -> str:
    return f"{run.title} · {jobs.task_spec(run.task).title}, {numbers.when(run.created_at):%d %b %Y, %H:%M}"


def _suggested_name(run: Run) -> str:
    """Return the name of a model that predicts the same from the same table, else the run's title."""
    target = run.settings.get("target", run.settings.get("label_column"))
    fingerprint = (run.result or {}).get("dataset_fingerprint")
    for version in sorted(_versions(), key=lambda version: -version.created_at):
        lineage = version.lineage
        if (lineage["target"], lineage["dataset"]["fingerprint"]) == (target, fingerprint):
            return models.get(version.model_id, access=frame.access()).name
    return run.title
