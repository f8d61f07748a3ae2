"""The search itself: helper processes under a clock, and what is done when it ends."""

from __future__ import annotations

import math
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.automl._settings import AutoMLSettings
from core.automl.ensemble.candidates import out_of_fold_file, worth_keeping
from core.automl.refit.refitter import Finisher
from core.automl.tuning.budget import Budget
from core.automl.tuning.trial_event import trial_event
from core.automl.tuning.warm_start import Earlier, load_earlier
from core.automl.tuning.worker import Slot
from core.automl.tuning.worker_main import EVENTS, OUT_OF_FOLD, append, mend, read_events
from core.automl.tuning.worker_plan import search_key, share
from core.errors import SearchError
from core.evaluation import METRICS
from core.progress import Event, Report, silent

if TYPE_CHECKING:
    import pandas as pd

    from core.automl.data.prepare import Prepared
    from core.automl.results.result import AutoMLResult

__all__ = ["search"]

POLL_S = 0.05
PATIENCE = 20  # trials without a gain, after as many of each learner, before a search ends early


class Search:
    """One search under way: its trials so far, and the searchers that make them."""

    def __init__(self, folder: Path, settings: AutoMLSettings, budget: Budget, report: Report) -> None:
        self.folder = folder
        self.settings = settings
        self.budget = budget
        self.report = report
        self.metric = ""
        self.trials: list[dict[str, Any]] = []
        self.stopped = False
        self.slots = [Slot(folder / f"searcher{place}") for place in range(settings.max_concurrent_trials)]
        self._limit = settings.max_trials
        self._earlier = 0  # trials of a search that was over, whose end must not be this one's

    def plan(self, prepared: Prepared, configs: list[list[Any]] | None, earlier: Earlier) -> None:
        """Tell the searchers what to try; trials of an earlier attempt at the same search are kept."""
        self.metric = prepared.metric
        self.data = prepared.data
        key = search_key(self.settings, prepared, configs)
        mark = self.folder / "search.key"
        if not mark.exists() or mark.read_text() != key:
            (self.folder / EVENTS).unlink(missing_ok=True)
            shutil.rmtree(self.folder / OUT_OF_FOLD, ignore_errors=True)
            for fitted in self.folder.glob("fit*"):
                fitted.unlink()
        (self.folder / OUT_OF_FOLD).mkdir(exist_ok=True)
        if not (self.folder / EVENTS).exists():
            for trial in earlier.trials:
                append(self.folder / EVENTS, trial)
            for number, predicted in earlier.predictions.items():
                np.save(self.folder / OUT_OF_FOLD / f"{number}.npy", predicted)
        self._earlier = len(earlier.trials)
        mark.write_text(key)
        self.data.save(self.folder)
        mend(self.folder)
        for trial in read_events(self.folder)[0]:
            self.trials.append(trial)
            self._report(trial)
        self._limit = len(configs) if configs is not None else self.settings.max_trials
        for place, slot in enumerate(self.slots):
            slot.plan(share(place, self.settings, self.folder, self.metric, self.trials, configs))

    @property
    def _timed(self) -> bool:
        return self.settings.time_budget_s is not None

    @property
    def larger(self) -> bool:
        """Whether more of the metric is better."""
        return METRICS[self.metric].larger_is_better

    def rank(self, trial: dict[str, Any]) -> tuple[float, float]:
        """Return a sort key, best first; what did not finish comes last.

        Of trials that score the same (a handful of trees may rank without a fault) those with the better probabilities,
        or numbers, are better.
        """
        value = trial.get("score")
        metrics = trial.get("metrics") or {}
        quality = metrics.get("log_loss", metrics.get("rmse", math.inf))
        return math.inf if value is None else -value if self.larger else value, quality

    @property
    def best(self) -> dict[str, Any] | None:
        """The best finished trial so far."""
        finished = [trial for trial in self.trials if trial["status"] == "finished"]
        return min(finished, key=self.rank, default=None)

    def read(self) -> None:
        """Take in the trials that have ended since the last look, and report them."""
        for slot in self.slots:
            slot.read()
        # What is done until the searchers are ended depends on the moment, and must not count.
        while self._enough() is None and (following := self._next()) is not None:
            event, predicted = following.take()
            trial = event | {"trial": len(self.trials) + 1}
            if predicted.exists():
                predicted.replace(out_of_fold_file(self.folder, trial))
            append(self.folder / EVENTS, trial)
            self.trials.append(trial)
            self._report(trial)
        keep = worth_keeping(sorted(self.trials, key=self.rank), self.data)
        for trial in self.trials[-50:]:
            if trial["trial"] not in keep:
                out_of_fold_file(self.folder, trial).unlink(missing_ok=True)

    def _next(self) -> Slot | None:
        """Return the searcher whose trial is listed next: in turns, or as they come where time decides anyway."""
        in_turn = [self.slots[len(self.trials) % len(self.slots)]]
        waiting = [slot for slot in (self.slots if self._timed else in_turn) if slot.waiting]
        return min(waiting, key=lambda slot: slot.waiting[0]["at"], default=None)

    def best_by_learner(self) -> list[dict[str, Any]]:
        """Return the best finished trial of each learner."""
        found: dict[str, dict[str, Any]] = {}
        for trial in sorted(self.trials, key=self.rank):
            if trial["status"] == "finished":
                found.setdefault(trial["learner"], trial)
        return list(found.values())

    def _report(self, trial: dict[str, Any]) -> None:
        fraction = self.budget.fraction
        if fraction is None and self._limit is not None:
            fraction = len(self.trials) / self._limit
        elapsed = max(0.0, self.budget.elapsed(trial["at"]))
        self.report(trial_event(trial, self.best, self.metric, fraction=fraction, elapsed_s=elapsed))

    def reason_to_end(self, should_stop: Callable[[], bool], reserve: Callable[[], float]) -> tuple[str, str] | None:
        """Return why the search is over, as a code and in words; None while it is not."""
        if should_stop():
            self.stopped = True
            return "stopped", "You stopped it; the best so far was kept."
        lost = next((slot.lost for slot in self.slots if slot.lost is not None), None)
        if lost is not None:
            if self.best is None:
                raise SearchError(
                    f"The search's process ended by itself: {lost}.", "If memory is short, use fewer rows or columns."
                )
            return "lost", f"The search's process ended by itself again and again ({lost}); the best was kept."
        if self.budget.left() < reserve():
            return "budget", f"The time budget of {self.budget.seconds:,.0f} s was used up."
        ended = all(slot.ended for slot in self.slots)
        if ended:
            self.read()
        if (enough := self._enough()) is not None:
            return enough
        return ("trials", f"All {len(self.trials):,} trials were done.") if ended else None

    def end(self) -> None:
        """End the searchers."""
        for slot in self.slots:
            slot.close()

    def _enough(self) -> tuple[str, str] | None:
        """Return why the trials so far are enough, as a code and in words."""
        best, target = self.best, self.settings.exit_score
        if (
            best is not None
            and target is not None
            and (best["score"] >= target if self.larger else best["score"] <= target)
        ):
            return "exit_score", f"The score of {target:g} was reached."
        if best is None and len(self.trials) >= PATIENCE and all(t["status"] == "failed" for t in self.trials):
            return "failed", f"The first {PATIENCE} trials all failed."
        if self.settings.early_stopping and best is not None and self._stale(best):
            return "early", f"The last {PATIENCE} trials brought no gain."
        if self._limit is not None and len(self.trials) >= self._limit:
            return "trials", f"All {len(self.trials):,} trials were done."
        return None

    def _stale(self, best: dict[str, Any]) -> bool:
        finished = [trial for trial in self.trials[self._earlier :] if trial["status"] in ("finished", "pruned")]
        warm = PATIENCE * len(self.settings.chosen_learners)
        since = [trial for trial in finished if trial["trial"] > best["trial"]]
        return len(finished) >= warm and len(since) >= PATIENCE


def search(
    frame: pd.DataFrame,
    settings: AutoMLSettings,
    *,
    report: Report | None = None,
    workdir: str | Path | None = None,
    should_stop: Callable[[], bool] | None = None,
    started: float | None = None,
    configs: list[list[Any]] | None = None,
    earlier: str | Path | None = None,
) -> AutoMLResult:
    """Search for the best model of a table within the settings' limits.

    Parameters
    ----------
    frame : pandas.DataFrame
        The raw table, the target among its columns.
    settings : AutoMLSettings
        What to search for, and the limits.
    report : callable, optional
        Takes an `Event` for each trial and each stage.
    workdir : path, optional
        Folder for trials and scratch files; a search that was ended there goes on from its trials.
    should_stop : callable, optional
        Asked about twenty times a second; once it says True the search ends and the best so far is kept.
    started : float, optional
        When the clock of the budget began (seconds since the epoch), if before this call.
    configs : list of [learner, configuration], optional
        Try exactly these instead of searching.
    earlier : path, optional
        Folder of a saved result whose search this one goes on from: its trials are kept and count (`max_trials` is
        about all together), the budget is new. The table, and all settings but the limits, must be the same.

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
        When nothing was found within the limits.
    """
    began = time.time() if started is None else started
    budget = Budget(began, settings.time_budget_s)
    tell = report or silent
    with tempfile.TemporaryDirectory(prefix="plumbline-") as scratch:
        folder = Path(scratch if workdir is None else workdir)
        folder.mkdir(parents=True, exist_ok=True)
        # Helpers load their libraries while this process prepares the table.
        run = Search(folder, settings, budget, tell)
        finisher = Finisher(folder, settings)
        try:
            return _search(
                frame, settings, budget, run, finisher, should_stop or (lambda: False), tell, configs, earlier
            )
        finally:
            run.end()
            finisher.close()


def _search(
    frame: pd.DataFrame,
    settings: AutoMLSettings,
    budget: Budget,
    run: Search,
    finisher: Finisher,
    should_stop: Callable[[], bool],
    tell: Report,
    configs: list[list[Any]] | None,
    earlier: str | Path | None,
) -> AutoMLResult:
    from core.automl.data.prepare import prepare
    from core.automl.results.result import conclude
    from core.datasets import fingerprint

    tell(Event("prepare", 0.0, "Preparing the features"))
    kept = Earlier() if earlier is None else load_earlier(Path(earlier), settings, fingerprint(frame))
    began, worked = time.perf_counter(), time.process_time()
    prepared = prepare(frame, settings)
    run.plan(prepared, configs, kept)
    finisher.plan(prepared, (time.perf_counter() - began) / max(time.process_time() - worked, 1e-3))
    tell(Event("search", budget.fraction, f"Searching: {prepared.split_method}, {prepared.data.X.shape[1]:,} features"))
    while True:
        run.read()
        finisher.read()
        finisher.insure(run.best, budget)
        reason = run.reason_to_end(should_stop, lambda: finisher.reserve(run, budget))
        if reason is not None:
            break
        for slot in run.slots:
            slot.tend(settings.trial_timeout_s)
        time.sleep(POLL_S)
    run.end()
    run.read()
    tell(Event("finish", budget.fraction, "Fitting the best model on all training rows"))
    final = finisher.finish(run, budget, should_stop)
    ready_s = budget.elapsed()
    tell(Event("evaluate", budget.fraction, "Testing it on rows it never saw"))
    return conclude(frame, settings, prepared, run, finisher, final, reason, ready_s, budget)
