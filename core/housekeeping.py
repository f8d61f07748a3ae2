"""Removes what is no longer wanted: the row first, then contents that nothing refers to any more."""

from __future__ import annotations

from core.catalog import artifacts, datasets
from core.storage import get_store

__all__ = ["delete_dataset"]


def delete_dataset(dataset_id: str, *, workspace: str) -> None:
    """Delete a dataset; the results of runs that used it stay.

    Raises
    ------
    NotFoundError
        When this workspace has no such dataset.
    InputError
        While a run waits for it or works on it.
    """
    dataset = datasets.delete(dataset_id, workspace)
    for digest in (dataset.data_digest, dataset.profile_digest):
        if not artifacts.in_use(digest):
            get_store().delete(digest)
