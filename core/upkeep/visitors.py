"""Removes the workspaces of visitors with all that belongs to them: rows, logs, working folders, uploads, files."""

from __future__ import annotations

import contextlib
import shutil
import time

from core.catalog import references, visitors
from core.settings import get_settings
from core.storage import get_store
from core.upkeep.collector import grace_began

__all__ = ["remove_due", "remove_workspace"]

_GRACE_S = 60.0
"""Seconds for which another process may have stored a file and not yet added the row that needs it."""


def remove_due(now: float | None = None) -> int:
    """Remove the workspaces of visitors who did not come back in time; return the number of those that are gone.

    One with runs that have not ended is closed, its runs are cancelled by the engine, and a later call removes it.

    Parameters
    ----------
    now : float, optional
        The present (seconds since the epoch); by default that of the system's clock.
    """
    moment = time.time() if now is None else now
    return sum(visitors.close(name, moment) and remove_workspace(name) for name in visitors.due(moment))


def remove_workspace(workspace: str, *, at_once: bool = False) -> bool:
    """Remove all that belongs to a workspace that is closed; return whether it is gone.

    Files that a row of another workspace needs as well stay. A file that was stored so lately that another process may
    be about to add its row is left to the collector.

    Parameters
    ----------
    workspace : str
        The workspace.
    at_once : bool, default=False
        Whether such a young file is removed, too. Another process that stores the same content at this moment would
        then miss it.

    Returns
    -------
    bool
        False when one of its runs has not ended.
    """
    own = visitors.contents(workspace)
    if own.unfinished:
        return False
    settings, store = get_settings(), get_store()
    for folder, names in (
        (settings.runs_dir, own.run_ids),
        (settings.uploads_dir, own.names),
        (settings.previews_dir, own.names),
    ):
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.name in names:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    visitors.remove_rows(workspace)
    before = float("inf") if at_once else grace_began(_GRACE_S)
    for digest in own.digests - references.needed(own.digests):
        with contextlib.suppress(FileNotFoundError):
            (store.cache / digest).unlink()
        if store.set_aside(digest, before) or not store.stored(digest):
            store.delete_aside(digest, before=float("inf"))
    return True
