"""Which trials are worth all folds: those that keep up, on the same rows, with the best of their own learner.

Each learner competes with itself only, because a blend needs good models of every learner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.automl.tuning.trials import Trial

__all__ = ["Pruner"]

_MARGIN = 0.5  # standard errors of a mean over the folds that were seen, by which a trial may lag behind


@dataclass(frozen=True)
class _Best:
    """Score of the best trial of a learner, over all folds and of each."""

    score: float
    fold_scores: list[float]


class Pruner:
    """Compares a trial's first folds with those of the best trial of its learner.

    Parameters
    ----------
    larger_is_better : bool
        Direction of the metric.

    Examples
    --------
    >>> pruner = Pruner(True)
    >>> pruner.note(Trial(1, "rf", {}, "finished", score=0.8, fold_scores=[0.7, 0.8, 0.9]))
    >>> pruner.worth_it("rf", [0.6], 3), pruner.worth_it("rf", [0.69], 3), pruner.worth_it("lgbm", [0.6], 3)
    (False, True, True)
    >>> round(pruner.expected("rf", [0.6]), 3)
    0.7
    """

    def __init__(self, larger_is_better: bool) -> None:
        self._sign = 1 if larger_is_better else -1
        self._best: dict[str, _Best] = {}

    def note(self, trial: Trial) -> None:
        """Take a trial into account."""
        if not trial.finished or trial.score is None or trial.fold_scores is None:
            return
        best = self._best.get(trial.learner)
        if best is None or self._sign * (trial.score - best.score) > 0:
            self._best[trial.learner] = _Best(trial.score, trial.fold_scores)

    def _lag(self, learner: str, scores: Sequence[float]) -> float:
        first = self._best[learner].fold_scores[: len(scores)]
        return self._sign * float(np.mean(first) - np.mean(scores))

    def worth_it(self, learner: str, scores: Sequence[float], folds: int) -> bool:
        """Return whether a trial with these scores of its first folds should continue with the others."""
        if learner not in self._best:
            return True
        spread = float(np.std(self._best[learner].fold_scores, ddof=1))
        unseen = 1 / len(scores) - 1 / folds  # a finite population of folds: once all are seen nothing is unsure
        return bool(self._lag(learner, scores) <= _MARGIN * spread * unseen**0.5)

    def expected(self, learner: str, scores: Sequence[float]) -> float:
        """Return what the score over all folds would be, if the trial lagged as much on the other folds."""
        return self._best[learner].score - self._sign * self._lag(learner, scores)
