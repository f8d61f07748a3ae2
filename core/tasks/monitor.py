"""Compares batches of rows with the evidence of the model that scores them, and stores what they say."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from pydantic import JsonValue

from core import jobs
from core.access import Access, upload_limit_mb
from core.catalog import Dataset, ModelVersion, datasets, models
from core.columns import require_columns
from core.jobs import RunContext, TaskSpec
from core.progress import Event
from core.tasks._batch_rows import read_batch
from core.tasks._uploads import TOO_LARGE_HINT, keep_upload, shared_upload, upload_path, uploaded_file
from core.tasks._watching import NewBatch, Watch

if TYPE_CHECKING:
    import pandas as pd

    from core.monitoring import Change

__all__ = ["SPEC", "Replay", "run", "submit_dataset", "submit_labels", "submit_simulation", "submit_upload"]

SPEC = TaskSpec(
    name="monitor",
    title="Monitoring",
    help="Compares batches of rows with the evidence of the model that scores them.",
    lane="short",
    page="models",
    repeatable=False,  # the same rows again are no other batch
    part_of="version",
)


@dataclass(frozen=True)
class Replay:
    """How a table becomes several batches.

    Parameters
    ----------
    column : str
        Column of dates, by which the rows are ordered.
    batches : int
        Number of batches.
    """

    column: str
    batches: int


def submit_upload(
    version: ModelVersion, file: IO[bytes], filename: str, *, at: float | None = None, access: Access
) -> str:
    """Copy an upload out of memory and queue the run that compares it, as one batch; returns the run's id.

    Parameters
    ----------
    version : ModelVersion
        The version that scores the rows.
    file : binary file
        A file in any format that `read_table` takes.
    filename : str
        Name that the user gave the file.
    at : float, optional
        Moment of the batch, in seconds since 1970 (UTC); by default now.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    LimitError
        When the file is larger than ``max_upload_mb``.
    """
    source = _kept_upload(version, file, filename, access=access)
    return _submit(version, source, filename, at=at, access=access)


def submit_dataset(
    version: ModelVersion, dataset: Dataset, *, at: float | None = None, replay: Replay | None = None, access: Access
) -> str:
    """Queue the run that compares the rows of a dataset, as one batch or several; returns the run's id.

    Parameters
    ----------
    version : ModelVersion
        The version that scores the rows.
    dataset : Dataset
        The dataset.
    at : float, optional
        Moment of the batch, in seconds since 1970 (UTC); by default now.
    replay : Replay, optional
        Column of dates and number of batches; by default the rows are one batch.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    NotFoundError
        When the workspace does not have this dataset.
    """
    stored = datasets.get(dataset.id, access=access)
    source: dict[str, JsonValue] = {"dataset": stored.id, "filename": stored.name}
    if replay is not None:
        source |= {"replay": {"column": replay.column, "batches": replay.batches}}
    return _submit(version, source, stored.name, at=at, access=access)


def submit_simulation(version: ModelVersion, changes: Sequence[Change], *, rows: int = 1_000, access: Access) -> str:
    """Queue the run that compares rows of the training table after changes made on purpose; returns the run's id.

    Parameters
    ----------
    version : ModelVersion
        The version that scores the rows.
    changes : sequence of settings
        Changes, as `core.monitoring.simulate` takes them.
    rows : int, default=1_000
        Number of rows, drawn from those that training kept out.
    access : Access
        The workspace, and who acts in it.
    """
    made: list[JsonValue] = [change.model_dump(mode="json") for change in changes]
    source: dict[str, JsonValue] = {"filename": "Simulation", "changes": made, "rows": rows}
    return _submit(version, source, "simulation", at=None, access=access)


def submit_labels(
    version: ModelVersion, file: IO[bytes], filename: str, *, row_id: str, label: str, access: Access
) -> str:
    """Copy an upload out of memory and queue the run that joins its labels to all batches; returns the run's id.

    Parameters
    ----------
    version : ModelVersion
        A version of the model.
    file : binary file
        A file in any format that `read_table` takes.
    filename : str
        Name that the user gave the file.
    row_id, label : str
        Columns of the file with the ids of the rows, and with their labels.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    LimitError
        When the file is larger than ``max_upload_mb``.
    """
    source = _kept_upload(version, file, filename, access=access)
    return _submit(version, source | {"labels": {"row_id": row_id, "label": label}}, filename, at=None, access=access)


def _kept_upload(version: ModelVersion, file: IO[bytes], filename: str, *, access: Access) -> dict[str, JsonValue]:
    models.get(version.model_id, access=access)  # before anything is kept
    upload = keep_upload(file, filename, upload_limit_mb(), TOO_LARGE_HINT, access=access)
    return {"upload": upload, **shared_upload(upload_path(upload)), "filename": filename[:200]}


def _submit(version: ModelVersion, source: dict[str, JsonValue], name: str, *, at: float | None, access: Access) -> str:
    model = models.get(version.model_id, access=access)
    settings = {"version": version.id, "model": model.id, "at": time.time() if at is None else at, **source}
    return jobs.submit("monitor", settings, title=f"Watch {model.name[:100]}: {name[:100]}", access=access)


def run(context: RunContext) -> dict[str, JsonValue]:
    """Read the rows, score them, compare them with the reference, and store what they say."""
    from core.models import resolve
    from core.monitoring import changes_adapter

    version = resolve(context.settings["version"], access=context.access)
    context.report(Event("read", 0.0, "Reading the rows"))
    if "labels" in context.settings:
        watch = Watch(context, version)
        frame, columns = _frame(context, version), context.settings["labels"]
        require_columns(frame.columns, [columns["row_id"], columns["label"]], what="The file")
        labels = frame[[columns["row_id"], columns["label"]]].set_axis(["row_id", "y_true"], axis=1)
        said = watch.add_labels(labels)
        watch.raise_alarms()
        return said
    if "changes" in context.settings:
        changes = changes_adapter().validate_python(context.settings["changes"])
        return Watch(context, version).simulate(changes, int(context.settings["rows"]), float(context.settings["at"]))
    batches, undated = _batches(context, version)
    watch = Watch(context, version)
    said = watch.add(batches)
    watch.raise_alarms()
    return {**said, "undated": undated}


def _batches(context: RunContext, version: ModelVersion) -> tuple[list[NewBatch], int]:
    """Return the batches, and the number of rows that have no date and are in none of them."""
    settings = context.settings
    frame = _frame(context, version)
    if "replay" not in settings:
        return [NewBatch(str(settings["filename"]), float(settings["at"]), frame)], 0
    from core.monitoring import split_by_date

    parts, undated = split_by_date(frame, settings["replay"]["column"], settings["replay"]["batches"])
    return [NewBatch(part.name, part.as_of.timestamp(), part.frame) for part in parts], len(undated)


def _frame(context: RunContext, version: ModelVersion) -> pd.DataFrame:
    from core.datasets import load_frame
    from core.storage import get_store

    settings = context.settings
    if "dataset" in settings:
        dataset = datasets.get(settings["dataset"], access=context.access)
        return load_frame(get_store().local_path(dataset.data_digest))
    upload = uploaded_file(settings)
    try:
        return read_batch(context, version, upload, settings["filename"])
    finally:
        upload.unlink(missing_ok=True)
