"""A learner that asks before each fit whether to go on: searches of Fairlearn fit dozens of models in one call."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from sklearn.base import BaseEstimator, ClassifierMixin, clone

__all__ = ["watched"]


class _Watched(ClassifierMixin, BaseEstimator):
    """Fits a copy of `learner`; what is called before each fit is shared by all copies of this."""

    def __init__(self, learner: Any, ask: Callable[[], None]) -> None:
        self.learner = learner
        self.ask = ask

    def __deepcopy__(self, memo: dict[int, Any]) -> _Watched:
        return _Watched(deepcopy(self.learner, memo), self.ask)

    def __sklearn_clone__(self) -> _Watched:
        return _Watched(clone(self.learner), self.ask)

    def fit(self, X: Any, y: Any, **weights: Any) -> _Watched:
        self.ask()
        self.fitted_ = clone(self.learner).fit(X, y, **weights)
        self.classes_ = self.fitted_.classes_
        return self

    def predict(self, X: Any) -> Any:
        return self.fitted_.predict(X)

    def predict_proba(self, X: Any) -> Any:
        return self.fitted_.predict_proba(X)


def watched(learner: Any, ask: Callable[[], None]) -> Any:
    """Return the learner, calling `ask` before each of its fits and those of its copies."""
    return _Watched(learner, ask)
