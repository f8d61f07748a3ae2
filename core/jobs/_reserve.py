"""Space set aside beside the catalog, so that a run that filled the disk can still be closed.

SQLite needs a few pages for the smallest change; on a full disk it has them or not by chance.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from core.settings import get_settings

__all__ = ["release", "set_aside"]

_BYTES = 256 * 1024


def _path() -> Path:
    return get_settings().home / "reserve"


def set_aside() -> None:
    """Take the space if it is not taken; on a disk without room this does nothing."""
    path = _path()
    if path.exists():
        return
    with contextlib.suppress(OSError), open(path, "xb") as file:
        try:
            file.write(os.urandom(_BYTES))  # real bytes: a file with holes takes no space
            file.flush()
        except OSError:
            path.unlink(missing_ok=True)
            raise


def release() -> None:
    """Give the space back."""
    _path().unlink(missing_ok=True)
