"""The search itself: worker processes under a clock, and what is done when it ends."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.automl._settings import AutoMLSettings
from core.automl.ensemble.candidates import out_of_fold_file, worth_keeping
from core.automl.ensemble.fold_models import fold_models_file
from core.automl.refit.refit_worker import RefitWorker
from core.automl.refit.refits import Refits
from core.automl.refit.refitter import Refitter
from core.automl.results.baselines import prior_trial
from core.automl.results.conclude import Outcome, conclude
from core.automl.results.curve_run import CurveRun
from core.automl.tuning.baseline_event import baseline_event
from core.automl.tuning.budget import Budget
from core.automl.tuning.event_file import EVENTS, append_trial, read_trials, truncate_partial_line
from core.automl.tuning.offered_learners import offer_learners
from core.automl.tuning.stopping import StopReason, all_done, enough_trials
from core.automl.tuning.trial_event import trial_event
from core.automl.tuning.trials import Trial, Trials
from core.automl.tuning.warm_start import WarmStart, load_warm_start
from core.automl.tuning.worker import OUT_OF_FOLD, WorkerHandle
from core.automl.tuning.worker_plan import Configs, search_key, worker_plan
from core.datasets import Finding
from core.progress import Event, Report, silent

if TYPE_CHECKING:
    import pandas as pd

    from core.automl.data.prepare import Prepared
    from core.automl.results.result import AutoMLResult

__all__ = ["Search", "search"]

POLL_S = 0.05


class Search:
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
            plan = worker_plan(index, self.settings, folder, prepared.metric, list(self.board), configs, budget.left())
            worker.start(plan)

    def _restore(self, key: str, earlier: WarmStart) -> None:
        """Take over the trials in the folder, or those of the earlier search."""
        mark = self.folder / "search.key"
        self.resumed = mark.exists() and mark.read_text() == key
        if not self.resumed:
            (self.folder / EVENTS).unlink(missing_ok=True)
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
            When a worker failed and there is no model.
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


def search(
    frame: pd.DataFrame,
    settings: AutoMLSettings,
    *,
    report: Report | None = None,
    workdir: str | Path | None = None,
    should_stop: Callable[[], bool] | None = None,
    clock: Callable[[], float] | None = None,
    configs: Sequence[Sequence[Any]] | None = None,
    only_configs: bool = False,
    earlier: str | Path | None = None,
) -> AutoMLResult:
    """Search for the best model of a table within the settings' limits.

    Parameters
    ----------
    frame : pandas.DataFrame
        The raw table, the target among its columns.
    settings : AutoMLSettings
        Target, limits and everything else that decides on the search.
    report : callable, optional
        Takes an `Event` for each trial and each stage.
    workdir : path, optional
        Folder for trials and scratch files; a search that was interrupted there continues from its trials.
    should_stop : callable, optional
        Called about twenty times per second; once it returns True the search ends and the best model so far is kept.
    clock : callable, optional
        Clock of the budget: it returns the seconds that are used up. By default they begin with this call.
    configs : list of [learner, configuration], optional
        Try exactly these instead of searching.
    only_configs : bool, default=False
        Whether the best of `configs` wins also where the linear model is better.
    earlier : path, optional
        Folder of a saved result whose search this one continues: its trials are kept and count (`max_trials` limits
        all together), the budget is new. The table, and all settings but the limits, must be the same.

    Returns
    -------
    AutoMLResult

    Raises
    ------
    InputError
        When the table cannot be learned from.
    SettingsError
        When the settings do not fit the table, or the earlier search.
    StorageError
        When there is no earlier search.
    SearchError
        When no model was found within the limits.
    """
    budget = Budget(settings.time_budget_s, clock)
    with tempfile.TemporaryDirectory(prefix="plumbline-") as scratch:
        folder = Path(scratch if workdir is None else workdir)
        folder.mkdir(parents=True, exist_ok=True)
        workers: list[WorkerHandle] = []
        refit_worker: RefitWorker | None = None
        try:
            # Workers load their libraries while this process prepares the table.
            for index in range(settings.max_concurrent_trials):
                workers.append(WorkerHandle(folder / f"searcher{index}"))
            refit_worker = RefitWorker(folder)
            return _search(
                frame,
                settings,
                folder,
                budget,
                workers,
                refit_worker,
                should_stop or (lambda: False),
                report or silent,
                None if configs is None else [(str(name), dict(config)) for name, config in configs],
                only_configs,
                None if earlier is None else Path(earlier),
            )
        finally:
            for worker in workers:
                worker.close()
            if refit_worker is not None:
                refit_worker.close()


def _search(
    frame: pd.DataFrame,
    settings: AutoMLSettings,
    folder: Path,
    budget: Budget,
    workers: Sequence[WorkerHandle],
    refit_worker: RefitWorker,
    should_stop: Callable[[], bool],
    report: Report,
    configs: Configs | None,
    only_configs: bool,
    earlier: Path | None,
) -> AutoMLResult:
    from core.automl.data.prepare import prepare
    from core.datasets import fingerprint

    def report_phase(name: str, message: str, **values: Any) -> None:
        report(Event(name, budget.fraction, message, {**values, "elapsed_s": budget.elapsed()}))

    report_phase("prepare", "Preparing the features", step="features")
    warm_start = None if earlier is None else load_warm_start(earlier, settings, fingerprint(frame))
    began, worked = time.perf_counter(), time.process_time()
    if warm_start is None or warm_start.positive_label is None or settings.positive_label is not None:
        prepared = prepare(frame, settings)
    else:  # the codes of the classes must be those of the earlier search's predictions
        prepared = prepare(frame, settings.model_copy(update={"positive_label": warm_start.positive_label}))
        prepared.positive_reason = f"The search that this one continues was about '{warm_start.positive_label}'."
    pressure = (time.perf_counter() - began) / max(time.process_time() - worked, 1e-3)
    running = Search(folder, settings, workers, prepared, budget, report, configs=configs, warm_start=warm_start)
    refits = Refits(
        refit_worker, prepared.data, prepared.metric, settings.seed, bagging=settings.bagging and configs is None
    )
    refitter = Refitter(refits, settings, test_rows=len(prepared.y_test), only_trials=only_configs, pressure=pressure)
    features, columns = prepared.data.X.shape[1], len(prepared.encoder.columns_)
    message = f"Searching: {prepared.split_method}, {features:,} features"
    report_phase("search", message, features=features, columns=columns, rows=len(frame))
    guessing = prior_trial(prepared)
    running.report_baseline(guessing)
    reason = _wait(running, refitter, should_stop)
    running.close()
    running.read()
    report_phase("finish", "Fitting the best model on all training rows")
    final = refitter.finish(
        running.board, budget, stopped=running.stopped, should_stop=should_stop, resumed=running.resumed
    )
    ready_s = budget.elapsed()
    linear = refitter.linear
    running.report_baseline(linear)
    report_phase("evaluate", "Testing it on rows it never saw")
    outcome = Outcome(
        board=running.board,
        folder=folder,
        final=final,
        guessing=guessing,
        linear=linear,
        linear_model=refits.load_linear(linear.config) if linear is not None and linear.finished else None,
        blend=refitter.blend,
        stop=reason,
        findings=[*running.findings, *refits.findings],
        ready_s=ready_s,
    )
    curve = CurveRun(refits, running.board, final, linear)
    curve.start(budget, stopped=running.stopped)
    result = conclude(frame, settings, prepared, outcome, budget)
    tested = result.test_metrics.get(result.metric)
    score = None if tested is None else tested.value
    report_phase("tested", "Gathering the evidence", metric=result.metric, score=score)
    return curve.add_to(result, budget, should_stop)


def _wait(running: Search, refitter: Refitter, should_stop: Callable[[], bool]) -> StopReason:
    """Watch over the search until it ends, and return why."""
    while True:
        running.read()
        refitter.read(running.budget)
        running.report_baseline(refitter.linear)
        refitter.prefit_best(running.board.best, running.budget)
        reason = running.reason_to_end(
            should_stop,
            lambda: refitter.reserve(running.board, running.budget),
            has_model=refitter.has_model(running.board),
        )
        if reason is not None:
            return reason
        for worker in running.workers:
            worker.supervise(running.settings.trial_timeout_s, running.budget)
        time.sleep(POLL_S)
