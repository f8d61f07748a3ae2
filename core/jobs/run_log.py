"""The log of a run: output of its processes, appended to one file in the run's folder.

Where the storage is one that other hosts may use, the end of the log is in the catalog while the run works, and in the
store when it has ended, for those that do not have the folder.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from core.access import Access
from core.catalog import Run, RunArtifact, artifacts, run_logs
from core.errors import JobError, NotFoundError
from core.settings import get_settings
from core.storage import get_store

__all__ = ["LOG_NAME", "LiveLog", "shorten", "store_tail", "stored_tail", "tail"]

_ARTIFACT = ".log"  # hidden: it is not among the files that the run made
_STORED_BYTES = 256_000
LOG_NAME = "log.txt"
_LIVE_BYTES = 16_000
_LIVE_EVERY_S = 2.0
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


def store_tail(run: Run, folder: Path) -> None:
    """Store the end of a run's log, where the storage is one that other hosts may use."""
    if get_settings().storage is None:
        return
    content = tail(folder, _STORED_BYTES).encode()
    digest = get_store().put_bytes(content)
    artifact = RunArtifact(
        workspace=run.workspace, run_id=run.id, name=_ARTIFACT, digest=digest, size_bytes=len(content)
    )
    artifacts.add(artifact, access=Access.engine(run.workspace))
    run_logs.remove(run.id)


class LiveLog:
    """Lets others read the end of a run's log while it works, where the storage is one that other hosts use.

    Parameters
    ----------
    run : Run
        The run.
    folder : Path
        Folder of the run.
    claim : str
        Token of the claim that this process acts for.
    """

    def __init__(self, run: Run, folder: Path, claim: str) -> None:
        self._run, self._folder, self._claim = run, folder, claim
        self._shared = get_settings().storage is not None
        self._next = 0.0
        self._last = ""

    def look(self) -> None:
        """Write the end of the log to the catalog, if it is time and it has changed."""
        if not self._shared or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _LIVE_EVERY_S
        text = tail(self._folder, _LIVE_BYTES)
        if text != self._last:
            with contextlib.suppress(JobError):  # another attempt works: the monitor learns that by itself
                run_logs.write(self._run, self._claim, text)
            self._last = text


def stored_tail(run_id: str, size: int, *, access: Access) -> str:
    """Return the last `size` bytes of what was stored of a log, as text: of one that works, what there was lately."""
    live = run_logs.read(run_id, access=access)
    if live:
        return live[-size:]
    try:
        artifact = artifacts.get(run_id, _ARTIFACT, access=access)
    except NotFoundError:
        return ""
    return get_store().read_bytes(artifact.digest)[-size:].decode("utf-8", errors="replace")


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
