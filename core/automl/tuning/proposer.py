"""Which configuration to try next: FLAML's cost-frugal search for each learner, and its rule to choose the learner."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from core.automl._types import Config
from core.automl.learners.build import low_cost, start_points
from core.automl.learners.registry import LEARNERS
from core.automl.tuning.trials import Trial

if TYPE_CHECKING:
    from core.automl.data.training_data import TrainingData

__all__ = ["Proposer", "SpaceExhaustedError"]


class SpaceExhaustedError(Exception):
    """Every configuration of the search spaces was proposed."""


class _LearnerSearch:
    """The search within one learner's space, and what it has cost and gained so far."""

    def __init__(self, learner: str, data: TrainingData, seed: int, seconds: float | None) -> None:
        from flaml import CFO

        self.learner = learner
        self.count = 0
        self.cost = 0.0  # seconds spent, and at the best and the second-best score
        self.cost_at_best = 0.0
        self.cost_before_best = 0.0
        self.best = math.inf
        self.before_best = math.inf
        self.last_cost = 0.0
        rows, columns = data.X.shape
        space = LEARNERS[learner].space(rows, columns, data.task)
        self._new = partial(
            CFO,
            metric="loss",
            mode="min",
            space={name: entry.domain for name, entry in space.items()},
            low_cost_partial_config=low_cost(space),
            cost_attr=None if seconds is None else "auto",
            seed=seed,
        )
        self._names = set(space)
        points = start_points(learner, data, seconds)
        self.points = len(points)
        self._cfo = self._new(points_to_evaluate=points)
        self._best_config: Config | None = None

    def suggest(self) -> Config | None:
        """Return the next configuration; None when the space is exhausted."""
        config = self._cfo.suggest(str(self.count))
        return None if config is None else {name: getattr(v, "item", lambda v=v: v)() for name, v in config.items()}

    def tell(self, config: Config, loss: float, seconds: float) -> None:
        """Report what came of the latest suggestion."""
        result = {"loss": loss if math.isfinite(loss) else 1e10, "time_total_s": seconds}
        result |= {f"config/{name}": value for name, value in config.items()}  # as FLAML's own tuner passes them
        self._cfo.on_trial_complete(str(self.count), result)
        self.note(config, loss, seconds)

    def replay(self, config: Config, loss: float, seconds: float) -> None:
        """Take over a trial of an earlier search: the same suggestion is made again, and its loss reported.

        Where the suggestion differs (the search was made in another way), the search restarts at the best known point.
        """
        config = {name: value for name, value in config.items() if name in self._names}  # besides a number of trees
        suggested = self.suggest()
        if suggested is not None and _same(suggested, config):
            self.tell(config, loss, seconds)
            return
        self.note(config, loss, seconds)
        if self._best_config is not None:
            self._cfo = self._new(points_to_evaluate=[self._best_config], evaluated_rewards=[self.best])

    def note(self, config: Config, loss: float, seconds: float) -> None:
        """Keep count of what was spent and gained."""
        self.count += 1
        self.cost += seconds
        self.last_cost = seconds
        if loss < self.best:
            self.before_best, self.best = self.best, loss
            self._best_config = config
            self.cost_before_best, self.cost_at_best = self.cost_at_best, self.cost

    def expected_cost(self, leader: float) -> float:
        """Return the estimated seconds until this learner improves on the leader.

        Wang, Wu, Weimer, Zhu (2021), "FLAML: a fast and lightweight AutoML library", section 4.2.
        """
        if not self.count:
            return 0.0
        own = max(self.cost - self.cost_at_best, self.cost_at_best - self.cost_before_best, self.last_cost)
        if self.best <= leader or not math.isfinite(self.before_best):
            return own
        gained = self.before_best - self.best
        speed = gained / max(self.cost_at_best - self.cost_before_best, 1e-9)
        return max(own, 2 * (self.best - leader) / max(speed, 1e-12))


class Proposer:
    """Proposes a learner and a configuration, and learns from their loss.

    Parameters
    ----------
    learners : sequence of str
        Keys of `LEARNERS`.
    data : TrainingData
        Rows to learn from.
    seed : int
        Seed of the search.
    seconds : float or None
        Time budget, in which cost guides the search. None makes the proposals reproducible: learners take turns.
    """

    def __init__(self, learners: Sequence[str], data: TrainingData, seed: int, seconds: float | None) -> None:
        self._searches = {
            learner: _LearnerSearch(learner, data, seed + number, seconds) for number, learner in enumerate(learners)
        }
        self._timed = seconds is not None
        self._random = np.random.default_rng(seed)
        self._turn = 0

    def propose(self) -> tuple[str, Config]:
        """Return what to try next.

        Raises
        ------
        SpaceExhaustedError
            When every configuration was proposed.
        """
        for _ in range(100):
            search = self._choose()
            config = search.suggest()
            if config is not None:
                return search.learner, config
        raise SpaceExhaustedError

    def _choose(self) -> _LearnerSearch:
        searches = list(self._searches.values())
        untried = [search for search in searches if not search.count]
        if not self._timed or untried:
            self._turn += 1
            return untried[0] if untried else searches[self._turn % len(searches)]
        known = [search for search in searches if search.count < search.points]
        if known:  # the portfolio first: each learner has the same share of the time, whatever its trials cost
            return min(known, key=lambda search: search.cost)
        leader = min(search.best for search in searches)
        speeds = np.array([1 / max(search.expected_cost(leader), 1e-6) for search in searches])
        return searches[int(self._random.choice(len(searches), p=speeds / speeds.sum()))]

    def tell(self, learner: str, config: Config, loss: float, seconds: float) -> None:
        """Report a proposal's loss (infinite when it failed) and what it cost."""
        self._searches[learner].tell(config, loss, seconds)

    def replay(self, trial: Trial, loss: float) -> None:
        """Take over an earlier trial, so that the next proposal of its learner continues from there."""
        search = self._searches.get(trial.learner)
        if search is not None:
            search.replay(trial.config, loss, trial.seconds)


def _same(one: Config, other: Config) -> bool:
    return one.keys() == other.keys() and all(
        math.isclose(value, other[name], rel_tol=1e-9) if isinstance(value, int | float) else value == other[name]
        for name, value in one.items()
    )
