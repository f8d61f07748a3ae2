"""The configurations of a learner to try first, and with which made features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.automl._types import Config
from core.automl.learners.registry import MADE_FEATURES
from core.automl.tuning.trials import Trial

__all__ = ["NONE", "Portfolio"]

NONE = "none"
"""Family of a configuration without made features, which does not name it."""


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
    ...     portfolio.note(Trial(None, "rf", portfolio.next(), "finished", fold_scores=[loss, loss + 0.1]), loss)
    >>> portfolio.favorite, portfolio.next()
    ('arithmetic', {'a': 2, 'made_features': 'arithmetic'})
    """

    def __init__(self, points: Sequence[Config], families: Sequence[str], *, explores: bool = False) -> None:
        self._points = list(points)
        self._families = list(families)
        self._explores = explores
        self._outcomes: dict[str, _Outcome] = {}
        self._next = 0  # among the points

    @property
    def favorite(self) -> str | None:
        """Family that paid: better than none by more than a standard error over the folds; None while it is open."""
        if not self._explores or self._untried(None):
            return None
        return next((family for family in self._by_loss() if family == NONE or self._pays(family)), NONE)

    @property
    def exploring(self) -> bool:
        """Whether the features of the first configuration are not yet known to this learner, which explores them."""
        return self._explores and bool(self._untried(None))

    def has_next(self, favorite: str | None = None) -> bool:
        """Return whether a configuration is left, with the family that paid elsewhere."""
        return bool(self._points) and (bool(self._untried(favorite)) or max(self._next, 1) < len(self._points))

    def next(self, favorite: str | None = None) -> Config | None:
        """Return the next configuration; None when all were tried."""
        if not self.has_next(favorite):
            return None
        if untried := self._untried(favorite):
            return _with(self._points[0], untried[0])
        self._next = max(self._next, 1)
        return _with(self._points[self._next], self._by_loss()[0] if self._outcomes else NONE)

    def note(self, trial: Trial, loss: float) -> None:
        """Take in what came of the configuration that `next` returned."""
        family = trial.config.get(MADE_FEATURES, NONE)
        if self._next == 0:
            self._outcomes[family] = _Outcome(loss, trial.fold_scores or [])
        else:
            self._next += 1

    def clear(self) -> None:
        """Leave out what is left."""
        self._points = []

    def _untried(self, favorite: str | None) -> list[str]:
        """Return the families to try the first configuration with."""
        if self._next > 0 or not self._points:
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


def _with(point: Config, family: str) -> Config:
    return dict(point) if family == NONE else point | {MADE_FEATURES: family}
