"""Imports an uploaded file or a sample as a dataset: table, profile, fingerprint."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import IO, TYPE_CHECKING

from core import jobs
from core.access import Access, upload_limit_mb
from core.catalog import Dataset, Run, datasets, runs
from core.errors import InputError
from core.jobs import RunContext, TaskSpec
from core.jsonable import JsonObject
from core.progress import Event
from core.settings import get_settings
from core.storage import get_store
from core.tasks._uploads import (
    TOO_LARGE_HINT,
    check_uploadable,
    delete_preview,
    keep_original,
    keep_upload,
    read_upload,
    restore_original,
    shared_upload,
    upload_path,
    uploaded_file,
)

if TYPE_CHECKING:
    from core.datasets import ReadOptions, Table

__all__ = [
    "SPEC",
    "TOO_LARGE_HINT",
    "run",
    "stays",
    "submit_again",
    "submit_previewed",
    "submit_sample",
    "submit_upload",
]

SPEC = TaskSpec(
    name="ingest",
    title="Import",
    help="Reads a file or a sample into a dataset.",
    lane="short",
    restarts=True,
    repeatable=False,  # an upload is removed once it was read
    keeps_data=False,
)


def submit_upload(
    file: IO[bytes],
    filename: str,
    *,
    options: ReadOptions | None = None,
    like: str | None = None,
    access: Access,
) -> str:
    """Copy an upload out of memory, and queue the run that reads it.

    Parameters
    ----------
    file : binary file
        Content, read from the current position.
    filename : str
        Name that the user gave the file; it is shown, and never used as a path.
    access : Access
        The workspace, and who acts in it.
    options : ReadOptions, optional
        Decisions on how it is read; by default all are made from its content.
    like : str, optional
        Id of a dataset, such as one that the rows are to be appended to: columns that it has get its types, and what
        was chosen for it is taken over where `options` choose nothing. The report's `given` has both.

    Returns
    -------
    str
        Id of the run; its result has ``dataset_id``, ``name`` and ``known`` (the same table was imported before).

    Raises
    ------
    LimitError
        When the file is larger than ``max_upload_mb``.
    NotFoundError
        When the workspace does not have the dataset `like`.
    """
    origin = None if like is None else datasets.get(like, access=access)
    name = keep_upload(file, filename, upload_limit_mb(), TOO_LARGE_HINT, access=access)
    settings: JsonObject = {"upload": name, "filename": filename[:200], **shared_upload(upload_path(name))}
    if options is not None:
        settings["options"] = options.model_dump(mode="json")
    if origin is not None:
        settings["like"] = origin.id
    return jobs.submit("ingest", settings, title=f"Read {filename[:200]}", access=access)


def submit_sample(name: str, *, access: Access) -> str:
    """Queue the run that loads a sample, and return its id."""
    return jobs.submit("ingest", {"sample": name}, title=f"Load the sample {name}", access=access)


def submit_again(dataset_id: str, options: ReadOptions, *, access: Access) -> str:
    """Queue the run that reads a dataset's original file again, in another way.

    The dataset gets the new content, unless it `stays`: then there is a new dataset beside it.

    Parameters
    ----------
    dataset_id : str
        The dataset.
    options : ReadOptions
        Decisions on how the file is read.
    access : Access
        The workspace, and who acts in it.

    Returns
    -------
    str
        Id of the run; its result is that of `submit_upload`.

    Raises
    ------
    InputError
        When the original file is not kept.
    """
    dataset = datasets.get(dataset_id, access=access)
    if dataset.upload_digest is None:
        raise InputError(f"The original file of '{dataset.name}' is not kept.", "Upload it again.")
    settings = {"dataset": dataset_id, "filename": dataset.source, "options": options.model_dump(mode="json")}
    return jobs.submit("ingest", settings, title=f"Read {dataset.source} again", access=access)


def submit_previewed(preview: Run, options: ReadOptions, *, access: Access) -> str:
    """Queue the run that reads the file that a preview looked at, an upload or the original of a dataset.

    Parameters
    ----------
    preview : Run
        Run of the preview.
    options : ReadOptions
        Decisions on how the file is read.
    access : Access
        The workspace, and who acts in it.

    Returns
    -------
    str
        Id of the run; its result is that of `submit_upload`.
    """
    preview = runs.get(preview.id, access=access)
    names = ("folder", "content", "filename", "dataset", "like")
    kept = {name: preview.settings[name] for name in names if name in preview.settings}
    settings = kept | {"options": options.model_dump(mode="json"), "preview": preview.id}
    again = " again" if "dataset" in settings else ""
    title = f"Read {settings['filename']}{again}"
    return jobs.submit("ingest", settings, title=title, access=access)


def stays(dataset: Dataset, *, access: Access) -> bool:
    """Return whether a dataset stays as it is when its file is read again, since results of runs depend on it."""
    return datasets.is_used(dataset.id, passing=_passing(), access=access)


def _passing() -> list[str]:
    """Return the kinds of run whose results do not depend on the dataset being kept."""
    return [name for name, spec in jobs.TASKS.items() if not spec.keeps_data]


def run(context: RunContext) -> JsonObject:
    """Read, profile and store the table. An attempt after one that was ended begins anew, or has nothing left to do."""
    stored = context.run.dataset_id is not None
    dataset, new = _stored(context) if stored else _read_and_store(context)
    context.use_dataset(dataset.id)
    # From here on, another attempt needs the upload no more.
    shutil.rmtree(context.workdir, ignore_errors=True)
    if "folder" in context.settings:
        delete_preview(context.settings["folder"])
    if "upload" in context.settings:
        upload_path(context.settings["upload"]).unlink(missing_ok=True)
    context.report(Event("store", 1.0, f"{dataset.rows:,} rows, {dataset.columns:,} columns"))
    return {"dataset_id": dataset.id, "name": dataset.name, "known": not new}


def _stored(context: RunContext) -> tuple[Dataset, bool]:
    """Return the dataset that an earlier attempt stored before it was ended, and whether it is new."""
    assert context.run.dataset_id is not None
    dataset = datasets.get(context.run.dataset_id, access=context.access)
    return dataset, _is_own(dataset, context)


def _is_own(dataset: Dataset, context: RunContext) -> bool:
    """Return whether an earlier attempt of the run stored a dataset, or its new content."""
    later = dataset.created_at >= context.run.created_at
    return context.run.attempt > 1 and (later or dataset.id == context.settings.get("dataset"))


def _read_and_store(context: RunContext) -> tuple[Dataset, bool]:
    """Return the dataset of the table, and whether it is new."""
    context.clear_workdir()
    context.report(Event("read", 0.05, "Reading the table"))
    if "sample" in context.settings:
        table, facts = _read_sample(context.settings["sample"])
        earlier = None
    elif "dataset" in context.settings:
        earlier = datasets.get(context.settings["dataset"], access=context.access)
        table, facts = _read_again(context, earlier)
    else:
        earlier = None
        table, facts = _read_upload(context)

    known = datasets.with_fingerprint(table.fingerprint, access=context.access)
    if known is None or (earlier is not None and known.id == earlier.id):
        context.report(Event("profile", 0.6, "Profiling the columns"))
        return _store(context, table, facts, earlier)
    return known, _is_own(known, context)


def _read_sample(name: str) -> tuple[Table, JsonObject]:
    """Return a sample's table, and facts about its dataset."""
    from core.datasets import load_sample, samples

    table = load_sample(name)
    sample = next(sample for sample in samples() if sample.name == name)
    roles: JsonObject = {"target": sample.target, "sensitive": list(sample.sensitive), "ignore": []}
    if sample.positive:
        roles["positive"] = sample.positive
    return table, {"name": sample.title, "source": f"Sample: {sample.source}", "roles": roles}


def _read_upload(context: RunContext) -> tuple[Table, JsonObject]:
    """Return the table of an uploaded file, which is kept where there is room, and facts about its dataset."""
    path = uploaded_file(context.settings)
    filename = context.settings["filename"]
    facts: JsonObject = {"name": (Path(filename).name.split(".")[0] or filename)[:200], "source": filename[:300]}
    table = _read(context, path)
    limit = get_settings().max_kept_uploads_mb * 2**20 - datasets.kept_bytes(access=context.access)
    if (kept := keep_original(path, context.workdir, limit)) is not None:
        facts["upload_digest"], facts["upload_bytes"] = kept
    return table, facts


def _read_again(context: RunContext, earlier: Dataset) -> tuple[Table, JsonObject]:
    """Return the table of a dataset's original file, and facts about the dataset."""
    if earlier.upload_digest is None:
        raise InputError(f"The original file of '{earlier.name}' is not kept.", "Upload it again.")
    path = context.workdir / "original"
    restore_original(earlier.upload_digest, path)
    table = _read(context, path)
    facts = earlier.model_dump(include={"name", "source", "upload_digest", "upload_bytes"})
    columns = set(table.columns)
    roles = earlier.roles
    target = roles.get("target")
    kept = {name: [column for column in roles.get(name, []) if column in columns] for name in ("sensitive", "ignore")}
    if not roles:
        return table, facts | {"roles": {}}
    if target not in columns:
        return table, facts | {"roles": {"target": None, **kept}}
    return table, facts | {"roles": {**roles, **kept}}


def _read(context: RunContext, path: Path) -> Table:
    table = read_upload(context, path)
    check_uploadable(table.report.format)
    return table


def _store(context: RunContext, table: Table, facts: JsonObject, earlier: Dataset | None) -> tuple[Dataset, bool]:
    """Store a table as a dataset, in place of the earlier one unless that stays.

    Returns the dataset, and whether it is new.
    """
    from core.datasets import profile

    store = get_store()
    profile_json = json.dumps(profile(table).to_dict(), allow_nan=False).encode()
    context.report(Event("store", 0.9, "Storing the table"))
    dataset = Dataset(
        workspace=context.access.workspace,
        fingerprint=table.fingerprint,
        data_digest=store.put_file(table.path),
        profile_digest=store.put_bytes(profile_json),
        rows=table.rows,
        columns=len(table.columns),
        size_bytes=table.path.stat().st_size,
        report=table.report.to_dict(),
        **facts,
    )
    if earlier is not None:
        dataset.id = earlier.id
        if datasets.replace(dataset, passing=_passing(), access=context.access):
            return dataset, True
        dataset = Dataset(**dataset.model_dump(exclude={"id", "name"}), name=f"{dataset.name[:180]} (read again)")
    return datasets.add(dataset, access=context.access)
