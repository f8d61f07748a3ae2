"""Objects that an address names, checked to be of the kind that the page shows."""

from __future__ import annotations

import streamlit as st

from core import jobs
from core.catalog import Dataset, Run, datasets
from core.errors import NotFoundError
from pages._ui import frame

__all__ = ["dataset_title", "existing_dataset", "existing_run", "linked_dataset", "run", "selectable_datasets"]


def run(run_id: str, *tasks: str, what: str) -> Run:
    """Return a run of one of these kinds.

    Parameters
    ----------
    run_id : str
        Identifier of the run.
    *tasks : str
        Kinds of run that the page shows.
    what : str
        Description of such a run for the message, such as "a search".

    Raises
    ------
    NotFoundError
        When there is no such run, or it is of another kind.
    """
    row = jobs.get(run_id, access=frame.access())
    if row.task not in tasks:
        raise NotFoundError(f"Run '{row.id}' is not {what}.", "The Runs page shows runs of all types.")
    frame.opened("run", row.id, row.title or row.task)
    return row


def linked_dataset() -> Dataset | None:
    """Return the dataset that the address names, or None where it names none.

    Raises
    ------
    NotFoundError
        When there is no such dataset.
    """
    dataset_id = st.query_params.get("dataset")
    return None if dataset_id is None else datasets.get(dataset_id, access=frame.access())


def selectable_datasets() -> dict[str, Dataset]:
    """Return the datasets that a form offers, by id: the current versions, and that of the address if it is another.

    Raises
    ------
    NotFoundError
        When the address names a dataset that is not there.
    """
    linked = linked_dataset()
    by_id = {dataset.id: dataset for dataset in datasets.find(access=frame.access())}
    return by_id if linked is None else {**by_id, linked.id: linked}


def dataset_title(dataset: Dataset) -> str:
    """Return what a list of choices calls a dataset.

    Examples
    --------
    >>> dataset_title(Dataset(name="sales", rows=1200, number=3))
    'sales, version 3 (1,200 rows)'
    """
    version = f", version {dataset.number}" if dataset.number > 1 or dataset.head_id else ""
    return f"{dataset.name}{version} ({dataset.rows:,} rows)"


def existing_dataset(dataset_id: str | None) -> Dataset | None:
    """Return a dataset, or None where there is none, or none any longer."""
    if dataset_id is None:
        return None
    try:
        return datasets.get(dataset_id, access=frame.access())
    except NotFoundError:
        return None


def existing_run(run_id: str | None) -> Run | None:
    """Return a run, or None where there is none, or none any longer."""
    if run_id is None:
        return None
    try:
        return jobs.get(run_id, access=frame.access())
    except NotFoundError:
        return None
