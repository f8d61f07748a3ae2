"""The features that could be made of one set of rows, compared by what they say about the target."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.automl._types import Codes, Features, Weights
from core.automl.engineering.made_features import (
    OPERATORS,
    Arithmetic,
    GroupDifference,
    MadeFeature,
    Operator,
    TargetMeans,
    calculate,
    category_codes,
)
from core.automl.engineering.rank_correlation import RankCorrelation, standardized_ranks
from core.automl.engineering.target_means import FOLDS, cross_fitted_means, shrunken_means
from core.features import FeatureGroups

__all__ = ["Candidate", "Candidates"]

_SAMPLE = 5_000  # rows that candidates are compared on
_SOURCES = 12  # numbers, or categories, most related to the target, of which pairs are made
_GROUP_SOURCES = 8  # of each, where numbers and categories are paired
_MAX_MEANS, _MAX_PAIRS, _MAX_ARITHMETIC, _MAX_DIFFERENCES = 30, 10, 10, 10
_MIN_GAIN = 2.0  # standard errors of a rank correlation, by which a feature must say more than its columns
_ALIKE = 0.98  # rank correlation of two features, of which the second is not made
_MAX_CODES = 10_000  # of a pair of categories
_DISTINCT = 8  # values above which a number is one to calculate with


@dataclass(frozen=True)
class Candidate:
    """A feature that could be made.

    Parameters
    ----------
    feature : MadeFeature
        The feature.
    gain : float
        Rank correlation with the target, less that of the columns it is made of.
    ranks : array of shape (sample,)
        Standardized ranks of its values.
    """

    feature: MadeFeature
    gain: float
    ranks: NDArray[np.float64]


class Candidates:
    """Makes and compares the candidates of one set of rows.

    Parameters
    ----------
    X : array of shape (n, features), float32
        Encoded rows to learn from.
    targets : array of shape (n, m)
        Numbers, or an indicator of each class, that means are taken of.
    weights : array of shape (n,)
        Weight of each row.
    groups : FeatureGroups
        Columns to make features of.
    seed : int
        Seed of the sample and of the folds of the cross-fitting.
    """

    def __init__(
        self, X: Features, targets: NDArray[np.float64], weights: Weights, groups: FeatureGroups, seed: int
    ) -> None:
        order = np.random.default_rng(seed).permutation(len(X))
        self._X, self._targets, self._weights, self._groups = X, targets, weights, groups
        self._folds: Codes = np.empty(len(X), dtype=np.intp)
        self._folds[order] = np.arange(len(X)) % FOLDS
        self._rows = np.sort(order[weights[order] > 0][:_SAMPLE])
        self._sample = X[self._rows]
        self._related = RankCorrelation(targets[self._rows])
        self._means = {name: self._target_means(name) for name in groups.categories}
        self._by_relation = sorted(self._means, key=lambda name: -self._means[name].gain)

    def learned(self, candidate: Candidate) -> Features:
        """Return the values of a feature where a model learns: means of the target are those of other rows."""
        feature = candidate.feature
        if not isinstance(feature, TargetMeans):
            return feature.values(self._X)
        codes, size = feature.codes(self._X), len(feature.table)
        return cross_fitted_means(codes, size, self._targets, self._weights, self._folds)

    def target_means(self) -> list[Candidate]:
        """Return the best categories, and those pairs that say more than either category."""
        best = self._by_relation[:_SOURCES]
        sources = [name for name in self._groups.categories if name in best]
        pairs = [
            self._target_means(one, other)
            for one, other in itertools.combinations(sources, 2)
            if self._groups.sizes[one] * self._groups.sizes[other] <= _MAX_CODES
        ]
        return [self._means[name] for name in self._by_relation[:_MAX_MEANS]] + _best(pairs, _MAX_PAIRS)

    def arithmetic(self) -> list[Candidate]:
        """Return those sums, differences, products and ratios of numbers that say more than either number."""
        known = self._numbers(self._groups.numbers) | self._numbers(self._groups.shifted)
        numbers = [name for name in self._groups.numbers if name in known]
        shifted = [name for name in self._groups.shifted if name in known]
        pairs = [
            *((one, other, "+-*/") for one, other in itertools.combinations(numbers, 2)),
            *((other, one, "/") for one, other in itertools.combinations(numbers, 2)),
            *((one, other, "-") for one, other in itertools.combinations(shifted, 2)),
        ]
        candidates = [
            self._compared(self._calculated(operator, one, other), max(known[one], known[other]))
            for one, other, operators in pairs
            for operator in OPERATORS
            if operator in operators
        ]
        return _best(candidates, _MAX_ARITHMETIC)

    def group_differences(self) -> list[Candidate]:
        """Return those differences of a number from its mean in a category that say more than the number."""
        numbers = self._numbers(self._groups.numbers)
        candidates = []
        for category in self._by_relation[:_GROUP_SOURCES]:
            positions = self._groups.categories[category]
            codes = category_codes(self._X, positions)
            for name in list(numbers)[:_GROUP_SOURCES]:
                number = self._groups.numbers[name]
                column = np.asarray(self._X[:, [number]], dtype=np.float64)
                means = shrunken_means(codes, self._groups.sizes[category], column, self._weights)
                feature = GroupDifference([name, category], number, positions, means.ravel())
                candidates.append(self._compared(feature, numbers[name]))
        return _best(candidates, _MAX_DIFFERENCES)

    def _numbers(self, positions: dict[str, int]) -> dict[str, float]:
        """Return the numbers with many values that say most about the target, with what they say."""
        scores = {
            name: self._related(self._sample[:, position])
            for name, position in positions.items()
            if len(np.unique(self._sample[:, position])) > _DISTINCT
        }
        return dict(sorted(scores.items(), key=lambda item: -item[1])[:_SOURCES])

    def _compared(self, feature: MadeFeature, known: float) -> Candidate:
        ranks = standardized_ranks(feature.values(self._sample)[:, 0])
        return Candidate(feature, self._related.of_ranks(ranks) - known, ranks)

    def _calculated(self, operator: Operator, one: str, other: str) -> Arithmetic:
        positions = self._groups.numbers | self._groups.shifted
        first, second = positions[one], positions[other]
        otherwise = 0.0
        if operator == "/":
            rows = self._sample[self._sample[:, second] != 0]
            if len(rows):
                otherwise = float(np.median(calculate("/", rows[:, first], rows[:, second])))
        return Arithmetic([one, other], operator, first, second, otherwise)

    def _target_means(self, *names: str) -> Candidate:
        positions = [self._groups.categories[name] for name in names]
        sizes = [self._groups.sizes[name] for name in names]
        untaught = TargetMeans(list(names), positions, sizes, np.zeros((0, 0), dtype=np.float32))
        codes, size = untaught.codes(self._X), int(np.prod(sizes))
        table = shrunken_means(codes, size, self._targets, self._weights)
        sampled = cross_fitted_means(codes, size, self._targets, self._weights, self._folds, self._rows)
        ranks = max(map(standardized_ranks, sampled.T), key=self._related.of_ranks)
        known = 0.0 if len(names) == 1 else max(self._means[name].gain for name in names)
        feature = TargetMeans(list(names), positions, sizes, table)
        return Candidate(feature, self._related.of_ranks(ranks) - known, ranks)


def _best(candidates: list[Candidate], count: int) -> list[Candidate]:
    """Return the candidates with the largest gains, none of them nearly the same as a better one."""
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda candidate: -candidate.gain):
        if candidate.gain < _MIN_GAIN / math.sqrt(len(candidate.ranks)) or len(kept) == count:
            break
        if all(abs(candidate.ranks @ other.ranks) < _ALIKE * len(other.ranks) for other in kept):
            kept.append(candidate)
    return kept
