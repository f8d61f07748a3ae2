"""Looks at the start of a file, to show how it would be imported; nothing is stored before it is."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from core import jobs
from core.access import Access, upload_limit_mb
from core.catalog import ACTIVE, Dataset, Run, RunState, datasets, runs
from core.errors import InputError, NotFoundError, PlumblineError
from core.files import atomic_write, write_text
from core.jobs import RunContext, TaskSpec
from core.jsonable import JsonObject
from core.progress import Event
from core.settings import get_settings
from core.tasks import ingest
from core.tasks._uploads import (
    TOO_LARGE_HINT,
    check_uploadable,
    delete_preview,
    keep_upload,
    preview_dir,
    previewed_file,
    read_upload,
    restore_original,
    shared_upload,
    uploaded_file,
)

if TYPE_CHECKING:
    from core.datasets import ReadOptions, ReadReport, Table

__all__ = [
    "SPEC",
    "Preview",
    "accept",
    "discard",
    "import_of",
    "is_kept",
    "load",
    "run",
    "submit",
    "submit_again",
    "submit_dataset",
]

SPEC = TaskSpec(
    name="preview",
    title="Preview",
    help="Reads the start of a file, to show how it would be imported.",
    lane="short",
    repeatable=False,  # the file is removed when it is imported
    keeps_data=False,
)

_ROWS = 100
_REPORT, _FIRST_ROWS = "report.json", "rows.parquet"
_WAITING = [RunState.QUEUED, *ACTIVE]


@dataclass(frozen=True)
class Preview:
    """How a file would be read.

    Parameters
    ----------
    report : ReadReport
        Report on the start of the file; of a text that cannot be read as a table, only its first lines.
    rows : Path, optional
        Parquet file with the first rows of the table, if there is one.
    """

    report: ReadReport
    rows: Path | None


def submit(file: IO[bytes], filename: str, *, like: str | None = None, access: Access) -> str:
    """Copy an upload out of memory, and queue the run that looks at it.

    Parameters
    ----------
    file : binary file
        Content, read from the current position.
    filename : str
        Name that the user gave the file; it is shown, and never used as a path.
    access : Access
        The workspace, and who acts in it.
    like : str, optional
        Id of a dataset that it is to be read like, as `ingest.submit_upload` takes it.

    Returns
    -------
    str
        Id of the run; its result has ``typed`` (the file has types of its own, so that nothing is to be decided), and
        `load` returns what it saw. The file is kept until it is imported or discarded, a day at most.

    Raises
    ------
    LimitError
        When the file is larger than ``max_upload_mb``.
    NotFoundError
        When the workspace does not have the dataset `like`.
    """
    following = {} if like is None else {"like": datasets.get(like, access=access).id}
    jobs.sweep()
    name = keep_upload(file, filename, upload_limit_mb(), TOO_LARGE_HINT, preview=True, access=access)
    shared = shared_upload(previewed_file(name))
    return _submit({"folder": name, "filename": filename[:200], **shared} | following, access=access)


def submit_dataset(dataset: Dataset, options: ReadOptions, *, access: Access) -> str:
    """Queue the run that looks at a dataset's original file in another way, and return its id.

    Raises
    ------
    InputError
        When the original file is not kept.
    """
    dataset = datasets.get(dataset.id, access=access)
    if dataset.upload_digest is None:
        raise InputError(f"The original file of '{dataset.name}' is not kept.", "Upload it again.")
    jobs.sweep()
    name = secrets.token_hex(16)
    preview_dir(name).mkdir(parents=True)
    settings = {
        "folder": name,
        "filename": dataset.source,
        "dataset": dataset.id,
        "fingerprint": dataset.fingerprint,
        "options": options.model_dump(mode="json"),
    }
    return _submit(settings, access=access)


def submit_again(run: Run, options: ReadOptions, *, access: Access) -> str:
    """Queue the run that looks at the same file in another way, and return its id; an active look is ended.

    Raises
    ------
    InputError
        When the file is no longer kept.
    """
    run = runs.get(run.id, access=access)
    _require_file(run)
    if run.state in _WAITING:
        jobs.cancel(run.id, access=access)
    previous = run.id if run.state is RunState.SUCCEEDED else run.settings.get("previous")
    settings = run.settings | {"options": options.model_dump(mode="json"), "previous": previous}
    _touch(run)
    return _submit(settings, access=access)


def _touch(run: Run) -> None:
    """Keep the file for another day, since it is in use."""
    folder = preview_dir(run.settings["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)


def _submit(settings: JsonObject, *, access: Access) -> str:
    return jobs.submit("preview", settings, title=f"Look at {settings['filename']}", access=access)


def load(run: Run, *, access: Access) -> Preview | None:
    """Return what a run saw, or None where it saw nothing, or the file was imported or discarded since."""
    from core.datasets import ReadReport

    report, rows = (_seen(run, name, access=access) for name in (_REPORT, _FIRST_ROWS))
    if report is None:
        return None
    return Preview(ReadReport.from_dict(json.loads(report.read_text(encoding="utf-8"))), rows)


def _seen(run: Run, name: str, *, access: Access) -> Path | None:
    """Return a file that a run left beside the upload, or stored for other hosts."""
    path = preview_dir(run.settings["folder"]) / run.id / name
    if path.exists():
        return path
    try:
        return jobs.artifact_path(run.id, name, access=access) if get_settings().storage is not None else None
    except NotFoundError:
        return None


def accept(run: Run, *, access: Access) -> str:
    """Queue the import of the file in the way that a run looked at it, and return the id of that run.

    The import reads the whole file with the options that the user has given; a file that is being imported already is
    not imported twice.

    Raises
    ------
    InputError
        When the file is no longer kept.
    """
    from core.datasets import ReadOptions

    run = runs.get(run.id, access=access)
    earlier = import_of(run, access=access)
    if earlier is not None:
        return earlier.id
    _require_file(run)
    if run.state in _WAITING:
        jobs.cancel(run.id, access=access)
    _touch(run)
    return ingest.submit_previewed(run, ReadOptions(**run.settings.get("options", {})), access=access)


def import_of(run: Run, *, access: Access) -> Run | None:
    """Return the run that imports, or has imported, the file that a run looked at, or None."""
    return next(
        (
            item
            for item in runs.find(task="ingest", states=[*_WAITING, RunState.SUCCEEDED], access=access)
            if item.settings.get("folder") == run.settings["folder"]
        ),
        None,
    )


def discard(run: Run, *, access: Access) -> None:
    """Remove the file that a run looked at, with all that was seen of it."""
    run = runs.get(run.id, access=access)
    if run.state in _WAITING:
        jobs.cancel(run.id, access=access)
    delete_preview(run.settings["folder"])


def is_kept(run: Run) -> bool:
    """Return whether the file that a run looked at can still be read."""
    return previewed_file(run.settings["folder"]).exists() or "dataset" in run.settings or "content" in run.settings


def _require_file(run: Run) -> None:
    if not is_kept(run):
        raise InputError("The upload is no longer kept.", "Upload the file again.")


def run(context: RunContext) -> JsonObject:
    """Read the start of the file, and keep the report and the first rows beside it."""
    from core.datasets import ReadOptions, detect_format

    settings = context.settings
    options = ReadOptions(**settings.get("options", {}))
    file = previewed_file(settings["folder"])
    folder = preview_dir(settings["folder"])
    context.report(Event("read", 0.1, "Looking at the file"))
    if not file.exists() and "dataset" in settings:
        _restore(datasets.get(settings["dataset"], access=context.access), file)
    else:
        uploaded_file(settings)
    is_first = not settings.get("previous") and "dataset" not in settings
    is_text = False
    try:
        file_format = detect_format(file, options=options)
        check_uploadable(file_format.name)
        if file_format.typed:
            return {"typed": True}
        is_text = file_format.name == "csv"
        table = read_upload(context, file, start_only=True)
        _keep(table, folder / context.run.id)
    except PlumblineError:
        if is_first and is_text:  # there may be a way to read it, which its user knows
            _keep_lines(file, options, folder / context.run.id)
        elif is_first:
            delete_preview(settings["folder"])
        raise
    finally:
        shutil.rmtree(context.workdir, ignore_errors=True)
        if get_settings().storage is not None:
            for path in sorted((folder / context.run.id).glob("*")):
                context.keep(path.name, path)
    return {"typed": not table.report.decisions}


def _restore(dataset: Dataset, file: Path) -> None:
    if dataset.upload_digest is None:
        raise InputError(f"The original file of '{dataset.name}' is not kept.", "Upload it again.")
    file.parent.mkdir(parents=True, exist_ok=True)
    restore_original(dataset.upload_digest, file)


def _keep_lines(file: Path, options: ReadOptions, folder: Path) -> None:
    """Keep the first lines of a text that cannot be read, with nothing decided."""
    from core.datasets import Decision, ReadReport, first_lines

    names = ("encoding", "delimiter", "quote", "skip_rows", "header")
    decisions = tuple(Decision(name, "auto", "Nothing could be decided.", "guessed") for name in names)
    report = ReadReport(0, 0, "csv", decisions=decisions, head=first_lines(file), given=options, options=options)
    folder.mkdir(exist_ok=True)
    write_text(folder / _REPORT, json.dumps(report.to_dict()))


def _keep(table: Table, folder: Path) -> None:
    import pyarrow.parquet as pq

    folder.mkdir(exist_ok=True)  # not its parent: where that is gone, the upload was discarded
    first = next(pq.ParquetFile(table.path, pre_buffer=False).iter_batches(batch_size=_ROWS))
    with atomic_write(folder / _FIRST_ROWS) as partial, pq.ParquetWriter(partial, first.schema) as writer:
        writer.write_batch(first)
    write_text(folder / _REPORT, json.dumps(table.report.to_dict(), allow_nan=False))
