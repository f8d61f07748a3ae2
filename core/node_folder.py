"""Files of a run on other nodes of a cluster: unpacked once for all its processes there, and removed with the last.

A process there may be ended at any moment. So the use of a folder is a lock that its users hold, which ends with them,
and who comes to the node later, or closes the work, removes the folders that nobody uses.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.errors import StorageError

__all__ = ["FileContents", "claim_folder", "content_digest", "read_files", "remove_unused", "write_files"]

FileContents: TypeAlias = Mapping[str, NDArray[np.uint8]]
"""Bytes of files by their paths within a folder."""

_LOOK_EVERY_S = 0.1


def _root() -> Path:
    """Return the folder of this user's runs on this node, which no other user can read."""
    root = Path(tempfile.gettempdir()) / f"plumbline-nodes-{os.getuid()}"
    root.mkdir(mode=0o700, exist_ok=True)
    status = root.stat(follow_symlinks=False)
    if status.st_uid != os.getuid() or root.is_symlink():
        raise StorageError(
            f"The folder '{root}' belongs to another user.", "Remove it, or set TMPDIR to a folder of this user."
        )
    root.chmod(0o700)
    return root


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Let nobody else make or remove folders meanwhile."""
    with open(root / "folders", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def claim_folder(name: str, fill: Callable[[Path], None]) -> Path:
    """Return a folder that stays as long as this process does; folders that nobody uses any more are removed.

    Parameters
    ----------
    name : str
        Name of the folder, which says what is in it.
    fill : callable
        Function that writes its content, where no process has done it before.

    See Also
    --------
    remove_unused : Remove the folder once nobody uses it.
    """
    root = _root()
    with _alone(root):
        lock = os.open(root / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_SH)  # until this process ends: nobody closes it
        _remove_unlocked(root)
        folder = root / name
        if not folder.is_dir():
            part = root / f"{name}.part"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(mode=0o700)
            fill(part)
            part.replace(folder)
    return folder


def remove_unused(name: str, wait_s: float) -> None:
    """Remove the folders that nobody uses, and wait a moment for the users of one of them to end.

    Parameters
    ----------
    name : str
        Name of the folder.
    wait_s : float
        Seconds to wait.
    """
    root = _root()
    until = time.monotonic() + wait_s
    while True:
        with _alone(root):
            _remove_unlocked(root)
        if not (root / name).exists() or time.monotonic() >= until:
            return
        time.sleep(_LOOK_EVERY_S)


def _remove_unlocked(root: Path) -> None:
    for file in root.glob("*.lock"):
        with open(file, "r+", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            for folder in (file.with_suffix(""), file.with_suffix(".part")):
                shutil.rmtree(folder, ignore_errors=True)
            file.unlink()


def read_files(folder: Path, names: Iterable[str]) -> dict[str, NDArray[np.uint8]]:
    """Return the content of files of a folder; that of large ones is read when it is used."""
    files = ((name, folder / name) for name in names)
    return {
        name: np.asarray(np.memmap(file, np.uint8, "r")) if file.stat().st_size else np.empty(0, np.uint8)
        for name, file in files
    }


def write_files(contents: FileContents, folder: Path) -> None:
    """Write files into a folder."""
    for name, content in contents.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        content.tofile(file)


def content_digest(contents: FileContents) -> str:
    """Return a hash of names and contents.

    Examples
    --------
    >>> contents = {"a.txt": np.frombuffer(b"one", np.uint8)}
    >>> content_digest(contents) == content_digest(dict(contents)), len(content_digest(contents))
    (True, 32)
    """
    digest = hashlib.sha256()
    for name, content in sorted(contents.items()):
        digest.update(f"{name} {content.size}\n".encode())
        digest.update(content.data)
    return digest.hexdigest()[:32]
