"""Deletion: of the row first, then of stored contents that no row refers to."""

from __future__ import annotations

import shutil

from core.access import Access
from core.catalog import artifacts, datasets, runs, saved_pipelines, schedules
from core.settings import get_settings
from core.storage import get_store

__all__ = ["delete_dataset", "delete_pipeline", "delete_run", "delete_unused"]


def delete_dataset(dataset_id: str, *, access: Access) -> None:
    """Delete a dataset with all of its versions. Results of runs that used it are kept.

    Raises
    ------
    NotFoundError
        When the workspace does not have this dataset.
    InputError
        When a run is queued for it or works on it.
    """
    for version in datasets.delete(dataset_id, access=access):
        delete_unused(version.data_digest, version.profile_digest, version.upload_digest)


def delete_run(run_id: str, *, access: Access) -> None:
    """Delete a run with all that work for it, such as the steps of a pipeline: rows, logs and files.

    Datasets that they made are kept. What other runs or later runs of the same pipeline use is kept, too.

    Raises
    ------
    NotFoundError
        When the workspace does not have this run.
    InputError
        When one of them has not ended or is a version of a model, or the run works for another one.
    """
    ids, digests = runs.delete(run_id, access=access)
    for name in ids:
        shutil.rmtree(get_settings().runs_dir / name, ignore_errors=True)
    delete_unused(*digests)


def delete_pipeline(pipeline_id: str, *, access: Access) -> None:
    """Delete a saved pipeline with the files beside it and its schedules. Its runs are kept.

    Raises
    ------
    NotFoundError
        When the workspace does not have this pipeline.
    """
    digests = saved_pipelines.delete(pipeline_id, access=access)
    for schedule in schedules.find(task="pipeline", access=access):
        if schedule.settings["saved"] == pipeline_id:
            schedules.delete(schedule.id, access=access)
    delete_unused(*digests)


def delete_unused(*digests: str | None) -> None:
    """Delete stored contents that no row refers to."""
    for digest in digests:
        if digest is not None and not artifacts.in_use(digest):
            get_store().delete(digest)
