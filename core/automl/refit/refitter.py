"""The end of a search: the linear model beside it, and the winner fitted on all training rows, in time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.automl._settings import AutoMLSettings
from core.automl.ensemble.blend import make_blend
from core.automl.ensemble.candidates import consider, selection_s
from core.automl.refit.refits import Final, Refits
from core.automl.tuning.budget import Budget
from core.automl.tuning.learners import linear_config
from core.automl.tuning.processes import Helper
from core.errors import SearchError

if TYPE_CHECKING:
    from core.automl.data.prepare import Prepared
    from core.automl.tuning.search import Search

__all__ = ["Final", "Finisher"]

EVALUATION_S = 1.0  # encoding, predicting and scoring the test rows, and 30 microseconds a row
MOST_PRESSURE = 4.0
START_S = 5.0  # a new helper process with its libraries
BLEND_SHARE = 0.15  # of the budget, at most, is kept for fitting the members of a blend
STOPPED_S = 3.0  # or so long, at least, when somebody wants the search to end
OVERRUN = 0.02
OVERRUN_S = 2.0


class Finisher(Refits):
    """Fits the linear model beside the search, then the winner; a fit that takes too long is ended."""

    def __init__(self, folder: Path, settings: AutoMLSettings) -> None:
        super().__init__(folder, settings.seed)
        self.settings = settings
        self.linear: dict[str, Any] | None = None
        self._linear_config: dict[str, Any] = {}
        self.blend: dict[str, Any] | None = None
        self._asked_at = time.time()
        self._evaluation_s = EVALUATION_S

    def plan(self, prepared: Prepared, pressure: float) -> None:
        """Start with the linear model, scored on the same folds.

        Parameters
        ----------
        prepared : Prepared
            What the search works on.
        pressure : float
            Seconds that went by over seconds that this process worked, so far: 1 on a machine with nothing else to do.
        """
        data = prepared.data
        self.data = data
        self.metric = prepared.metric
        self._growth = len(data.y) / float(np.mean([len(train) for train, _ in data.folds]))
        self._evaluation_s = (EVALUATION_S + 30e-6 * len(prepared.y_test)) * min(max(pressure, 1.0), MOST_PRESSURE)
        self._asked_at = time.time()
        self._linear_config = linear_config(data.X.shape[1], data.classes)
        self._ask([{"trial": 0, "learner": "linear", "config": self._linear_config}], score=True)

    def read(self) -> None:
        """Take in the linear model once it is there."""
        if self.linear is None and (answer := self._answer("linear")) is not None:
            self.linear = {
                "event": "trial",
                "trial": 0,
                "learner": "linear",
                "config": self._linear_config,
                "at": time.time(),
                "seconds": time.time() - self._asked_at,
                "status": "failed" if "error" in answer else "finished",
                "message": answer.get("error"),
                **answer,
            }

    def reserve(self, run: Search, budget: Budget) -> float:
        """Return the seconds to keep for the refit, or for a blend, and the test."""
        evaluation = self._evaluation_s
        best = run.best
        if best is None:  # nothing to fit yet: any model that still comes is better than none
            return evaluation
        waiting = START_S if self.linear is None else 0.0  # a busy helper has to be started anew
        return max(self.cost(best), self._blend_s(run, budget)) + 0.2 + waiting + evaluation

    def _blend_s(self, run: Search, budget: Budget) -> float:
        """Return the seconds to keep for a blend: about what fitting the best trial of each learner takes."""
        if not self.settings.ensemble or budget.seconds is None:
            return 0.0
        costs = [self.cost(trial) for trial in run.best_by_learner()]
        together = max(max(costs), sum(costs) / self._cores)
        return selection_s(self.data) + min(BLEND_SHARE * budget.seconds, together)

    def finish(self, run: Search, budget: Budget, should_stop: Callable[[], bool]) -> Final:
        """Fit the winner on all training rows; when time is short, the best that can be fitted.

        Parameters
        ----------
        should_stop : callable
            Once it says True, the linear model is not waited for.

        Raises
        ------
        SearchError
            When neither a trial nor the linear model is there.
        """
        self._await_linear(run, budget, should_stop)
        ranked = [trial for trial in run.trials if trial["status"] == "finished"]
        if self.linear is not None and self.linear["status"] == "finished":
            ranked.append(self.linear)
        ranked.sort(key=run.rank)
        if not ranked:
            raise SearchError(*self._nothing(run, budget))
        if self.linear is None or self.helper.ended:
            self.helper.kill()
            self.helper = Helper("core.automl.refit.worker_main", self.folder)
        wall = time.time() + budget.left() + OVERRUN * (budget.seconds or 0) + OVERRUN_S - self._evaluation_s
        self.insure(None, budget)
        if (blended := self._blended(run, ranked, budget, wall)) is not None:
            return blended
        for trial in ranked:
            if (ready := self._ready(trial)) is not None:
                return ready
            if self.estimate(trial) > wall - time.time():
                continue
            if self._fit([trial], wall) and (ready := self._ready(trial)) is not None:
                return ready
            if self.helper.ended:  # it took too long; one that failed leaves time for the next
                break
        for trial in ranked:
            if (ready := self._ready(trial)) is not None:
                return ready
        why, advice = self.why_lost(ranked)
        raise SearchError(f"The best of {len(run.trials)} trials could not be fitted on all rows {why}.", advice)

    def _blended(self, run: Search, ranked: list[dict[str, Any]], budget: Budget, wall: float) -> Final | None:
        """Return the blend, when it is better than the best single model and its members could be fitted."""
        if not self.settings.ensemble:
            return None
        left = math.inf
        if budget.seconds is not None or run.stopped:
            spent = budget.elapsed() if run.stopped else budget.seconds or 0.0
            left = min(budget.left() - self._evaluation_s, max(BLEND_SHARE * spent, STOPPED_S)) - selection_s(self.data)
            left = max(0.0, left)
        found = consider(
            self.folder,
            ranked,
            self.data,
            self.metric,
            cost=self.cost,
            longest=left,
            room=left * self._cores,
            seed=self.settings.seed,
        )
        if found is None:
            return None
        self.blend = found.trial
        if not found.choice.wins:
            return None
        members = [trial for trial, _ in found.members]
        if not self._fit([trial for trial in members if self._ready(trial, load=False) is None], wall):
            told = {"status": "timed_out", "score": None, "message": "Its members could not be fitted in time."}
            self.blend = found.trial | told
            return None
        ready = [self._ready(trial) for trial in members]
        estimator = make_blend(
            [each.estimator for each in ready if each],
            [weight for _, weight in found.members],
            self.data.task,
            fitted=True,
        )
        return Final(found.trial, estimator, sum(each.refit_s for each in ready if each))

    def _await_linear(self, run: Search, budget: Budget, should_stop: Callable[[], bool]) -> None:
        """Give the linear model the time that is left over; one that is still at work blocks the refit."""
        self.read()
        while (
            self.linear is None
            and not self.helper.ended
            and not run.stopped
            and not should_stop()
            and budget.left() > self.reserve(run, budget)
        ):
            time.sleep(0.02)
            self.read()

    def _nothing(self, run: Search, budget: Budget) -> tuple[str, str]:
        failed = [trial for trial in run.trials if trial["status"] != "finished"]
        if failed:
            return (
                f"None of {len(failed)} trials gave a model; the last one: {failed[-1].get('message')}.",
                "Look at the target and the metric: a class that is missing from a fold is the usual cause.",
            )
        if run.stopped:
            return "It was stopped before the first model was finished.", "Start again and let it run a little longer."
        limit = "the time it had" if budget.seconds is None else f"{budget.seconds:,.0f} s"
        return (
            f"No model was finished within {limit}.",
            "Give it more time (a minute is a good start), or use fewer rows or columns.",
        )
