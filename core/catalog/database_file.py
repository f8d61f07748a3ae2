"""The file of a catalog that is kept in SQLite: private, and the same one as long as a process uses it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, event

from core.errors import StorageError

__all__ = ["check_unchanged", "expect_existing", "guard", "make"]

_must_exist = False
_checks: dict[Engine, Callable[..., None]] = {}


def expect_existing() -> None:
    """Never make a new file in this process: it works for another one, whose catalog it uses."""
    global _must_exist
    _must_exist = True


def make(path: Path) -> None:
    """Make the folder and the file of a new catalog, which no other user of the machine can read.

    Raises
    ------
    StorageError
        When one cannot be made, or when there has to be a file and there is none.
    """
    if path.exists():
        return
    if _must_exist:
        raise StorageError(
            f"The catalog {path} is gone: it was deleted or moved after this run was started.",
            "Put the file back, then repeat the run.",
        )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The data folder {path.parent} cannot be created: {error.strerror}.",
            "Set PLUMBLINE_HOME to a folder that you can write to.",
        ) from error
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StorageError(
            f"The catalog {path} cannot be created: {error.strerror}.",
            "Free some space, or set PLUMBLINE_HOME to a folder that you can write to.",
        ) from error


def guard(engine: Engine, path: Path) -> None:
    """Refuse every use of an engine whose file is no longer at its path.

    The engine would keep using the deleted file, and the processes of runs another one: neither would see what the
    other stores.
    """
    opened = _identity(path)

    def check(*_: object) -> None:
        now = _identity(path)
        if now != opened:
            what = "deleted or moved" if now is None else "replaced by another file"
            raise StorageError(
                f"The catalog {path} was {what} while Plumbline was using it, so nothing can be stored.",
                "Put the file back as it was, or stop Plumbline and start it again to use what is there now.",
            )

    # A connection that was thrown away is opened anew, which would make a new file and remove the log of the old one.
    event.listen(engine, "do_connect", check)
    event.listen(engine, "checkout", check)
    _checks[engine] = check


def check_unchanged(engine: Engine) -> None:
    """Raise StorageError where the file of an engine is no longer at its path."""
    if engine in _checks:
        _checks[engine]()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
