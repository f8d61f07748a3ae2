"""A search under way: the board of its trials, the workers that make them, and why it is over."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.automl._settings import AutoMLSettings
from core.automl.ensemble.candidates import out_of_fold_file, worth_keeping
from core.automl.ensemble.fold_models import fold_models_file
from core.automl.tuning.baseline_event import baseline_event
from core.automl.tuning.budget import Budget
from core.automl.tuning.event_file import EVENTS, append_trial, read_trials, truncate_partial_line
from core.automl.tuning.offered_learners import offer_learners
from core.automl.tuning.stopping import StopReason, all_done, enough_trials
from core.automl.tuning.trial_event import trial_event
from core.automl.tuning.trials import Trial, Trials
from core.automl.tuning.warm_start import WarmStart
from core.automl.tuning.worker import OUT_OF_FOLD, WorkerHandle
from core.automl.tuning.worker_plan import FAVORITE, Configs, search_key, worker_plan
from core.datasets import Finding
from core.progress import Report

if TYPE_CHECKING:
    from core.automl.data.prepare import Prepared

__all__ = ["RunningSearch"]


class RunningSearch:
    """A search that is running: the board of its trials, and the workers that make them.

    Trials that an interrupted search left in the folder are kept, if it was the same search.

    Parameters
    ----------
    folder : Path
        Folder for trials and scratch files.
    settings : AutoMLSettings
        Settings of the search.
    workers : sequence of WorkerHandle
        Worker processes that wait for their plans.
    prepared : Prepared
        Target, features and splits.
    budget : Budget
        Clock of the search.
    report : callable
        Takes an `Event` for each trial.
    configs : sequence of (learner, configuration), optional
        Try exactly these instead of searching.
    warm_start : WarmStart, optional
        Trials of an earlier search.
    """

    def __init__(
        self,
        folder: Path,
        settings: AutoMLSettings,
        workers: Sequence[WorkerHandle],
        prepared: Prepared,
        budget: Budget,
        report: Report,
        *,
        configs: Configs | None = None,
        warm_start: WarmStart | None = None,
    ) -> None:
        self.folder = folder
        offered = (settings, []) if configs is not None else offer_learners(settings, prepared.data)
        self.settings, self.findings = offered
        self.workers = workers
        self.budget = budget
        self.board = Trials(prepared.metric)
        self.stopped = False
        self.resumed = False  # whether it was interrupted in this folder
        self._report = report
        self._baselines: set[str] = set()  # those that were reported
        self._data = prepared.data
        self._limit = settings.max_trials if configs is None else len(configs)
        earlier = WarmStart() if warm_start is None else warm_start
        self._earlier = len(earlier.trials)  # trials of a search that was over, whose end must not be this one's
        self._restore(search_key(self.settings, prepared, configs), earlier)
        for index, worker in enumerate(workers):
            plan = worker_plan(
                index,
                self.settings,
                folder,
                prepared.metric,
                list(self.board),
                configs,
                budget.left(),
                searchers=len(workers),
                jobs=worker.jobs,
            )
            worker.start(plan)

    def _restore(self, key: str, earlier: WarmStart) -> None:
        """Take over the trials in the folder, or those of the earlier search."""
        mark = self.folder / "search.key"
        self.resumed = mark.exists() and mark.read_text() == key
        if not self.resumed:
            (self.folder / EVENTS).unlink(missing_ok=True)
            (self.folder / FAVORITE).unlink(missing_ok=True)
            shutil.rmtree(self.folder / OUT_OF_FOLD, ignore_errors=True)
            for fitted in self.folder.glob("fit*"):
                fitted.unlink()
        (self.folder / OUT_OF_FOLD).mkdir(exist_ok=True)
        if not (self.folder / EVENTS).exists():
            for trial in earlier.trials:
                append_trial(self.folder / EVENTS, replace(trial, at=0.0))
            for number, predicted in earlier.predictions.items():
                np.save(self.folder / OUT_OF_FOLD / f"{number}.npy", predicted)
        mark.write_text(key)
        self._data.save(self.folder)
        truncate_partial_line(self.folder)
        for trial in read_trials(self.folder):
            self._report_trial(self.board.add(trial))

    def read(self) -> None:
        """Take in the trials that have ended since the last call, and report them."""
        for worker in self.workers:
            worker.read(self.budget)
        # What is done until the workers are ended depends on the moment, and must not count.
        while self._enough() is None and (worker_in_turn := self._next_worker()) is not None:
            own, predicted = worker_in_turn.take()
            trial = self.board.add(own)
            kept = out_of_fold_file(self.folder, trial)
            for source, target in ((predicted, kept), (fold_models_file(predicted), fold_models_file(kept))):
                if source.exists():
                    source.replace(target)
            append_trial(self.folder / EVENTS, trial)
            self._report_trial(trial)
        keep = worth_keeping(sorted(self.board, key=self.board.rank), self._data)
        for trial in list(self.board)[-50:]:
            if trial.number not in keep:
                file = out_of_fold_file(self.folder, trial)
                for unneeded in (file, fold_models_file(file)):
                    unneeded.unlink(missing_ok=True)

    def _next_worker(self) -> WorkerHandle | None:
        """Return the worker whose trial is listed next: in turns, or as they end where time decides anyway."""
        in_turn = [self.workers[len(self.board) % len(self.workers)]]
        timed = self.settings.time_budget_s is not None
        waiting = [worker for worker in (self.workers if timed else in_turn) if worker.waiting]
        return min(waiting, key=lambda worker: worker.waiting[0].at or 0.0, default=None)

    def _report_trial(self, trial: Trial) -> None:
        fraction = self.budget.fraction
        if fraction is None and self._limit is not None:
            fraction = len(self.board) / self._limit
        now = self.budget.elapsed()
        elapsed = now if trial.at is None else min(trial.at, now)
        best = self.board.best
        self._report(trial_event(trial, best, self.board.metric, fraction=fraction, elapsed_s=elapsed))

    def report_baseline(self, trial: Trial | None) -> None:
        """Report guessing, or the linear model, once it is there."""
        if trial is None or trial.learner in self._baselines:
            return
        self._baselines.add(trial.learner)
        elapsed = self.budget.elapsed()
        self._report(baseline_event(trial, self.board.metric, fraction=self.budget.fraction, elapsed_s=elapsed))

    def reason_to_end(
        self, should_stop: Callable[[], bool], reserve: Callable[[], float], *, has_model: bool
    ) -> StopReason | None:
        """Return why the search is over; None while it is not. A search without a model continues beyond its budget.

        Parameters
        ----------
        should_stop : callable
            Returns True once the user wants the search to end.
        reserve : callable
            Returns the seconds to keep for the final fit and the test.
        has_model : bool
            Whether there is a model: of a trial, or the linear one.

        Raises
        ------
        PlumblineError
            When a worker failed before the first model.
        """
        if should_stop():
            self.stopped = True
            return StopReason("stopped", "You stopped it; the best model so far was kept.")
        failure = next((worker.failure for worker in self.workers if worker.failure is not None), None)
        if failure is not None:
            if self.board.best is None:
                raise failure
            self.findings.append(
                Finding("worker", "alert", None, f"The search ended early. {failure.message}", failure.hint)
            )
            return StopReason("lost", f"The search ended early: {failure.message} The best model so far was kept.")
        if (has_model or self.budget.grace_left() <= 0) and self.budget.left() < reserve():
            return self._budget_used()
        ended = all(worker.ended for worker in self.workers)
        if ended:
            self.read()
        if (enough := self._enough()) is not None:
            return enough
        return all_done(len(self.board)) if ended else None

    def _budget_used(self) -> StopReason:
        seconds = self.budget.seconds or 0.0
        budget = f"The time budget of {seconds:,.{0 if seconds >= 10 else 1}f} s was used up"
        if self.budget.left() >= 0:
            return StopReason("budget", f"{budget}.")
        elapsed = f"{self.budget.elapsed():,.0f} s after its start"
        self.findings.append(
            Finding(
                "late",
                "alert",
                None,
                f"{budget} before there was any model. The search waited for the first one, until {elapsed}.",
                "Give it more time, run less beside it, or use fewer rows or columns.",
                {"seconds": self.budget.elapsed()},
            )
        )
        return StopReason("budget", f"{budget} before there was any model; the first one was waited for.")

    def _enough(self) -> StopReason | None:
        return enough_trials(self.board, self.settings, limit=self._limit, earlier=self._earlier)

    def close(self) -> None:
        """End the workers."""
        for worker in self.workers:
            worker.close()
