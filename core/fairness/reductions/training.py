"""The training setup that every mitigation technique shares: encoded rows, groups, and the winner's estimator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from pydantic import JsonValue

from core.fairness.metrics.arrays import FloatArray, IndexArray
from core.resources import usable_cores

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

    from core.fairness.reductions.interruptible_estimator import InterruptibleEstimator
    from core.features import FeatureGroups

__all__ = ["TrainingSetup", "Winner"]


class Winner(TypedDict):
    """The winner of a search, as its result stores it."""

    learner: str
    config: dict[str, JsonValue]


@dataclass(frozen=True)
class TrainingSetup:
    """Encoded rows, groups, and the estimator that every technique trains.

    Parameters
    ----------
    X, y : arrays of shape (n, features) and (n,)
        Encoded training rows and their labels, 0 and 1.
    X_test : array of shape (m, features)
        Encoded test rows.
    group, test_group : arrays of shape (n,) and (m,)
        Group of each row.
    winner : Winner
        Learner and configuration of the search's winner.
    task : str
        Task of the search.
    constraint : str
        Name of one of `CONSTRAINTS`.
    difference_bound, iterations, grid_size, seed
        See `MitigationSettings`.
    before_fit : callable
        Called before each fit; it raises an error to stop.
    weights : array of shape (n,), optional
        Weights of the training rows, where the search has them.
    feature_groups : FeatureGroups, optional
        Encoded columns that a winner's features are made of.
    """

    X: FloatArray
    y: IndexArray
    X_test: FloatArray
    group: IndexArray
    test_group: IndexArray
    winner: Winner
    task: str
    constraint: str
    difference_bound: float
    iterations: int
    grid_size: int
    seed: int
    before_fit: Callable[[], None]
    weights: FloatArray | None = None
    feature_groups: FeatureGroups | None = None

    def learner(self) -> ClassifierMixin:
        """Return the winner's learner with its configuration, unfitted."""
        from core.automl import build_estimator

        jobs = usable_cores()
        return build_estimator(
            self.winner["learner"],
            self.winner["config"],
            self.task,
            jobs=jobs,
            seed=self.seed,
            groups=self.feature_groups,
        )

    def estimator(self) -> InterruptibleEstimator:
        """Return the learner, wrapped so that it calls `before_fit`."""
        from core.fairness.reductions.interruptible_estimator import InterruptibleEstimator

        return InterruptibleEstimator(self.learner(), self.before_fit)

    def fit(self, X: FloatArray, weights: FloatArray | None) -> InterruptibleEstimator:
        """Return the learner, fitted on training rows with some weights.

        Parameters
        ----------
        X : array of shape (n, features)
            Features of the training rows.
        weights : array of shape (n,) or None
            Weights of the rows.
        """
        return self.estimator().fit(X, self.y, **({} if weights is None else {self.weight_name: weights}))

    @property
    def weight_name(self) -> str:
        """Name of the learner's parameter for row weights."""
        steps = getattr(self.learner(), "steps", None)
        return f"{steps[-1][0]}__sample_weight" if steps else "sample_weight"
