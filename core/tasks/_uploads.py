"""Uploaded files: copied out of the request, and read by the run that was queued for them."""

from __future__ import annotations

import contextlib
import gzip
import secrets
import shutil
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from core.access import Access, Role
from core.catalog import audit, datasets, runs, usage
from core.errors import InputError, LimitError, shortened
from core.files import atomic_write, os_errors_explained
from core.jobs import RunContext
from core.jsonable import JsonObject
from core.settings import get_settings
from core.storage import get_store

if TYPE_CHECKING:
    from core.datasets import Table

__all__ = [
    "TOO_LARGE_HINT",
    "check_uploadable",
    "delete_preview",
    "keep_original",
    "keep_upload",
    "preview_dir",
    "previewed_file",
    "read_upload",
    "restore_original",
    "shared_upload",
    "upload_path",
    "uploaded_file",
]

TOO_LARGE_HINT = (
    "Upload a part of it, or Parquet, which is smaller. PLUMBLINE_MAX_UPLOAD_MB sets the limit, and "
    "PLUMBLINE_WORKSPACE_UPLOAD_MB that of a workspace."
)
"""Advice for an upload above the limit."""

_PACKED = (b"\x1f\x8b", b"PK", b"PAR1", b"ARROW1")


def upload_path(name: str) -> Path:
    """Return the path of an upload."""
    return get_settings().uploads_dir / Path(name).name


def preview_dir(name: str) -> Path:
    """Return the folder of a file that is looked at before it is imported."""
    return get_settings().previews_dir / Path(name).name


def previewed_file(name: str) -> Path:
    """Return the path of that file."""
    return preview_dir(name) / "file"


def delete_preview(name: str) -> None:
    """Delete a file that was looked at, with its previews."""
    shutil.rmtree(preview_dir(name), ignore_errors=True)


def keep_upload(
    file: IO[bytes], filename: str, limit_mb: int, hint: str, *, preview: bool = False, access: Access
) -> str:
    """Store an upload, and return the name that `upload_path` takes.

    Parameters
    ----------
    file : binary file
        The upload.
    filename : str
        Its name, for the message.
    limit_mb : int
        Largest size, MB.
    hint : str
        Advice for a larger file.
    preview : bool, default=False
        Whether it is looked at first: then it is stored as the file that `previewed_file` names.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    LimitError
        When it is larger than the limit, or the workspace has no room; nothing is kept of it.
    StorageError
        When the disk is full or not written to; nothing is kept of it either.
    """
    access.require(Role.EDITOR)
    usage.require_room(_previewed_bytes(access=access), access=access)
    name = secrets.token_hex(16)
    path = previewed_file(name) if preview else upload_path(name)
    copied = 0
    try:
        with os_errors_explained(f"Storing '{shortened(filename)}'"):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os_errors_explained(f"Storing '{shortened(filename)}'"), open(path, "wb") as target:
            while chunk := file.read(1 << 20):
                copied += len(chunk)
                if copied > limit_mb * 2**20:
                    raise LimitError(
                        f"'{filename}' is larger than {limit_mb:,} MB, the limit of this installation.", hint
                    )
                target.write(chunk)
    except BaseException:
        with contextlib.suppress(OSError):  # a disk that is not written to has nothing to remove either
            path.unlink(missing_ok=True)
            if preview:
                path.parent.rmdir()
        raise
    audit.add("upload", filename, access=access, bytes=copied)
    return name


def _previewed_bytes(*, access: Access) -> int:
    """Return the size of the files that were uploaded to look at them, and are neither imported nor discarded."""
    looks = runs.find(task="preview", access=access)
    folders = {preview_dir(look.settings["folder"]) for look in looks}
    return sum(path.stat().st_size for folder in folders for path in folder.glob("file"))


def shared_upload(path: Path) -> JsonObject:
    """Store an upload for other hosts, if there may be some; return what the settings of its run say about that."""
    return {} if get_settings().storage is None else {"content": get_store().put_file(path)}


def uploaded_file(settings: JsonObject) -> Path:
    """Return the upload that the settings of a run name, which is fetched where it came to another host.

    Raises
    ------
    InputError
        When it is no longer kept.
    """
    path = previewed_file(settings["folder"]) if "folder" in settings else upload_path(settings["upload"])
    if path.exists():
        return path
    if "content" not in settings:
        raise InputError("The upload is no longer kept.", "Upload the file again.")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with atomic_write(path) as partial, get_store().open(settings["content"]) as stored, open(partial, "wb") as target:
        shutil.copyfileobj(stored, target, 1 << 20)
    return path


def read_upload(context: RunContext, path: Path, *, start_only: bool = False) -> Table:
    """Return the table of a file as the settings of a run have it: with its options, like another dataset."""
    from core.datasets import ReadOptions, ReadReport, read_table

    settings = context.settings
    like = datasets.get(settings["like"], access=context.access) if "like" in settings else None
    table = read_table(
        path,
        name=settings["filename"],
        options=ReadOptions(**settings.get("options", {})),
        like=None if like is None else ReadReport.from_dict(like.report),
        start_only=start_only,
        workdir=context.workdir,
        report=context.report,
    )
    if like is None:
        return table
    notices = (f"Columns that '{like.name}' has are read as they were there.", *table.report.notices)
    return replace(table, report=replace(table.report, notices=notices))


def keep_original(path: Path, workdir: Path, limit_bytes: int) -> tuple[str, int] | None:
    """Store an uploaded file packed with gzip; return its digest and size, or None when it would be too large."""
    packed = workdir / "original.gz"
    with open(path, "rb") as source, open(packed, "wb") as file:
        level = 0 if source.read(6).startswith(_PACKED) else 1
        source.seek(0)
        with gzip.GzipFile("", "wb", level, file, mtime=0) as target:  # the same file is stored once
            shutil.copyfileobj(source, target, 1 << 20)
    size = packed.stat().st_size
    try:
        return (get_store().put_file(packed), size) if size <= limit_bytes else None
    finally:
        packed.unlink()


def restore_original(digest: str, path: Path) -> None:
    """Write a file that `keep_original` stored."""
    with (
        get_store().open(digest) as stored,
        gzip.open(stored) as source,
        atomic_write(path) as partial,
        open(partial, "wb") as target,
    ):
        shutil.copyfileobj(source, target, 1 << 20)


def check_uploadable(format_name: str) -> None:
    """Raise InputError for a format that users may not upload."""
    from core.datasets import FILE_FORMATS, readable_formats

    file_format = FILE_FORMATS[format_name]
    if not file_format.upload:
        raise InputError(f"{file_format.title} files cannot be uploaded.", f"Upload {readable_formats()}.")
