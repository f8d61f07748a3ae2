"""Which configuration to try next: FLAML's cost-frugal search for each learner, and its rule to choose the learner."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from core.automl._types import Config
from core.automl.learners.build import low_cost, search_space, start_points
from core.automl.learners.registry import LEARNERS, LOSS, MADE_FEATURES
from core.automl.tuning.portfolio import NONE, Portfolio, Proposal
from core.automl.tuning.trials import Trial

if TYPE_CHECKING:
    from flaml import CFO

    from core.automl.data.training_data import TrainingData

__all__ = ["Proposer", "SpaceExhaustedError"]

EXPLORED = 0.1
"""Share of the time budget below which a trial is cheap enough to explore made features before other learners."""


class SpaceExhaustedError(Exception):
    """Every configuration of the search spaces was proposed."""


class _LearnerSearch:
    """The search within one learner's space, and what it has cost and gained so far."""

    def __init__(
        self, learner: str, data: TrainingData, seed: int, seconds: float | None, metric: str, *, explores: bool
    ) -> None:
        from flaml import CFO

        self.learner = learner
        self.count = 0
        self.cost = 0.0  # seconds spent, and at the best and the second-best score
        self.cost_at_best = 0.0
        self.cost_before_best = 0.0
        self.best = math.inf
        self.before_best = math.inf
        self.last_cost = 0.0
        space = search_space(learner, data, metric)
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
        self._initial = {name: entry.initial for name, entry in space.items() if entry.initial is not None}
        points = start_points(learner, data, seconds, metric)
        self.portfolio = Portfolio(points, data.feature_groups.families, explores=explores)
        self._proposal: Proposal | None = None
        self._cfo: CFO | None = None
        self._best_config: Config | None = None

    def suggest(self, favorite: str | None) -> Config | None:
        """Return the next configuration, of the portfolio first; None when the space is exhausted."""
        self._proposal = self.portfolio.next(favorite)
        if self._proposal is not None:
            return self._proposal.config
        if self._cfo is None:
            self._cfo = self._begun()
        config = self._cfo.suggest(str(self.count))
        if config is None:
            return None
        plain = {name: getattr(value, "item", lambda value=value: value)() for name, value in config.items()}
        return {name: value for name, value in plain.items() if (name, value) != (MADE_FEATURES, NONE)}

    def _begun(self) -> CFO:
        """Return FLAML's search, which starts at the best known point."""
        if self._best_config is None:
            return self._new()
        return self._new(points_to_evaluate=[self._best_config], evaluated_rewards=[self.best])

    def tell(self, trial: Trial, loss: float) -> None:
        """Report what came of the latest suggestion."""
        if self._proposal is not None:
            self.portfolio.note(self._proposal, trial, loss)
        elif self._cfo is not None:
            result = {"loss": loss if math.isfinite(loss) else 1e10, "time_total_s": trial.seconds}
            # The configuration is passed as FLAML's own tuner passes it.
            result |= {f"config/{name}": value for name, value in self._whole(trial).items()}
            self._cfo.on_trial_complete(str(self.count), result)
        self.note(trial, loss)

    def replay(self, trial: Trial, loss: float, favorite: str | None) -> None:
        """Take over a trial of an earlier search: the same suggestion is made again, and its loss reported.

        Where the suggestion differs (the search was made in another way), the search restarts at the best known point.
        A hyperparameter that an earlier version did not have had its initial value; errors were squared.
        """
        whole = self._whole(trial)
        for proposal in self.portfolio.possible():
            if _same(self._initial | proposal.config, whole):
                self._proposal = proposal
                self.tell(trial, loss)
                return
        suggested = self.suggest(favorite)
        if suggested is not None and _same(self._initial | suggested, whole):
            self.tell(trial, loss)
            return
        self.note(trial, loss)
        self.portfolio.clear()
        self._cfo = None

    def _whole(self, trial: Trial) -> Config:
        """Return a trial's values of all hyperparameters that its learner has, besides a number of trees."""
        before = self._initial | ({LOSS: "squared"} if LOSS in self._names else {})
        return before | {name: value for name, value in trial.config.items() if name in self._names}

    def note(self, trial: Trial, loss: float) -> None:
        """Keep count of what was spent and gained."""
        self.count += 1
        self.cost += trial.seconds
        self.last_cost = trial.seconds
        if loss < self.best:
            self.before_best, self.best = self.best, loss
            self._best_config = self._whole(trial)
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
    favorite : callable, optional
        Function that returns the made features that paid in another worker, None while that is open. By default the
        first learner that is grown explores them here.
    metric : str, default="auto"
        Key of `METRICS` that the search optimizes.
    """

    def __init__(
        self,
        learners: Sequence[str],
        data: TrainingData,
        seed: int,
        seconds: float | None,
        favorite: Callable[[], str | None] | None = None,
        metric: str = "auto",
    ) -> None:
        explorer = next((name for name in learners if LEARNERS[name].grow is not None), learners[0])
        self._searches = {
            learner: _LearnerSearch(
                learner, data, seed + number, seconds, metric, explores=favorite is None and learner == explorer
            )
            for number, learner in enumerate(learners)
        }
        self._explorer = self._searches[explorer]
        self._known_elsewhere = favorite
        self._seconds = seconds
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
            config = search.suggest(self.favorite)
            if config is not None:
                return search.learner, config
        raise SpaceExhaustedError

    def _choose(self) -> _LearnerSearch:
        searches = list(self._searches.values())
        untried = [search for search in searches if not search.count]
        if self._seconds is not None and self._explores_early(self._seconds):
            return self._explorer
        if self._seconds is None or untried:
            self._turn += 1
            return untried[0] if untried else searches[self._turn % len(searches)]
        known = [search for search in searches if search.portfolio.has_next(self.favorite)]
        if known:  # the portfolio first: each learner has the same share of the time, whatever its trials cost
            return min(known, key=lambda search: search.cost)
        leader = min(search.best for search in searches)
        speeds = np.array([1 / max(search.expected_cost(leader), 1e-6) for search in searches])
        return searches[int(self._random.choice(len(searches), p=speeds / speeds.sum()))]

    @property
    def favorite(self) -> str | None:
        """Made features that paid; None while it is open."""
        return self._explorer.portfolio.favorite if self._known_elsewhere is None else self._known_elsewhere()

    def _explores_early(self, seconds: float) -> bool:
        """Return whether the features are to be explored next: where that is cheap, the others know from the start."""
        explorer = self._explorer
        return bool(explorer.count) and explorer.portfolio.exploring and explorer.last_cost < EXPLORED * seconds

    def tell(self, trial: Trial, loss: float) -> None:
        """Report what came of a proposal: its loss is infinite when it failed."""
        self._searches[trial.learner].tell(trial, loss)

    def replay(self, trial: Trial, loss: float) -> None:
        """Take over an earlier trial, so that the next proposal of its learner continues from there."""
        search = self._searches.get(trial.learner)
        if search is not None:
            search.replay(trial, loss, self.favorite)


def _same(one: Config, other: Config) -> bool:
    return one.keys() == other.keys() and all(
        math.isclose(value, other[name], rel_tol=1e-9) if isinstance(value, int | float) else value == other[name]
        for name, value in one.items()
    )
