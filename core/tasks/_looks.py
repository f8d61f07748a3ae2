"""Runs that look at a dataset as it is: their results are shown while it has this content, and keep nothing of it."""

from __future__ import annotations

from core.access import Access
from core.catalog import Dataset, Run, RunState, datasets, runs
from core.errors import InputError
from core.jobs import RunContext
from core.jsonable import JsonObject

__all__ = ["dataset_of", "latest_look", "look_settings"]


def look_settings(dataset: Dataset, settings: JsonObject) -> JsonObject:
    """Return the settings of a run, with the content that it looks at."""
    return {**settings, "fingerprint": dataset.fingerprint}


def latest_look(task: str, dataset: Dataset, settings: JsonObject, *, access: Access) -> Run | None:
    """Return the newest run with these settings and the dataset's present content that was not cancelled, or None."""
    wanted = look_settings(dataset, settings)
    looks = runs.find(task=task, dataset_id=dataset.id, access=access)
    return next((run for run in looks if run.settings == wanted and run.state is not RunState.CANCELLED), None)


def dataset_of(context: RunContext) -> Dataset:
    """Return the dataset that a run looks at.

    Raises
    ------
    InputError
        When its file was read again since the run was queued, so that the result would be that of other content.
    """
    assert context.run.dataset_id is not None
    dataset = datasets.get(context.run.dataset_id, access=context.access)
    if context.settings.get("fingerprint", dataset.fingerprint) != dataset.fingerprint:
        raise InputError(
            f"'{dataset.name}' was read again since this run was queued.", "Open the dataset, and start it there again."
        )
    return dataset
