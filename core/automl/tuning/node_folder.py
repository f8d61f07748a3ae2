"""Files of searches on another node of a cluster: unpacked once for all searchers there, and removed with the last.

A searcher there may be ended at any moment. So what a folder is in use for is a lock that its users hold, which ends
with their processes, and whoever comes to the node, or closes a search, removes the folders that nobody uses.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from core.errors import StorageError

__all__ = ["claim_folder", "remove_unused"]

_LOOK_EVERY_S = 0.1


def _root() -> Path:
    """Return the folder of this user's searches on this node, which no other user can read."""
    root = Path(tempfile.gettempdir()) / f"plumbline-searches-{os.getuid()}"
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
