"""Contents of a remote store that were fetched to this machine: a limit, and an end with the stored ones."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from core.catalog import references
from core.settings import get_settings
from core.storage import get_store
from core.upkeep.collector import grace_began

__all__ = ["trim_cache"]

_HOUR_S = 3_600.0


def trim_cache(prefix: str = "") -> None:
    """Remove fetched contents that no row needs, and those that were not asked for the longest if there are too many.

    What a run that works may have asked for stays, and so does what was asked for within the last hour.

    Parameters
    ----------
    prefix : str, default=""
        Beginning of the digests of which it is asked whether a row needs them.
    """
    folder = get_store().cache
    unused = {path.name: path for path, _, used_at in _files(folder, prefix) if used_at < grace_began()}
    for digest in set(unused) - references.needed(unused):
        unused[digest].unlink(missing_ok=True)
    files = sorted(_files(folder, ""), key=lambda file: file[2])
    excess = sum(size for _, size, _ in files) - get_settings().cache_mb * 2**20
    before = min(grace_began(0), time.time() - _HOUR_S)
    for path, size, used_at in files:
        if excess <= 0 or used_at >= before:
            return
        path.unlink(missing_ok=True)
        excess -= size


def _files(folder: Path, prefix: str) -> Iterator[tuple[Path, int, float]]:
    """Yield each file of a folder with this prefix, its size, and when it was asked for last."""
    for path in folder.glob(f"{prefix}*"):
        try:
            status = path.stat()
        except FileNotFoundError:  # another process removed it in this moment
            continue
        yield path, status.st_size, status.st_mtime
