"""The configurations of a learner to try first, and with which made features."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.automl._types import Config
from core.automl.learners.registry import MADE_FEATURES
from core.automl.tuning.trials import Trial

__all__ = ["NONE", "Portfolio", "Proposal"]

NONE = "none"
"""Family of a configuration without made features, which does not name it."""


@dataclass(frozen=True)
class Proposal:
    """A configuration of the portfolio with a family of features.

    Parameters
    ----------
    index : int
        Position of the configuration.
    family : str
        Family of features that are made.
    config : dict
        Both together.
    """

    index: int
    family: str
    config: Config


@dataclass(frozen=True)
class _Outcome:
    """What came of the first configuration with some features."""

    loss: float
    fold_scores: Sequence[float]


class Portfolio:
    """Proposes the configurations in their order.

    The first one is tried without made features, and with some: with all families where the learner is the one that
    explores them, elsewhere with the family that paid there. The others have the features that did best.

    Parameters
    ----------
    points : sequence of dict
        Configurations, the most promising first.
    families : sequence of str
        Families of features that can be made of the table, as `FeatureGroups.families` has them.
    explores : bool, default=False
        Whether all families are tried.

    Examples
    --------
    >>> portfolio = Portfolio([{"a": 1}, {"a": 2}], ["none", "arithmetic"], explores=True)
    >>> for loss in (0.5, 0.4):
    ...     proposal = portfolio.next()
    ...     trial = Trial(None, "rf", proposal.config, "finished", fold_scores=[loss, loss + 0.1])
    ...     portfolio.note(proposal, trial, loss)
    >>> portfolio.favorite, portfolio.next().config
    ('arithmetic', {'a': 2, 'made_features': 'arithmetic'})
    """

    def __init__(self, points: Sequence[Config], families: Sequence[str], *, explores: bool = False) -> None:
        self._points = list(points)
        self._families = list(families)
        self._explores = explores
        self._outcomes: dict[str, _Outcome] = {}
        self._next = 1  # among the points after the first

    @property
    def favorite(self) -> str | None:
        """Family that paid: better than none by more than a standard error over the folds; None while it is open."""
        if not self._explores or self._untried(None) or NONE not in self._outcomes:
            return None
        return next((family for family in self._by_loss() if family == NONE or self._pays(family)), NONE)

    @property
    def exploring(self) -> bool:
        """Whether the features of the first configuration are not yet known to this learner, which explores them."""
        return self._explores and bool(self._untried(None))

    def has_next(self, favorite: str | None = None) -> bool:
        """Return whether a configuration is left, with the family that paid elsewhere."""
        return bool(self._untried(favorite)) or self._next < len(self._points)

    def next(self, favorite: str | None = None) -> Proposal | None:
        """Return the next configuration; None when all were tried."""
        if untried := self._untried(favorite):
            return self._proposal(0, untried[0])
        if self._next < len(self._points):
            return self._proposal(self._next, self._by_loss()[0] if self._outcomes else NONE)
        return None

    def possible(self) -> Iterator[Proposal]:
        """Yield all that may have come next, whatever was known elsewhere then: for trials of an earlier search."""
        for family in self._families if self._points else ():
            if family not in self._outcomes:
                yield self._proposal(0, family)
        for family in self._families if self._next < len(self._points) else ():
            yield self._proposal(self._next, family)

    def note(self, proposal: Proposal, trial: Trial, loss: float) -> None:
        """Take in what came of a configuration that `next` returned."""
        if proposal.index == 0:
            self._outcomes[proposal.family] = _Outcome(loss, trial.fold_scores or [])
        else:
            self._next = proposal.index + 1

    def clear(self) -> None:
        """Leave out what is left."""
        self._points = []

    def _proposal(self, index: int, family: str) -> Proposal:
        made = {} if family == NONE else {MADE_FEATURES: family}
        return Proposal(index, family, self._points[index] | made)

    def _untried(self, favorite: str | None) -> list[str]:
        """Return the families to try the first configuration with."""
        if not self._points:
            return []
        wanted = self._families[:1] if favorite is None else list(dict.fromkeys([favorite, NONE]))
        if self._explores:
            simple = [family for family in self._families if family != "all"]
            both = "all" in self._families and all(self._gains(family) for family in simple[1:])
            wanted = [*simple, *(["all"] if both else [])]
        return [family for family in wanted if family not in self._outcomes]

    def _by_loss(self) -> list[str]:
        return sorted(self._outcomes, key=lambda family: self._outcomes[family].loss)

    def _gains(self, family: str) -> bool:
        """Return whether features are known to be better than none."""
        own, plain = self._outcomes.get(family), self._outcomes.get(NONE)
        return own is not None and plain is not None and own.loss < plain.loss

    def _pays(self, family: str) -> bool:
        if not self._gains(family):
            return False
        own, plain = self._outcomes[family], self._outcomes[NONE]
        folds = min(len(own.fold_scores), len(plain.fold_scores))
        if folds < 2:
            return True
        differences = np.array(own.fold_scores[:folds]) - np.array(plain.fold_scores[:folds])
        return plain.loss - own.loss > float(differences.std(ddof=1)) / math.sqrt(folds)
