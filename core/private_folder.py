"""The data folder: made, closed to other users of the machine, and checked for space and rights."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path

from core.errors import StorageError

__all__ = ["PRIVATE_UMASK", "check_writable", "make_private"]

PRIVATE_UMASK = 0o077
"""Mask of a process whose new files and folders only its own user can use."""
_PROBE_BYTES = 65_536
_OPEN = 0o077


def make_private(home: Path) -> bool:
    """Make the data folder, or close one that other users can look into.

    What is in it is closed with it. A folder that belongs to another user, the user's own home, and one that is shared
    on purpose (with a sticky bit, such as ``/tmp``) stay as they are.

    Returns
    -------
    bool
        Whether an existing folder was closed.

    Raises
    ------
    StorageError
        When it cannot be made.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = home.stat()
        shared = status.st_mode & stat.S_ISVTX or home == Path(home.anchor) or home == Path.home()
        if not status.st_mode & _OPEN or status.st_uid != os.geteuid() or shared:
            return False
        home.chmod(stat.S_IMODE(status.st_mode) & ~_OPEN)
    except OSError as error:
        reason = "a file is in its place" if isinstance(error, FileExistsError) else error.strerror
        raise StorageError(
            f"The data folder {home} cannot be created: {reason}.",
            "Set PLUMBLINE_HOME to a folder that you can write to.",
        ) from error
    return True


def check_writable(home: Path) -> None:
    """Raise StorageError where nothing can be written to the data folder."""
    probe = home / f".probe-{secrets.token_hex(4)}"
    try:
        try:
            probe.write_bytes(os.urandom(_PROBE_BYTES))
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageError(
                f"The disk with the data folder {home} is full.",
                "Free some space or move PLUMBLINE_HOME, then start Plumbline again.",
            ) from error
        raise StorageError(
            f"The data folder {home} cannot be written: {error.strerror}.",
            "Make it writable, or set PLUMBLINE_HOME to a folder that you can write to.",
        ) from error
