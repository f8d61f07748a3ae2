"""Reads an uploaded file or a sample into a dataset: table, profile, fingerprint."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import IO, Any

from core import jobs
from core.catalog import Dataset, datasets
from core.errors import InputError
from core.jobs import RunContext, TaskSpec
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
    """Copy an upload out of memory and queue the run that reads it.

    Parameters
    ----------
    file : binary file
        Its content, read from the current position.
    filename : str
        What the user called it; only ever shown, never used as a path.
    workspace : str
        Whose dataset it becomes.

    Returns
    -------
    str
        The run's id; its result has ``dataset_id``, ``name`` and ``known`` (the same table was there before).

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
    """Queue the run that loads one of the samples; returns its id."""
    return jobs.submit("ingest", {"sample": name}, workspace=workspace, title=f"Load the sample {name}")


def run(context: RunContext) -> dict[str, Any]:
    """Read, profile and store the table."""
    from core.datasets import FILE_FORMATS, load_sample, profile, read_table, readable_formats, samples

    roles: dict[str, Any] = {}
    sample = context.settings.get("sample")
    context.report(Event("read", 0.05, "Reading the table"))
    if sample is not None:
        known_sample = {item.name: item for item in samples()}.get(sample)
        if known_sample is None:
            raise InputError(f"There is no sample '{sample}'.", "Choose one that the Data page lists.")
        table = load_sample(sample)
        source = f"Sample: {known_sample.source}"
        roles = {"target": known_sample.target, "sensitive": list(known_sample.sensitive), "ignore": []}
        name = known_sample.title
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

    context.report(Event("profile", 0.6, "Describing the columns"))
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
