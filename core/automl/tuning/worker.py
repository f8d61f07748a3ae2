"""A worker of a search, as the search sees it: a process that can be ended at any moment, and its own folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from core.automl.tuning.budget import Budget
from core.automl.tuning.event_file import EVENTS, StartEvent, append_trial, read_events, truncate_partial_line
from core.automl.tuning.processes import HelperProcess
from core.automl.tuning.trials import Status, Trial
from core.automl.tuning.worker_plan import PLAN, WorkerPlan
from core.errors import PlumblineError, SearchError

__all__ = ["OUT_OF_FOLD", "WORKER_MODULE", "SearcherProcess", "WorkerHandle"]

OUT_OF_FOLD = "oof"
"""Folder of the out-of-fold predictions of trials, one file each."""
RESTARTS = 3  # of a worker that dies without having finished a trial in between
WORKER_MODULE = "core.automl.tuning.worker_main"
"""Module of a worker's process on this machine."""


class SearcherProcess(Protocol):
    """What tries configurations for a worker: a process here (`HelperProcess`), or one on another node of a cluster.

    It does what the plan in its worker's folder says, and its events and predictions come into this folder.
    """

    def collect(self) -> None:
        """Bring what it did since the last call into the folder, where it does not write there itself."""
        ...

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        ...

    @property
    def failed(self) -> bool:
        """Whether it has ended by itself with an error."""
        ...

    @property
    def error(self) -> PlumblineError | None:
        """The error that ended it; None when it left none."""
        ...

    @property
    def exit_reason(self) -> str:
        """How it ended, in words that follow "it was"."""
        ...

    @property
    def usual_cause(self) -> str:
        """What usually ends such a process, as a sentence without a period."""
        ...

    def kill(self) -> None:
        """End it and all it started, at once."""
        ...


class WorkerHandle:
    """A worker process; when one is ended or killed, the next continues from its events.

    The process starts at once, to load its libraries, and waits for its plan.

    Parameters
    ----------
    folder : Path
        Folder of this worker alone; what an earlier one left there is removed.
    start_process : callable, optional
        Function that starts a process for the folder, also after one was ended; by default on this machine.
    jobs : int, optional
        Number of cores of the worker; by default its share of those of this machine.

    Attributes
    ----------
    waiting : list of Trial
        Trials that have ended and that the search has not taken yet.
    failure : PlumblineError or None
        Why there is no worker any more.
    """

    def __init__(
        self, folder: Path, start_process: Callable[[Path], SearcherProcess] | None = None, jobs: int | None = None
    ) -> None:
        self.folder = folder
        self.jobs = jobs
        self._start_process = start_process or _start_here
        folder.mkdir(exist_ok=True)
        for name in (PLAN, EVENTS):
            (folder / name).unlink(missing_ok=True)
        self.waiting: list[Trial] = []
        self.failure: PlumblineError | None = None
        self._running: StartEvent | None = None
        self._began_s = 0.0
        self._position = 0
        self._trials = 0
        self._restarts = 0
        self._trials_at_restart = 0
        self._process = self._start_process(folder)

    def start(self, plan: WorkerPlan) -> None:
        """Give the worker its plan."""
        (self.folder / OUT_OF_FOLD).mkdir(exist_ok=True)
        plan.save(self.folder)

    def read(self, budget: Budget) -> None:
        """Take in what the worker did since the last call, at this moment of the budget."""
        self._process.collect()
        events, self._position = read_events(self.folder, self._position)
        for event in events:
            if isinstance(event, Trial):
                self._running = None
                self._trials += 1
                self.waiting.append(replace(event, at=budget.elapsed()))
            else:
                self._running, self._began_s = event, budget.elapsed()

    def take(self) -> tuple[Trial, Path]:
        """Return the trial that has waited longest, and where its out-of-fold predictions are, if it has any."""
        trial = self.waiting.pop(0)
        return trial, self.folder / OUT_OF_FOLD / f"{trial.number}.npy"

    @property
    def ended(self) -> bool:
        """Whether the worker has done all of its plan."""
        return self._process.ended and not self._process.failed

    def supervise(self, trial_timeout_s: float | None, budget: Budget) -> None:
        """End a trial that is over its limit, and start another worker when this one was killed."""
        if self._running is not None and trial_timeout_s is not None:
            seconds = budget.elapsed() - self._began_s
            if seconds >= trial_timeout_s:
                self._restart("timed_out", f"ended after its limit of {trial_timeout_s:g} s", seconds, budget)
                return
        if not self._process.failed or self.failure is not None:
            return
        self.read(budget)
        self.failure = self._process.error
        if self.failure is not None:
            return
        self._restarts = 1 if self._trials > self._trials_at_restart else self._restarts + 1
        self._trials_at_restart = self._trials
        reason, cause = self._process.exit_reason, self._process.usual_cause
        if self._restarts > RESTARTS:
            self.failure = SearchError(
                f"The search's process was {reason}, {self._restarts} times in a row; {cause}.",
                "Use fewer rows or columns, or fewer parallel trials.",
            )
        else:
            self._restart("failed", f"its process was {reason}; {cause}", 0.0, budget)

    def _restart(self, status: Status, message: str, seconds: float, budget: Budget) -> None:
        """End the process, record what became of its trial, and start the next."""
        late = self._running
        self._process.kill()
        truncate_partial_line(self.folder)
        self.read(budget)
        # A trial over its limit may have ended in the meantime; the one that has begun then is proposed again.
        if self._running is not None and (status == "failed" or self._running == late):
            trial = Trial(self._running["trial"], self._running["learner"], self._running["config"], status)
            append_trial(self.folder / EVENTS, replace(trial, seconds=seconds, message=message))
        self._running = None
        self._process = self._start_process(self.folder)

    def close(self) -> None:
        """End the worker."""
        self._process.kill()


def _start_here(folder: Path) -> SearcherProcess:
    return HelperProcess(WORKER_MODULE, folder)
