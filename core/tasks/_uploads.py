"""Uploaded files: copied out of the request, and read by the run that was queued for them."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import IO

from core.errors import LimitError
from core.settings import get_settings

__all__ = ["keep_upload", "upload_path"]


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
