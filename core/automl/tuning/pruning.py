"""Which trials are worth all folds: those that keep up, on the same rows, with the best of their own learner.

Each learner races by itself, because a blend wants good models of every kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["Race"]

_MARGIN = 0.5  # standard errors of a mean over the folds that were seen, by which a trial may lag behind


class Race:
    """Knows the best trial of each learner by the scores of its folds.

    Parameters
    ----------
    larger_is_better : bool
        The direction of the metric.

    Examples
    --------
    >>> race = Race(True)
    >>> race.note({"learner": "rf", "status": "finished", "score": 0.8, "fold_scores": [0.7, 0.8, 0.9]})
    >>> race.worth_it("rf", [0.6], 3), race.worth_it("rf", [0.69], 3), race.worth_it("lgbm", [0.6], 3)
    (False, True, True)
    >>> round(race.expected("rf", [0.6]), 3)
    0.7
    """

    def __init__(self, larger_is_better: bool) -> None:
        self._sign = 1 if larger_is_better else -1
        self._best: dict[str, dict[str, Any]] = {}

    def note(self, trial: dict[str, Any]) -> None:
        """Take a trial into account."""
        if trial["status"] != "finished":
            return
        best = self._best.get(trial["learner"])
        if best is None or self._sign * (trial["score"] - best["score"]) > 0:
            self._best[trial["learner"]] = trial

    def _lag(self, learner: str, scores: Sequence[float]) -> float:
        first = self._best[learner]["fold_scores"][: len(scores)]
        return self._sign * float(np.mean(first) - np.mean(scores))

    def worth_it(self, learner: str, scores: list[float], folds: int) -> bool:
        """Tell whether a trial with these scores of its first folds should go on to the others."""
        if learner not in self._best:
            return True
        spread = float(np.std(self._best[learner]["fold_scores"], ddof=1))
        unseen = 1 / len(scores) - 1 / folds  # a finite population of folds: once all are seen nothing is unsure
        return self._lag(learner, scores) <= _MARGIN * spread * unseen**0.5

    def expected(self, learner: str, scores: list[float]) -> float:
        """Return what the score over all folds would be, if the trial went on to lag as much."""
        return float(self._best[learner]["score"]) - self._sign * self._lag(learner, scores)
