"""Deletion: of the row first, then of stored contents that no row refers to."""

from __future__ import annotations

from core.catalog import artifacts, datasets
from core.storage import get_store

__all__ = ["delete_dataset", "delete_unused"]


def delete_dataset(dataset_id: str, *, workspace: str) -> None:
    """Delete a dataset with all of its versions. Results of runs that used it are kept.

    Raises
    ------
    NotFoundError
        When the workspace does not have this dataset.
    InputError
        When a run is queued for it or works on it.
    """
    for version in datasets.delete(dataset_id, workspace):
        delete_unused(version.data_digest, version.profile_digest, version.upload_digest)


def delete_unused(*digests: str | None) -> None:
    """Delete stored contents that no row refers to."""
    for digest in digests:
        if digest is not None and not artifacts.in_use(digest):
            get_store().delete(digest)
