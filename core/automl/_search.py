"""The search itself: helper processes under a clock, and what is done when it ends."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.automl._blending import out_of_fold_file, worth_keeping
from core.automl._budget import Budget
from core.automl._final import Finisher
from core.automl._metrics import METRICS
from core.automl._processes import Helper
from core.automl._searcher import EVENTS, OUT_OF_FOLD, PLAN, append, read_events
from core.automl._settings import LEARNERS, AutoMLSettings
from core.errors import SearchError
from core.progress import Event, Report, silent

if TYPE_CHECKING:
    import pandas as pd

    from core.automl._prepare import Prepared
    from core.automl._result import AutoMLResult

__all__ = ["search"]

POLL_S = 0.05
PATIENCE = 20  # trials without a gain, after as many of each learner, before a search ends early
RESTARTS = 3


class Search:
    """One search under way: its trials so far and its helper process."""

    def __init__(self, folder: Path, settings: AutoMLSettings, budget: Budget, report: Report) -> None:
        self.folder = folder
        self.settings = settings
        self.budget = budget
        self.report = report
        self.metric = ""
        self.trials: list[dict[str, Any]] = []
        self.running: dict[str, Any] | None = None
        self.restarts = 0
        self.lost: str | None = None
        self._trials_at_restart = 0
        self.stopped = False
        self._seen = 0
        self._began = time.time()
        self.searcher = Helper("_searcher", folder)

    def plan(self, prepared: Prepared, configs: list[list[Any]] | None) -> None:
        """Tell the searcher what to try; trials of an earlier attempt at the same search are kept."""
        import os

        self.metric = prepared.metric
        plan = {
            "metric": prepared.metric,
            "learners": self.settings.chosen_learners,
            "seed": self.settings.seed,
            "jobs": os.cpu_count() or 1,
            "timed": self.settings.time_budget_s is not None,
            "max_trials": len(configs) if configs is not None else self.settings.max_trials,
            "configs": configs,
        }
        self.data = data = prepared.data
        key = hashlib.sha256(json.dumps(plan, default=str).encode() + data.X.tobytes() + data.y.tobytes()).hexdigest()
        mark = self.folder / "search.key"
        if not mark.exists() or mark.read_text() != key:
            (self.folder / EVENTS).unlink(missing_ok=True)
            shutil.rmtree(self.folder / OUT_OF_FOLD, ignore_errors=True)
            for fitted in self.folder.glob("fit*"):
                fitted.unlink()
        (self.folder / OUT_OF_FOLD).mkdir(exist_ok=True)
        mark.write_text(key)
        data.save(self.folder)
        temporary = self.folder / "plan.tmp"
        temporary.write_text(json.dumps(plan))
        temporary.replace(self.folder / PLAN)

    @property
    def larger(self) -> bool:
        """Whether more of the metric is better."""
        return METRICS[self.metric].larger_is_better

    def rank(self, trial: dict[str, Any]) -> float:
        """Return a sort key, best first; what did not finish comes last."""
        value = trial.get("score")
        return math.inf if value is None else -value if self.larger else value

    @property
    def best(self) -> dict[str, Any] | None:
        """The best finished trial so far."""
        finished = [trial for trial in self.trials if trial["status"] == "finished"]
        return min(finished, key=self.rank, default=None)

    def read(self) -> None:
        """Take in what the searcher did since the last look, and report it."""
        events = read_events(self.folder)
        for event in events[self._seen :]:
            if self._enough() is not None:
                break  # what the searcher did until it was ended depends on the moment, and must not count
            self._seen += 1
            if event["event"] == "start":
                # One of an earlier attempt was ended with it, and is not under way.
                self.running = event if event["at"] >= self._began else None
                continue
            self.running = None
            self.trials.append(event)
            self._report(event)
        keep = worth_keeping(sorted(self.trials, key=self.rank), self.data)
        for trial in self.trials[-50:]:
            if trial["trial"] not in keep:
                out_of_fold_file(self.folder, trial).unlink(missing_ok=True)

    def best_by_learner(self) -> list[dict[str, Any]]:
        """Return the best finished trial of each learner."""
        found: dict[str, dict[str, Any]] = {}
        for trial in sorted(self.trials, key=self.rank):
            if trial["status"] == "finished":
                found.setdefault(trial["learner"], trial)
        return list(found.values())

    def _report(self, trial: dict[str, Any]) -> None:
        best = self.best
        limit = self.settings.max_trials
        fraction = self.budget.fraction
        if fraction is None and limit is not None:
            fraction = len(self.trials) / limit
        told = "failed" if trial["status"] != "finished" else f"{trial['score']:.4f}"
        best_told = "" if best is None else f", best so far {best['score']:.4f}"
        self.report(
            Event(
                "search",
                fraction,
                f"Trial {trial['trial']}, {LEARNERS.get(trial['learner'], trial['learner'])}: {told}{best_told}",
                {
                    "trial": trial["trial"],
                    "learner": trial["learner"],
                    "status": trial["status"],
                    "score": trial.get("score"),
                    "score_std": trial.get("score_std"),
                    "best_score": None if best is None else best["score"],
                    "best_trial": None if best is None else best["trial"],
                    "fit_s": trial.get("fit_s"),
                    "predict_ms_a_row": trial.get("predict_ms_a_row"),
                    "config": trial["config"],
                    "metric": self.metric,
                    "elapsed_s": self.budget.elapsed(trial["at"]),
                    "message": trial.get("message"),
                },
            )
        )

    def overdue(self) -> bool:
        """End the trial that is over its own limit; the search goes on with a new searcher."""
        limit = self.settings.trial_timeout_s
        if limit is None or self.running is None or time.time() - self.running["at"] < limit:
            return False
        self.searcher.kill()
        self.read()
        if self.running is not None:
            head = {name: self.running[name] for name in ("trial", "learner", "config")}
            message = f"ended after its limit of {limit:g} s"
            lost = {"event": "trial", "at": time.time(), "seconds": limit, "status": "timed_out", "message": message}
            append(self.folder / EVENTS, lost | head)
        self.searcher = Helper("_searcher", self.folder)
        return True

    def restart_if_lost(self) -> None:
        """Start another searcher when this one died of something that is not a trial's own error."""
        if not self.searcher.failed:
            return
        self.read()
        self.restarts = 1 if len(self.trials) > self._trials_at_restart else self.restarts + 1
        self._trials_at_restart = len(self.trials)
        if self.restarts > RESTARTS:
            self.lost = self.searcher.last_words()[-200:] or "no message"
            return
        if self.running is not None:
            head = {name: self.running[name] for name in ("trial", "learner", "config")}
            append(
                self.folder / EVENTS,
                {"event": "trial", "at": time.time(), "seconds": 0.0, "status": "failed",
                 "message": "its process ended by itself (out of memory?)", **head},
            )  # fmt: skip
        self.searcher.kill()
        self.searcher = Helper("_searcher", self.folder)

    def reason_to_end(self, should_stop: Callable[[], bool], reserve: Callable[[], float]) -> tuple[str, str] | None:
        """Return why the search is over, as a code and in words; None while it is not."""
        if should_stop():
            self.stopped = True
            return "stopped", "You stopped it; the best so far was kept."
        if self.lost is not None:
            if self.best is None:
                raise SearchError(
                    f"The search's process ended by itself: {self.lost}.",
                    "If memory is short, use fewer rows or columns.",
                )
            return "lost", f"The search's process ended by itself again and again ({self.lost}); the best was kept."
        if self.budget.left() < reserve():
            return "budget", f"The time budget of {self.budget.seconds:,.0f} s was used up."
        ended = self.searcher.ended and not self.searcher.failed
        if ended:
            self.read()
        if (enough := self._enough()) is not None:
            return enough
        return ("trials", f"All {len(self.trials):,} trials were done.") if ended else None

    def _enough(self) -> tuple[str, str] | None:
        """Return why the trials so far are enough, as a code and in words."""
        best, target = self.best, self.settings.exit_score
        if (
            best is not None
            and target is not None
            and (best["score"] >= target if self.larger else best["score"] <= target)
        ):
            return "exit_score", f"The score of {target:g} was reached."
        if self.settings.early_stopping and best is not None and self._stale(best):
            return "early", f"The last {PATIENCE} trials brought no gain."
        return None

    def _stale(self, best: dict[str, Any]) -> bool:
        finished = [trial for trial in self.trials if trial["status"] == "finished"]
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

    Returns
    -------
    AutoMLResult

    Raises
    ------
    InputError
        When the table cannot be learned from.
    SettingsError
        When the settings do not fit the table.
    SearchError
        When nothing was found within the limits.
    """
    began = time.time() if started is None else started
    budget = Budget(began, settings.time_budget_s)
    tell = report or silent
    with tempfile.TemporaryDirectory(prefix="plumbline-") as scratch:
        folder = Path(scratch if workdir is None else workdir)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / PLAN).unlink(missing_ok=True)
        # Helpers load their libraries while this process prepares the table.
        run = Search(folder, settings, budget, tell)
        finisher = Finisher(folder, settings)
        try:
            return _search(frame, settings, budget, run, finisher, should_stop or (lambda: False), tell, configs)
        finally:
            run.searcher.kill()
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
) -> AutoMLResult:
    from core.automl._prepare import prepare
    from core.automl._result import conclude

    tell(Event("prepare", 0.0, "Preparing the features"))
    prepared = prepare(frame, settings)
    run.plan(prepared, configs)
    finisher.plan(prepared)
    tell(Event("search", budget.fraction, f"Searching: {prepared.split_method}, {prepared.data.X.shape[1]:,} features"))
    while True:
        run.read()
        finisher.read()
        finisher.insure(run.best, budget)
        reason = run.reason_to_end(should_stop, lambda: finisher.reserve(run, budget))
        if reason is not None:
            break
        if not run.overdue():
            run.restart_if_lost()
        time.sleep(POLL_S)
    run.searcher.kill()
    run.read()
    tell(Event("finish", budget.fraction, "Fitting the best model on all training rows"))
    final = finisher.finish(run, budget)
    ready_s = budget.elapsed()
    tell(Event("evaluate", budget.fraction, "Testing it on rows it never saw"))
    return conclude(frame, settings, prepared, run, finisher, final, reason, ready_s, budget)
