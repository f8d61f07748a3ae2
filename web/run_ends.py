"""Writes one record of each run that ends, where the log has lines of JSON; each server of an installation does."""

from __future__ import annotations

import logging
import time
from dataclasses import asdict

import anyio

from core.catalog.figures import EndedRun, ended_since
from core.errors import PlumblineError

__all__ = ["RunEnds", "watch_ends"]

_EVERY_S = 5.0
_OVERLAP_S = 120.0  # other hosts' clocks differ, and a transaction takes its time
_log = logging.getLogger("plumbline.web")


class RunEnds:
    """Remembers which ends it has seen.

    Parameters
    ----------
    since : float
        Time (seconds since the epoch) before which no end counts.
    """

    def __init__(self, since: float) -> None:
        self._since = since
        self._seen: dict[tuple[str, int], float] = {}

    def news(self) -> list[EndedRun]:
        """Return the runs that ended since the last call."""
        start = max(self._since, time.time() - _OVERLAP_S)
        fresh = [run for run in ended_since(start) if (run.id, run.attempt) not in self._seen]
        self._seen = {key: at for key, at in self._seen.items() if at >= start - _OVERLAP_S}
        self._seen.update({(run.id, run.attempt): run.finished_at for run in fresh})
        return fresh


async def watch_ends() -> None:
    """Log the ends of runs until this is cancelled."""
    ends = RunEnds(time.time())
    while True:
        await anyio.sleep(_EVERY_S)
        try:
            for run in await anyio.to_thread.run_sync(ends.news):
                _log.info("run ended", extra={"fields": {"event": "run ended", **asdict(run)}})
        except PlumblineError as error:
            _log.error("ends of runs could not be read; trying again: %s", error)
