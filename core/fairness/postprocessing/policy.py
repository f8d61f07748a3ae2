"""A decision rule by group: one or more thresholds, each with the probability that it is applied."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.errors import InputError
from core.fairness.metrics.arrays import Columns, FloatArray, Label
from core.fairness.metrics.bins import name_bins
from core.fairness.metrics.groups import group_rows, label_text
from core.fairness.metrics.labels import as_array
from core.fairness.metrics.sorted_scores import as_scores
from core.fairness.postprocessing.policy_columns import select_columns
from core.fairness.postprocessing.stored_policy import (
    Bins,
    PolicyExpectation,
    PolicySettings,
    Rule,
    StoredPolicy,
    check_rules,
    read_bins,
    read_policy,
    read_rules,
    stored_bins,
    stored_rules,
)

__all__ = ["ALL_ROWS", "ThresholdPolicy"]

ALL_ROWS = "all rows"
"""Name of the one group of a policy without columns."""


@dataclass(frozen=True)
class ThresholdPolicy:
    """Thresholds by group.

    Parameters
    ----------
    rules : dict
        Pairs of (threshold, probability) by group (its label as text). A row is selected when its score is at least the
        threshold that was drawn for it. A threshold of infinity selects no row, one of minus infinity every row.
    columns : tuple of str
        The sensitive columns, in the order of the labels. Without columns, one rule decides on all rows.
    settings : dict, optional
        Settings of the optimization: constraint, objective, tolerance and so on.
    expected : dict, optional
        Promise on the rows it was fitted on: objective, violation, unconstrained_objective,
        unconstrained_violation, and rates by group.
    bins : dict of tuple of BinRange, optional
        Bins of the columns whose groups are bins of numbers. None where it is unknown which are: in policies of earlier
        versions, whose bins are known by their names.
    between_scores : bool, default=False
        Whether the thresholds lie between scores, and so are compared exactly wherever the policy decides. Otherwise a
        score that equals a threshold but for the last digits, in which runtimes differ, reaches it in an exported model
        and in the registry.

    Raises
    ------
    InputError
        When a rule is empty, a threshold is NaN, or the probabilities of a rule do not add up to 1.

    Examples
    --------
    >>> policy = ThresholdPolicy({"a": ((0.5, 1.0),), "b": ((0.4, 0.25), (0.6, 0.75))}, ("group",))
    >>> policy.expected_rate([0.5, 0.5, 0.7], ["a", "b", "b"]).tolist()
    [1.0, 0.25, 1.0]
    >>> ThresholdPolicy.from_dict(policy.to_dict()) == policy
    True
    """

    rules: dict[str, Rule]
    columns: tuple[str, ...]
    settings: PolicySettings = field(default_factory=lambda: PolicySettings())
    expected: PolicyExpectation = field(default_factory=lambda: PolicyExpectation())
    bins: Bins | None = None
    between_scores: bool = False

    def __post_init__(self) -> None:
        check_rules(self.rules)
        if not self.columns and list(self.rules) != [ALL_ROWS]:
            raise InputError(
                f"A policy without columns has rules for {', '.join(list(self.rules)[:10]) or 'no group'}.",
                f"Name the columns of these groups, or give one rule for '{ALL_ROWS}'.",
            )

    @classmethod
    def for_all(
        cls, threshold: float, *, settings: PolicySettings | None = None, expected: PolicyExpectation | None = None
    ) -> ThresholdPolicy:
        """Return the policy that selects every row whose score is at least a threshold.

        Parameters
        ----------
        threshold : float
            The threshold.
        settings, expected : dict, optional
            Purpose that the threshold was chosen for, and its promise.

        Examples
        --------
        >>> ThresholdPolicy.for_all(0.5).predict([0.4, 0.5]).tolist()
        [0, 1]
        """
        return cls({ALL_ROWS: ((float(threshold), 1.0),)}, (), settings or {}, expected or {})

    def chosen_on_sample(self, rows: int, total: int) -> ThresholdPolicy:
        """Return the policy with the note that it was chosen on a sample of `rows` of `total` rows.

        Examples
        --------
        >>> ThresholdPolicy.for_all(0.4).chosen_on_sample(1_000, 25_000).settings
        {'sampled_rows': 1000, 'all_rows': 25000}
        """
        return replace(self, settings=self.settings | {"sampled_rows": rows, "all_rows": total})

    @property
    def randomized(self) -> bool:
        """Whether any group's decision is drawn."""
        return any(len(rule) > 1 for rule in self.rules.values())

    def rule_of(self, label: Label) -> Rule:
        """Return a group's rule.

        Raises
        ------
        InputError
            When the policy was fitted without rows of the group.
        """
        text = label_text(label) if self.columns else ALL_ROWS
        if text not in self.rules:
            raise InputError(
                f"The policy has no rule for the group '{text}': it was fitted without rows of it.",
                f"It has rules for {', '.join(list(self.rules)[:10])}. Fit it again with such rows, or leave them out.",
            )
        return self.rules[text]

    def expected_rate(self, y_score: ArrayLike, sensitive_features: Columns | None = None) -> FloatArray:
        """Return the probability that each row is selected, shape (n,).

        Parameters
        ----------
        y_score : array-like of shape (n,)
            Scores of the rows.
        sensitive_features : array-like, Series, DataFrame or mapping, optional
            The columns of the policy. A policy without columns does not read them.

        Raises
        ------
        InputError
            When a group is unknown, or the scores are not finite numbers.
        """
        scores = as_scores(as_array(y_score, "y_score"))
        if not self.columns:
            return sum((p * (scores >= t) for t, p in self.rules[ALL_ROWS]), np.zeros(len(scores))).clip(0.0, 1.0)
        if sensitive_features is None:
            raise InputError(
                f"The policy decides by {' and '.join(self.columns)}.", "Give these columns as sensitive_features."
            )
        grouping = group_rows(self._groups_of(sensitive_features), rows=len(scores))
        unknown = [text for text in map(label_text, grouping.labels) if text not in self.rules]
        if unknown:
            counts = np.bincount(grouping.codes, minlength=len(grouping))
            rows = sum(int(counts[i]) for i, label in enumerate(grouping.labels) if label_text(label) in unknown)
            raise InputError(
                f"{rows:,} rows belong to groups that the policy does not know: {', '.join(unknown[:5])}.",
                f"It has rules for {', '.join(list(self.rules)[:10])}. Fit it again with such rows, or leave them out.",
            )
        rates = np.zeros(len(scores))
        for group, label in enumerate(grouping.labels):
            own = grouping.codes == group
            for threshold, probability in self.rule_of(label):
                rates[own] += probability * (scores[own] >= threshold)
        return rates.clip(0.0, 1.0)

    def _groups_of(self, features: Columns) -> Columns:
        """Return the columns of the policy, numbers of a column in bins as the names of their bins."""
        columns, bins = select_columns(features, self.columns), self.bins or {}
        if isinstance(columns, Mapping):
            return {name: name_bins(values, bins[name]) if name in bins else values for name, values in columns.items()}
        if (
            len(bins) == len(self.columns) == 1
            and not isinstance(columns, pd.DataFrame)
            and np.asarray(columns).ndim == 1
        ):
            return name_bins(columns, next(iter(bins.values())))
        return columns

    def predict(
        self,
        y_score: ArrayLike,
        sensitive_features: Columns | None = None,
        *,
        random_state: int | None = None,
        row_ids: Sequence[Label] | None = None,
    ) -> NDArray[np.int64]:
        """Decide for each row, 0 or 1.

        Parameters
        ----------
        y_score : array-like of shape (n,)
            Scores of the rows.
        sensitive_features : array-like, Series, DataFrame or mapping, optional
            The columns of the policy, see `expected_rate`.
        random_state : int, optional
            Seed of the draws; the decision of a row then depends on its position among the others.
        row_ids : sequence of shape (n,), optional
            Unique ids. The draw is a keyed hash of the id, so that a row's decision does not depend on other rows and
            can be repeated.

        Raises
        ------
        InputError
            When the policy draws and neither a seed nor ids are given, or ids are not unique.
        """
        rates = self.expected_rate(y_score, sensitive_features)
        if not self.randomized:
            return (rates >= 0.5).astype(np.int64)
        if row_ids is not None:
            ids = [label_text(row_id) for row_id in row_ids]
            if len(ids) != len(rates):
                raise InputError(f"There are {len(ids):,} row ids for {len(rates):,} rows.", "Give one per row.")
            if len(set(ids)) < len(ids):
                raise InputError("Some row ids occur more than once.", "Give ids that are unique, such as a key.")
            draws = np.array([self._draw(row_id) for row_id in ids])
        elif random_state is not None:
            draws = np.random.default_rng(random_state).random(len(rates))
        else:
            raise InputError(
                "This policy draws some decisions at random.",
                "Give row_ids, so that each decision can be repeated, or a random_state.",
            )
        return (draws < rates).astype(np.int64)

    def _draw(self, row_id: str) -> float:
        digest = hashlib.blake2b(row_id.encode("utf-8", "surrogatepass"), key=self._key, digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64

    @property
    def _key(self) -> bytes:
        """Key of the draws. It depends on the rules alone, so that a policy decides the same wherever it is loaded."""
        return hashlib.blake2b(json.dumps(stored_rules(self.rules), sort_keys=True).encode(), digest_size=16).digest()

    def to_dict(self) -> dict[str, Any]:
        """Return the policy as JSON-serializable values; infinite thresholds are "always" and "never"."""
        stored: StoredPolicy = {
            "kind": "threshold policy",
            "version": 1,
            "columns": list(self.columns),
            "rules": stored_rules(self.rules),
            "settings": self.settings,
            "expected": self.expected,
        }
        if self.bins is not None:
            stored["bins"] = stored_bins(self.bins)
        if self.between_scores:
            stored["between_scores"] = True
        return dict(stored)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ThresholdPolicy:
        """Read what `to_dict` returned.

        Raises
        ------
        InputError
            When the values are not a policy of this version, or its rules do not decide.
        """
        stored = read_policy(values)
        bins = stored.get("bins")
        return cls(
            read_rules(stored["rules"]),
            tuple(stored["columns"]),
            stored.get("settings", {}),
            stored.get("expected", {}),
            None if bins is None else read_bins(bins),
            stored.get("between_scores", False),
        )
