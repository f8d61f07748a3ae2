"""Copies what a run needs to be continued to the store, so that another machine can continue it.

Only where the storage is one that other machines use, and only what the kind of run names (`TaskSpec.checkpoints`). A
file is stored again when it has changed. The files of a checkpoint are those of one moment as far as the task needs it:
what was written last is copied first, so that a journal never names a file that is not there.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from core.catalog import Run, checkpoints, references
from core.errors import PlumblineError, StorageError
from core.files import atomic_write
from core.jobs.task_specs import task_spec
from core.settings import get_settings
from core.storage import get_store

__all__ = ["CheckpointKeeper", "mark_attempt", "restore"]

_EVERY_S = 10.0
_SHARE = 0.2
"""Part of the time that storing may take: between two, at least four times as long passes."""
_INDEX = ".attempt"
_STAMP = "attempt"
_COPY = "checkpoint.partial"
_JOURNAL = ".jsonl"
_CHUNK = 1 << 20
_MOST_NAME_CHARS = 180
_Stamp = tuple[int, int]
_log = logging.getLogger(__name__)


class CheckpointKeeper:
    """Stores the checkpoint of a run every ten seconds, in a thread.

    Parameters
    ----------
    run : Run
        The run, as it was when this attempt began.
    folder : Path
        Folder of the run.
    claim : str
        Token of the claim that this process acts for.
    """

    def __init__(self, run: Run, folder: Path, claim: str) -> None:
        self._run = run
        self._folder = folder
        self._work = folder / "work"
        self._claim = claim
        self._patterns = task_spec(run.task).checkpoints if get_settings().storage is not None else ()
        self._stored: dict[str, _Stamp] = {}
        self._thread: threading.Thread | None = None
        self._next = time.monotonic() + _EVERY_S

    def look(self) -> None:
        """Begin to store what has changed if it is time."""
        if self._patterns and time.monotonic() >= self._next and (self._thread is None or not self._thread.is_alive()):
            self._next = float("inf")
            self._thread = threading.Thread(target=self._store, daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Store what the run left, once no process of it works any more."""
        if not self._patterns:
            return
        if self._thread is not None:
            self._thread.join()
        self._store()

    def _store(self) -> None:
        began = time.monotonic()
        try:
            self._save()
        except PlumblineError as error:  # a store or catalog that is away comes back
            _log.warning("the checkpoint could not be stored: %s", error)
        except OSError as error:
            _log.warning("the checkpoint could not be read: %s", error)
        took = time.monotonic() - began
        self._next = time.monotonic() + max(_EVERY_S, took * (1 / _SHARE - 1))

    def _save(self) -> None:
        files = _files(self._work, self._patterns)
        stored: dict[str, _Stamp] = {}
        changed: dict[str, tuple[str, int]] = {}
        for path, stamp in sorted(files.items(), key=lambda item: item[1], reverse=True):
            if self._stored.get(path) == stamp:
                stored[path] = stamp
            elif (content := self._put(path, stamp)) is not None:
                stored[path], changed[path] = stamp, content
        earlier = checkpoints.files(self._run.id)
        gone = set(earlier) - set(stored) - {_INDEX}
        if not changed and not gone:
            return
        index = json.dumps({"attempt": self._run.attempt}).encode()
        changed[_INDEX] = get_store().put_bytes(index), len(index)
        checkpoints.replace(self._run, self._claim, changed, gone)
        self._stored = stored
        replaced = {earlier[path].digest for path in {*gone, *changed} & set(earlier)}
        _set_aside(replaced - {digest for digest, _ in changed.values()})

    def _put(self, path: str, stamp: _Stamp) -> tuple[str, int] | None:
        """Store a file as it is now and return its digest and size; None for one that is not there any more.

        It is copied first, so that what is hashed and what is stored are the same, whatever the task does meanwhile. Of
        a journal, the lines are copied that it had when the files were listed that it may name.
        """
        copy = self._folder / _COPY
        try:
            with _opened(self._work, path) as source, open(copy, "wb") as target:
                size = os.fstat(source.fileno()).st_size
                _copy(source, target, min(size, stamp[1]) if path.endswith(_JOURNAL) else size)
            return get_store().put_file(copy), copy.stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            return None  # a link: the task may have put one there, and it leads who knows where
        finally:
            copy.unlink(missing_ok=True)


def _set_aside(digests: set[str]) -> None:
    """Let the store collect contents that checkpoints have replaced, unless other rows name them."""
    for digest in digests - references.needed(sorted(digests)):
        get_store().set_aside(digest, time.time())


def _copy(source: BinaryIO, target: BinaryIO, size: int) -> None:
    while size > 0 and (part := source.read(min(size, _CHUNK))):
        target.write(part)
        size -= len(part)


@contextmanager
def _opened(work: Path, path: str) -> Iterator[BinaryIO]:
    """Open a regular file below a folder without following links: a sandboxed task could lead us out of its folder."""
    folders, name = path.split("/")[:-1], path.split("/")[-1]
    here = os.open(work, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        for folder in folders:
            inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = inner
        number = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
        with open(number, "rb") as file:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise FileNotFoundError(path)
            yield file
    finally:
        os.close(here)


def _files(work: Path, patterns: tuple[str, ...]) -> dict[str, _Stamp]:
    """Return the files that a checkpoint has, by path, with when they were changed and their size."""
    files = {}
    for pattern in patterns:
        for path in work.glob(pattern):
            name = path.relative_to(work).as_posix()
            try:
                status = path.lstat()
            except (FileNotFoundError, NotADirectoryError):
                continue
            if not stat.S_ISREG(status.st_mode) or name.endswith((".partial", ".tmp")):
                continue
            if len(name) > _MOST_NAME_CHARS:
                _log.warning("%s is not part of the checkpoint: its path is too long", name)
                continue
            files[name] = status.st_mtime_ns, status.st_size
    return files


def restore(run: Run, folder: Path) -> int | None:
    """Put the stored checkpoint of a run into its folder where that has none, or an older one.

    Parameters
    ----------
    run : Run
        The run, at the beginning of an attempt.
    folder : Path
        Folder of the run on this machine.

    Returns
    -------
    int or None
        Number of files that were put there; None when the folder has what is needed, or nothing was stored.

    Raises
    ------
    StorageError
        When a file cannot be fetched.
    """
    stored = checkpoints.files(run.id) if get_settings().storage is not None else {}
    index = stored.pop(_INDEX, None)
    if index is None:
        return None
    attempt = json.loads(get_store().read_bytes(index.digest))["attempt"]
    if attempt <= _last_attempt(folder):
        return None
    shutil.rmtree(folder / "work", ignore_errors=True)
    for path, artifact in stored.items():
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise StorageError(
                f"The checkpoint names the file '{path[:80]}', which is outside of it.", "Repeat the run."
            )
        target = folder / "work" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(target) as partial:
            shutil.copyfile(get_store().local_path(artifact.digest), partial)
    return len(stored)


def _last_attempt(folder: Path) -> int:
    """Return the last attempt that worked in a folder; 0 for none."""
    try:
        return int((folder / _STAMP).read_text(encoding="utf-8")) if (folder / "work").exists() else 0
    except (FileNotFoundError, ValueError):
        return 0


def mark_attempt(run: Run, folder: Path) -> None:
    """Note that an attempt works in a folder, where another attempt may work elsewhere."""
    if get_settings().storage is None:
        return
    (folder / _STAMP).write_text(str(run.attempt), encoding="utf-8")
