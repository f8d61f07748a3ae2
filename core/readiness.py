"""Whether an installation can work now: database, storage and queue, for whoever sends requests to a server."""

from __future__ import annotations

import logging
from collections.abc import Callable

from core.catalog.figures import run_figures
from core.errors import PlumblineError, StorageError
from core.installation import check
from core.jobs import keeps_time
from core.settings import get_settings
from core.storage import get_store

__all__ = ["CHECKS", "failures"]

_log = logging.getLogger("plumbline")


def _storage() -> None:
    if get_store().mark() is None:
        raise StorageError("The storage has no mark of a catalog.", "Start the server anew.")


def _queue() -> None:
    if get_settings().tick_every_s and not keeps_time():
        raise StorageError("Nothing looks after the queue.", "Start the server anew.")


CHECKS: dict[str, Callable[[], object]] = {
    "installation": check,
    "database": run_figures,
    "storage": _storage,
    "queue": _queue,
}
"""Function by name of a check; it raises PlumblineError where something does not work."""


def failures() -> list[str]:
    """Return the names of the checks that fail; the reasons, which may name hosts and paths, are logged."""
    failed = []
    for name, function in CHECKS.items():
        try:
            function()
        except PlumblineError as error:
            _log.error("not ready: %s: %s", name, error)
            failed.append(name)
    return failed
