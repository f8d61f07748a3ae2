"""The history of a dataset: which version is shown, the run that makes the next one, undo and redo."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.catalog import ACTIVE, Dataset, DatasetChange, Run, RunState, datasets, runs, versions
from core.errors import InputError
from pages._ui import address, frame, lookups, run_view

__all__ = ["fact", "preparing", "running", "show"]

_ACTIONS: Final = {
    "Undo": (versions.next_undo, versions.undo),
    "Redo": (versions.next_redo, versions.redo),
}


def fact(dataset: Dataset) -> str:
    """Return what the facts of the header say about the version; nothing where there is only one."""
    count = len(versions.find(dataset, access=frame.access()))
    return f"Version {dataset.number} of {count}" if count > 1 else ""


def preparing() -> Run | None:
    """Return the preparation that the address names, if it names one."""
    run_id = st.query_params.get("preparing")
    return None if run_id is None else lookups.run(run_id, "prepare", what="a preparation")


def running(dataset: Dataset, own: Run | None) -> None:
    """Show active preparations of the dataset, and how the one that the address names ended.

    Parameters
    ----------
    dataset : Dataset
        Version that is shown.
    own : Run or None
        Preparation that the address names. When it has succeeded, its version is opened.
    """
    family = {version.id for version in versions.find(dataset, access=frame.access())}
    active = runs.find(task="prepare", states=[RunState.QUEUED, *ACTIVE], access=frame.access())
    shown = [run for run in active if run.dataset_id in family]
    for run in shown:
        run_view.show_run(run.id)
    if own is None or own.id in {run.id for run in shown}:
        return
    tab = {"tab": st.query_params["tab"]} if "tab" in st.query_params else {}
    if own.state is RunState.SUCCEEDED and own.result is not None:
        if own.result["known"]:
            st.session_state["data-notice"] = "This table exists already, so no version was added. It is opened here."
        address.go(dataset=own.result["dataset_id"], **tab)
    run_view.show_failure(own)


def show(dataset: Dataset) -> None:
    """Draw what leads from an earlier version to the current one, or the buttons that undo and redo changes."""
    head = versions.head(dataset, access=frame.access())
    if head.id != dataset.id:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.info(
                f"This is version {dataset.number}. Version {head.number} is the current one.",
                icon=":material/history:",
                width=480,
            )
            st.button(
                "Open the current version",
                icon=":material/arrow_forward:",
                key="data-open-current",
                on_click=address.set_query,
                kwargs={"dataset": head.id},
            )
        return
    back, forth = versions.next_undo(dataset, access=frame.access()), versions.next_redo(dataset, access=frame.access())
    if back is None and forth is None:
        return
    with st.container(horizontal=True):
        if back is not None:
            _button("Undo", back, ":material/undo:", dataset)
        if forth is not None:
            _button("Redo", forth, ":material/redo:", dataset)


def _button(word: str, change: DatasetChange, icon: str, dataset: Dataset) -> None:
    label = change.label
    shown = label if len(label) <= 60 else f"{label[:59]}…"
    st.button(
        f"{word}: {frame.plain(shown)}",
        icon=icon,
        type="tertiary",
        key=f"data-{word.lower()}",
        help=frame.plain(label) if shown != label else None,
        on_click=_act,
        args=(word, change, dataset),
    )


def _act(word: str, change: DatasetChange, dataset: Dataset) -> None:
    """Undo or redo a change, unless another one is next by now: the button was pressed twice, or elsewhere as well."""
    upcoming, action = _ACTIONS[word]
    with frame.errors_shown():
        dataset = datasets.get(dataset.id, access=frame.access())
        current = upcoming(dataset, access=frame.access())
        if current is None or current.id != change.id:
            raise InputError(
                f"'{change.label}' is no longer the last change, perhaps because of another tab.",
                "Nothing was done. Look at the dataset, then repeat.",
            )
        version = action(dataset, access=frame.access())
        tab = {"tab": st.query_params["tab"]} if "tab" in st.query_params else {}
        address.set_query(dataset=version.id, **tab)
