"""One searcher of a search, as the search sees it: a process that can be ended at any moment, and its own folder."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from core.automl.tuning.processes import Helper
from core.automl.tuning.worker_main import EVENTS, OUT_OF_FOLD, PLAN, append, mend, read_events

__all__ = ["Slot"]

RESTARTS = 3  # of a searcher that dies without having finished a trial in between


class Slot:
    """A place for a searcher: when one is ended or dies, the next goes on from the events.

    Parameters
    ----------
    folder : Path
        Of this searcher alone; what an earlier one left there is taken away.

    Attributes
    ----------
    waiting : list of dict
        Trials that have ended and that nobody has taken yet.
    lost : str or None
        What the process said last, once it has died again and again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        for name in (PLAN, EVENTS):
            (folder / name).unlink(missing_ok=True)
        self.waiting: list[dict[str, Any]] = []
        self.lost: str | None = None
        self._running: dict[str, Any] | None = None
        self._seen = 0
        self._trials = 0
        self._restarts = 0
        self._trials_at_restart = 0
        self._searcher = Helper("core.automl.tuning.worker_main", folder)

    def plan(self, plan: dict[str, Any]) -> None:
        """Tell the searcher what to try."""
        (self.folder / OUT_OF_FOLD).mkdir(exist_ok=True)
        temporary = self.folder / "plan.tmp"
        temporary.write_text(json.dumps(plan))
        temporary.replace(self.folder / PLAN)

    def read(self) -> None:
        """Take in what the searcher did since the last look."""
        events, self._seen = read_events(self.folder, self._seen)
        for event in events:
            self._running = event if event["event"] == "start" else None
            if event["event"] == "trial":
                self._trials += 1
                self.waiting.append(event)

    def take(self) -> tuple[dict[str, Any], Path]:
        """Return the trial that has waited longest, and where its out-of-fold predictions are, if it has any."""
        event = self.waiting.pop(0)
        return event, self.folder / OUT_OF_FOLD / f"{event['trial']}.npy"

    @property
    def ended(self) -> bool:
        """Whether the searcher has done all that it was told to."""
        return self._searcher.ended and not self._searcher.failed

    def tend(self, trial_timeout_s: float | None) -> None:
        """End a trial that is over its limit, and start another searcher when there is none any more."""
        if self._running is not None and trial_timeout_s is not None:
            over = time.time() - self._running["at"] - trial_timeout_s
            if over >= 0:
                self._end("timed_out", f"ended after its limit of {trial_timeout_s:g} s", trial_timeout_s + over)
                return
        if self._searcher.failed:
            self.read()
            self._restarts = 1 if self._trials > self._trials_at_restart else self._restarts + 1
            self._trials_at_restart = self._trials
            if self._restarts > RESTARTS:
                self.lost = self._searcher.last_words()[-200:] or "no message"
            else:
                self._end("failed", "its process ended by itself (out of memory?)", 0.0)

    def _end(self, status: str, message: str, seconds: float) -> None:
        """End the searcher, say what became of its trial, and start the next."""
        self._searcher.kill()
        mend(self.folder)
        self.read()
        if self._running is not None:
            head = {name: self._running[name] for name in ("trial", "learner", "config")}
            record = {"event": "trial", "at": time.time(), "seconds": seconds, "status": status, "message": message}
            append(self.folder / EVENTS, record | head)
        self._searcher = Helper("core.automl.tuning.worker_main", self.folder)

    def close(self) -> None:
        """End the searcher."""
        self._searcher.kill()
