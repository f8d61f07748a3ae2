"""Reserved disk space next to the catalog, so that a run that filled the disk can still be closed.

SQLite needs a few pages for the smallest change; on a full disk they may be missing.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from core.settings import get_settings

__all__ = ["release", "reserve"]

_BYTES = 256 * 1024


def _path() -> Path:
    return get_settings().home / "reserve"


def reserve() -> None:
    """Reserve the space, unless it is reserved already or the disk is full."""
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
    """Release the space."""
    _path().unlink(missing_ok=True)
