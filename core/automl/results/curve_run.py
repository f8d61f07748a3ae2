"""The learning curve at the end of a search, scored beside the test within the time that is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from core.automl.refit.refits import FinalModel, Refits
from core.automl.results.learning_curve import CurvePoint, LearningCurve
from core.automl.results.result import AutoMLResult
from core.automl.tuning.budget import Budget
from core.automl.tuning.trials import Trial, Trials

__all__ = ["CurveRun"]

_MIN_SHARE = 0.3  # of what the curve should take: with less time left it is not begun


class CurveRun:
    """A learning curve in progress: of the winner, or of the best single model where a blend won.

    Parameters
    ----------
    refits : Refits
        Fits models.
    board : Trials
        Trials of the search.
    final : FinalModel
        The winner.
    linear : Trial or None
        The linear model as a trial.
    """

    def __init__(self, refits: Refits, board: Trials, final: FinalModel, linear: Trial | None) -> None:
        self._refits = refits
        self._trial = final.trial
        if final.trial.learner == "blend":
            single = [*board.ranked(), *([linear] if linear is not None and linear.finished else [])]
            self._trial = min(single, key=board.rank)
        self._reason = ""

    def start(self, budget: Budget, *, stopped: bool) -> None:
        """Begin, where there is time for a part of it."""
        if stopped:
            self._reason = "the search was stopped"
        elif self._refits.worker.ended or budget.left() < _MIN_SHARE * self._refits.curve_cost(self._trial):
            self._reason = "there was no time left in the budget"
        else:
            self._refits.request_curve(self._trial)

    def add_to(self, result: AutoMLResult, budget: Budget, should_stop: Callable[[], bool]) -> AutoMLResult:
        """Wait for the curve until the budget is used up, and return the result with what is there of it."""
        worker, points = self._refits.worker, []
        while not self._reason:
            answer = worker.curve()
            if answer is not None:
                points = answer["points"]
                if answer["done"]:
                    self._reason = answer["reason"]
                    break
            if worker.ended or budget.left() <= 0:
                self._reason = "there was no time left in the budget"
            elif should_stop():
                self._reason = "the search was stopped"
            else:
                time.sleep(0.02)
        data, trial = self._refits.data, self._trial
        sizes = [(len(train), len(validation)) for train, validation in data.folds]
        scored = [CurvePoint(share, rows, tuple(scores)) for share, rows, scores in points]
        if trial.fold_scores:
            rows = round(float(np.mean([train for train, _ in sizes])))
            scored.append(CurvePoint(1.0, rows, tuple(trial.fold_scores)))
        guessing = result.leaderboard.loc[result.leaderboard["learner"] == "prior", "score"]
        curve = LearningCurve(
            metric=result.metric,
            learner=trial.learner,
            trial=trial.number,
            points=tuple(sorted(scored, key=lambda point: point.share)),
            guessing=float(guessing.iloc[0]) if len(guessing) else None,
            validation_share=float(np.mean([validation / train for train, validation in sizes])),
            reason=self._reason,
        )
        return replace(result, learning_curve=curve, elapsed_s=budget.elapsed())
