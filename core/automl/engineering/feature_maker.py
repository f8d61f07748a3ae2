"""Which features are worth making of the columns, found on the rows to learn from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from core.automl._types import Features, Target, Weights
from core.automl.engineering.candidates import Candidate, Candidates
from core.features import FeatureGroups

__all__ = ["FeatureMaker"]

_MAX_CLASSES = 8  # with a mean of their own


class FeatureMaker(BaseEstimator):
    """Put beside the encoded columns features that are made of them.

    Candidates are compared by their Spearman correlation with the target: what is kept says more about it than the
    columns that it is made of. Means of the target are those of other rows where a model learns (cross-fitting), so
    that no row's feature has its own target in it; rows of a group may be on both sides of that.

    Parameters
    ----------
    groups : FeatureGroups
        Columns to make features of.
    families : {"target_means", "arithmetic", "all"}, default="all"
        Families to make: means of the target by category and by pair of categories; sums, differences, products and
        ratios of numbers, and their differences from a group's mean; or both.
    random_state : int, default=0
        Seed of the folds of the cross-fitting.

    Attributes
    ----------
    made_ : list of MadeFeature
        The features, in the order of their columns.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(500, 2)).astype(np.float32)
    >>> maker = FeatureMaker(FeatureGroups({"debt": 0, "income": 1}))
    >>> made = maker.fit_transform(X, X[:, 0] * X[:, 1])
    >>> maker.made_[0].title, made.shape[1] == 2 + len(maker.made_)
    ('debt × income', True)
    """

    def __init__(self, groups: FeatureGroups, families: str = "all", random_state: int = 0) -> None:
        self.groups = groups
        self.families = families
        self.random_state = random_state

    def fit_transform(
        self, X: Features, y: Target, sample_weight: Weights | None = None, *, classes: bool = False
    ) -> Features:
        """Choose the features, and return the columns with those of the rows to learn from.

        Parameters
        ----------
        X : array of shape (n, features)
            Encoded rows.
        y : array of shape (n,)
            Class codes, or numbers.
        sample_weight : array of shape (n,), optional
            Weight of each row.
        classes : bool, default=False
            Whether `y` holds classes.

        Returns
        -------
        array of shape (n, features + made), float32
        """
        X = np.asarray(X, dtype=np.float32)
        weights = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        candidates = Candidates(X, _targets(y, classes), weights, self.groups, self.random_state)
        kept: list[Candidate] = []
        if self.families in ("target_means", "all"):
            kept += candidates.target_means()
        if self.families in ("arithmetic", "all"):
            kept += candidates.arithmetic() + candidates.group_differences()
        self.made_ = [candidate.feature for candidate in kept]
        return np.hstack([X, *map(candidates.learned, kept)])

    def transform(self, X: Features) -> Features:
        """Return the columns with the features of other rows, float32, shape (n, features + made)."""
        return np.hstack([np.asarray(X, dtype=np.float32), *(feature.values(X) for feature in self.made_)])


def _targets(y: Target, classes: bool) -> NDArray[np.float64]:
    """Return what means are taken of: numbers, or an indicator of each class but the first of two; (n, m)."""
    if not classes:
        return np.asarray(y, dtype=np.float64)[:, None]
    codes, counts = np.unique(y, return_counts=True)
    if len(codes) == 1:
        return np.zeros((len(y), 1))
    chosen = codes[1:] if len(codes) <= 2 else np.sort(codes[np.argsort(-counts, kind="stable")[:_MAX_CLASSES]])
    indicators: NDArray[np.float64] = (np.asarray(y)[:, None] == chosen).astype(np.float64)
    return indicators
