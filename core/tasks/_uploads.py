"""Uploaded files: copied out of the request, and read by the run that was queued for them."""

from __future__ import annotations

import gzip
import secrets
import shutil
from pathlib import Path
from typing import IO

from core.errors import LimitError
from core.settings import get_settings
from core.storage import get_store

__all__ = ["keep_original", "keep_upload", "restore_original", "upload_path"]

_PACKED = (b"\x1f\x8b", b"PK", b"PAR1", b"ARROW1")


def upload_path(name: str) -> Path:
    """Return the path of an upload."""
    return get_settings().home.absolute() / "uploads" / Path(name).name


def keep_upload(file: IO[bytes], filename: str, limit_mb: int, hint: str) -> str:
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

    Raises
    ------
    LimitError
        When it is larger than the limit; nothing is kept of it.
    """
    path = upload_path(secrets.token_hex(16))
    path.parent.mkdir(parents=True, exist_ok=True)
    copied = 0
    try:
        with open(path, "wb") as target:
            while chunk := file.read(1 << 20):
                copied += len(chunk)
                if copied > limit_mb * 2**20:
                    raise LimitError(
                        f"'{filename}' is larger than {limit_mb:,} MB, the limit of this installation.", hint
                    )
                target.write(chunk)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path.name


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
    with get_store().open(digest) as stored, gzip.open(stored) as source, open(path, "wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
