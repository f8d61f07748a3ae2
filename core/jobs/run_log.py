"""The log of a run: output of its processes, appended to one file in the run's folder."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

__all__ = ["LOG_NAME", "shorten", "tail"]

LOG_NAME = "log.txt"
_LIMIT = 64 * 2**20
_KEPT = 2**20


def tail(folder: Path, size: int) -> str:
    """Return the last `size` bytes of the log as text."""
    try:
        with open(folder / LOG_NAME, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - size))
            return file.read(size).decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def shorten(folder: Path, limit: int = _LIMIT, kept: int = _KEPT) -> None:
    """Drop all but the end of a log of more than `limit` bytes, and note that in the log.

    The processes of the run append to the same file: their next line goes to its new end.
    """
    with contextlib.suppress(OSError):  # the run does not depend on its log
        path = folder / LOG_NAME
        size = path.stat().st_size
        if size <= limit:
            return
        with open(path, "r+b") as file:
            file.seek(size - kept)
            end = file.read(kept)
            file.seek(0)
            file.truncate()
            file.write(f"[the first {(size - kept) / 2**20:,.1f} MB of this log were dropped]\n".encode() + end)
