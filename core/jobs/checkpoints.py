"""Copies what a run needs to be continued to the store, so that another machine can continue it.

Only where the storage is one that other machines use, and only what the kind of run names (`TaskSpec.checkpoints`). A
file is stored again when it has changed. The files of a checkpoint are those of one moment as far as the task needs it:
what was written last is copied first, so that a journal never names a file that is not there.
"""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from pathlib import Path

from core.catalog import Run, checkpoints
from core.errors import PlumblineError
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
        changed: dict[str, tuple[str, int]] = {}
        stamps: dict[str, _Stamp] = {}
        for path, stamp in sorted(files.items(), key=lambda item: item[1], reverse=True):
            if self._stored.get(path) == stamp:
                stamps[path] = stamp
                continue
            try:
                changed[path] = get_store().put_file(self._work / path), stamp[1]
            except FileNotFoundError:  # the task removed it meanwhile
                continue
            stamps[path] = stamp
        gone = set(self._stored) - set(files)
        if not changed and not gone:
            return
        index = json.dumps({"attempt": self._run.attempt}).encode()
        changed[_INDEX] = get_store().put_bytes(index), len(index)
        if not self._stored:
            gone |= set(checkpoints.files(self._run.id)) - set(files) - {_INDEX}
        checkpoints.replace(self._run, self._claim, changed, gone)
        self._stored = stamps


def _files(work: Path, patterns: tuple[str, ...]) -> dict[str, _Stamp]:
    """Return the files that a checkpoint has, by path, with when they were changed and their size."""
    files = {}
    for pattern in patterns:
        for path in work.glob(pattern):
            name = path.relative_to(work).as_posix()
            try:
                status = path.lstat()
            except FileNotFoundError:
                continue
            if path.is_symlink() or not path.is_file() or name.endswith((".partial", ".tmp")):
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
        target = folder / "work" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with get_store().open(artifact.digest) as source, atomic_write(target) as partial, open(partial, "wb") as file:
            shutil.copyfileobj(source, file)
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
