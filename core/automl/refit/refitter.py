"""The end of a search: the linear model beside it, and the winner fitted on all training rows, in time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from core.automl._settings import AutoMLSettings
from core.automl.ensemble.blend import flattened, make_blend
from core.automl.ensemble.candidates import choose_members, selection_s
from core.automl.learners.linear import linear_config
from core.automl.refit.refit_worker import RefitAnswer
from core.automl.refit.refits import FinalModel, Refits
from core.automl.tuning.budget import Budget
from core.automl.tuning.trials import Trial, Trials
from core.errors import SearchError

__all__ = ["Refitter"]

EVALUATION_S = 1.0  # encoding, predicting and scoring the test rows, and 30 microseconds per row
MAX_PRESSURE = 4.0
START_S = 5.0  # a new process with its libraries
BLEND_SHARE = 0.15  # of the budget, at most, is kept for fitting the members of a blend
LIKELY = 3  # members of a blend
CURVE_SHARE = 0.05  # of the budget, at most, is kept for the learning curve
STOPPED_S = 3.0  # or so many seconds, at least, when the search was stopped
OVERRUN = 0.02
OVERRUN_S = 2.0


class Refitter:
    """Fits the linear model beside the search, then the winner; a fit that takes too long is ended.

    Parameters
    ----------
    refits : Refits
        Fits models, and knows what that costs.
    settings : AutoMLSettings
        Settings of the search.
    test_rows : int
        Number of test rows.
    only_trials : bool, default=False
        Whether the linear model is only compared with, and wins where no trial gave a model.
    pressure : float, default=1
        Seconds that went by per second that this process worked, so far: 1 on a machine with nothing else to do.

    Attributes
    ----------
    linear : Trial or None
        The linear model as a trial, once it is there.
    blend : Trial or None
        The blend that was considered, as a trial.
    """

    def __init__(
        self,
        refits: Refits,
        settings: AutoMLSettings,
        *,
        test_rows: int = 0,
        only_trials: bool = False,
        pressure: float = 1.0,
    ) -> None:
        self.refits = refits
        self.settings = settings
        self.linear: Trial | None = None
        self.blend: Trial | None = None
        self._only_trials = only_trials
        self._evaluation_s = (EVALUATION_S + 30e-6 * test_rows) * min(max(pressure, 1.0), MAX_PRESSURE)
        self._requested_at = time.perf_counter()
        self._linear_config = linear_config(refits.data.X.shape[1], refits.data.classes)
        refits.request_linear(self._linear_config)

    def read(self, budget: Budget) -> None:
        """Take in the linear model once it is there."""
        if self.linear is not None:
            return
        answer = self.refits.linear_answer(self._linear_config)
        if answer is None:
            error = self.refits.worker.error
            if error is None:
                return
            answer = RefitAnswer(error=error)
        known: dict[str, Any] = {} if answer.evaluation is None else vars(answer.evaluation)
        self.linear = Trial(
            0,
            "linear",
            self._linear_config,
            "finished" if answer.error is None else "failed",
            at=budget.elapsed(),
            seconds=time.perf_counter() - self._requested_at,
            message=None if answer.error is None else answer.error.message,
            threads=answer.threads,
            refit_s=answer.refit_s,
            **known,
        )

    def has_model(self, board: Trials) -> bool:
        """Return whether a trial or the linear model has finished."""
        return board.best is not None or (self.linear is not None and self.linear.finished)

    def prefit(self, board: Trials, budget: Budget) -> None:
        """Fit the best trials so far on all rows beside the search."""
        self.refits.prefit(self._likely(board), budget, linear_done=self.linear is not None)

    def _likely(self, board: Trials) -> list[Trial]:
        """Return the trials that the final model is probably made of: the best of the best learners."""
        return list(board.best_by_learner().values())[: LIKELY if self.settings.ensemble else 1]

    def reserve(self, board: Trials, budget: Budget) -> float:
        """Return the seconds to keep for the refit, or for a blend, the test and the learning curve."""
        best = board.best
        if best is None:  # nothing to fit yet: any model that still comes is better than none
            return self._evaluation_s
        waiting = START_S if self.linear is None else 0.0  # a busy process has to be started anew
        curve = 0.0 if budget.seconds is None else min(self.refits.curve_cost(best), CURVE_SHARE * budget.seconds)
        return max(self.refits.cost(best), self._blend_s(board, budget)) + 0.2 + waiting + self._evaluation_s + curve

    def _blend_s(self, board: Trials, budget: Budget) -> float:
        """Return the seconds to keep for a blend: about what fitting its likely members takes."""
        if not self.settings.ensemble or budget.seconds is None:
            return 0.0
        costs = [self.refits.cost(trial) for trial in self._likely(board)]
        together = max(max(costs), sum(costs) / self.refits.cores)
        return selection_s(self.refits.data) + min(BLEND_SHARE * budget.seconds, together)

    def finish(
        self,
        board: Trials,
        budget: Budget,
        *,
        stopped: bool,
        should_stop: Callable[[], bool],
        resumed: bool = False,
    ) -> FinalModel:
        """Fit the winner on all training rows; when time is short, the best that can be fitted.

        Parameters
        ----------
        board : Trials
            Trials of the search.
        budget : Budget
            Time budget of the search.
        stopped : bool
            Whether the search was stopped by its user.
        should_stop : callable
            Once it returns True, the linear model is not waited for.
        resumed : bool, default=False
            Whether the search was interrupted: its budget may be used up, and what was found must not be lost for that.

        Raises
        ------
        SearchError
            When neither a trial nor the linear model is there.
        """
        self._await_linear(board, budget, should_stop=should_stop, stopped=stopped, resumed=resumed)
        linear = [self.linear] if self.linear is not None and self.linear.finished else []
        ranked = sorted([*board.ranked(), *linear], key=board.rank)
        if self._only_trials:
            ranked = board.ranked() or linear
        if not ranked:
            raise _no_model(board, budget, stopped)
        if self.linear is None or self.refits.worker.ended:
            self.refits.worker.restart()
        deadline = Budget(None)
        if budget.seconds is not None and not resumed:
            latest = (1 + OVERRUN) * budget.seconds + OVERRUN_S - self._evaluation_s
            if budget.left() < 0:  # nothing was there in time: the first model is late, and must not be lost
                latest = max(latest, budget.elapsed() + budget.grace_left())
            deadline = Budget(latest, budget.elapsed)
        self.refits.prefit([], budget, linear_done=self.linear is not None)
        if (blended := self._fit_blend(ranked, budget, deadline, stopped)) is not None:
            return blended
        for trial in ranked:
            if (ready := self.refits.ready(trial)) is not None:
                return ready
            until = budget if self.refits.kept(trial) else deadline
            if self.refits.estimate(trial) <= until.left():
                self.refits.fit([trial], until)
            for ready_of in (self.refits.ready, self.refits.of_folds):
                if (ready := ready_of(trial)) is not None:
                    return ready
            if self.refits.worker.ended:  # it took too long; one that failed leaves time for the next
                break
        for trial in ranked:
            if (ready := self.refits.ready(trial)) is not None:
                return ready
        reason, hint = self.refits.why_missing(ranked)
        raise SearchError(f"The best of {len(board)} trials could not be fitted on all rows {reason}.", hint)

    def _fit_blend(self, ranked: list[Trial], budget: Budget, deadline: Budget, stopped: bool) -> FinalModel | None:
        """Return the blend, when it is better than the best single model and its members could be fitted."""
        if not self.settings.ensemble:
            return None
        refits, left = self.refits, math.inf
        if budget.seconds is not None or stopped:
            spent = budget.elapsed() if stopped else budget.seconds or 0.0
            left = min(budget.left() - self._evaluation_s, max(BLEND_SHARE * spent, STOPPED_S))
            left = max(0.0, left - selection_s(refits.data))
        blending = choose_members(
            refits.worker.folder,
            ranked,
            refits.data,
            refits.metric,
            cost=refits.cost,
            longest=left,
            budget=left * refits.cores,
            seed=self.settings.seed,
        )
        if blending is None:
            return None
        self.blend = blending.trial
        if not blending.choice.wins:
            return None
        members = [trial for trial, _ in blending.members]
        missing = [trial for trial in members if not refits.is_ready(trial)]
        if all(refits.kept(trial) for trial in missing):  # what is not fitted within the budget is not waited for
            missing = [trial for trial in missing if refits.estimate(trial) < budget.left()]
            deadline = budget
        if not refits.fit(missing, deadline):
            self.blend = replace(
                blending.trial, status="timed_out", score=None, message="Its members could not be fitted in time."
            )
            return None
        models = [
            (model, weight)
            for trial, weight in blending.members
            if (model := refits.ready(trial) or refits.of_folds(trial)) is not None
        ]
        estimators, weights = flattened((model.estimator, weight) for model, weight in models)
        blend = make_blend(estimators, weights, refits.data.task, fitted=True)
        return FinalModel(blending.trial, blend, sum(model.refit_s for model, _ in models))

    def _await_linear(
        self, board: Trials, budget: Budget, *, should_stop: Callable[[], bool], stopped: bool, resumed: bool
    ) -> None:
        """Give the linear model the time that is left over; one that is still at work blocks the refit."""
        self.read(budget)
        while (
            self.linear is None
            and not self.refits.worker.ended
            and not stopped
            and not should_stop()
            and (resumed or budget.left() > self.reserve(board, budget))
        ):
            time.sleep(0.02)
            self.read(budget)


def _no_model(board: Trials, budget: Budget, stopped: bool) -> SearchError:
    """Return the error of a search that ended without a model."""
    failed = [trial for trial in board if not trial.finished]
    if failed:
        return SearchError(
            f"None of {len(failed)} trials gave a model; the last one: {failed[-1].message}.",
            "Look at the target and the metric: a class that is missing from a fold is the usual cause.",
        )
    if stopped:
        return SearchError(
            "The search was stopped before the first model was finished.", "Start again and let it run a little longer."
        )
    limit = "the time it had" if budget.seconds is None else f"{budget.seconds:,.0f} s"
    return SearchError(
        f"No model was finished within {limit}.",
        "Give it more time (a minute is a good start), or use fewer rows or columns.",
    )
