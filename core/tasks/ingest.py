"""Imports an uploaded file or a sample as a dataset: table, profile, fingerprint."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import IO

from core import jobs
from core.catalog import Dataset, datasets
from core.errors import InputError
from core.jobs import RunContext, TaskSpec
from core.jsonable import JsonObject
from core.progress import Event
from core.settings import get_settings
from core.storage import get_store
from core.tasks._uploads import keep_upload, upload_path

__all__ = ["SPEC", "run", "submit_sample", "submit_upload"]

SPEC = TaskSpec(
    name="ingest",
    title="Import",
    help="Reads a file or a sample into a dataset.",
    lane="short",
    repeatable=False,  # an upload is read once, then removed
)


def submit_upload(file: IO[bytes], filename: str, *, workspace: str) -> str:
    """Copy an upload out of memory, and queue the run that reads it.

    Parameters
    ----------
    file : binary file
        Content, read from the current position.
    filename : str
        Name that the user gave the file; it is shown, and never used as a path.
    workspace : str
        Workspace that the dataset will belong to.

    Returns
    -------
    str
        Id of the run; its result has ``dataset_id``, ``name`` and ``known`` (the same table was imported before).

    Raises
    ------
    LimitError
        When the file is larger than ``max_upload_mb``.
    """
    name = keep_upload(
        file,
        filename,
        get_settings().max_upload_mb,
        "Upload a part of it, or Parquet, which is smaller. PLUMBLINE_MAX_UPLOAD_MB sets the limit.",
    )
    return jobs.submit(
        "ingest",
        {"upload": name, "filename": filename[:200]},
        workspace=workspace,
        title=f"Read {filename[:200]}",
    )


def submit_sample(name: str, *, workspace: str) -> str:
    """Queue the run that loads a sample, and return its id."""
    return jobs.submit("ingest", {"sample": name}, workspace=workspace, title=f"Load the sample {name}")


def run(context: RunContext) -> JsonObject:
    """Read, profile and store the table."""
    from core.datasets import FILE_FORMATS, load_sample, profile, read_table, readable_formats, samples

    roles: JsonObject = {}
    sample_name = context.settings.get("sample")
    context.report(Event("read", 0.05, "Reading the table"))
    if sample_name is not None:
        table = load_sample(sample_name)
        sample = next(sample for sample in samples() if sample.name == sample_name)
        source = f"Sample: {sample.source}"
        roles = {"target": sample.target, "sensitive": list(sample.sensitive), "ignore": []}
        name = sample.title
    else:
        upload = upload_path(context.settings["upload"])
        filename = context.settings["filename"]
        name = Path(filename).name.split(".")[0] or filename
        source = filename
        try:
            table = read_table(upload, name=filename, workdir=context.workdir, report=context.report)
        finally:
            upload.unlink(missing_ok=True)
        file_format = FILE_FORMATS[table.report.format]
        if not file_format.upload:
            raise InputError(f"{file_format.title} files cannot be uploaded.", f"Upload {readable_formats()}.")

    context.report(Event("profile", 0.6, "Profiling the columns"))
    known = datasets.with_fingerprint(table.fingerprint, context.workspace)
    if known is None:
        store = get_store()
        profile_json = json.dumps(profile(table.path).to_dict(), allow_nan=False).encode()
        context.report(Event("store", 0.9, "Storing the table"))
        known, new = datasets.add(
            Dataset(
                workspace=context.workspace,
                name=name[:200],
                fingerprint=table.fingerprint,
                data_digest=store.put_file(table.path),
                profile_digest=store.put_bytes(profile_json),
                rows=table.rows,
                columns=len(table.columns),
                size_bytes=table.path.stat().st_size,
                source=source[:300],
                report=table.report.to_dict(),
                roles=roles,
            )
        )
    else:
        new = False
    shutil.rmtree(context.workdir, ignore_errors=True)
    context.use_dataset(known.id)
    context.report(Event("store", 1.0, f"{known.rows:,} rows, {known.columns:,} columns"))
    return {"dataset_id": known.id, "name": known.name, "known": not new}
