"""A rule of decision by group: one or more thresholds, each with the probability that it is the one that counts."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.fairness.metrics.groups import group_rows, label_text
from core.fairness.metrics.labels import as_array
from core.fairness.metrics.sorted_scores import as_scores

__all__ = ["ThresholdPolicy"]

Rule = tuple[tuple[float, float], ...]
_WORDS = {math.inf: "never", -math.inf: "always"}


@dataclass(frozen=True)
class ThresholdPolicy:
    """Thresholds by group.

    Parameters
    ----------
    rules : dict
        For each group (its label as text) pairs of (threshold, probability); a row is selected when its score is at
        least the threshold that was drawn for it. An infinite threshold selects nobody, a minus infinite one everybody.
    columns : tuple of str
        The sensitive columns, in the order of the labels.
    settings : dict
        What was asked for: constraint, objective, tolerance and so on.
    expected : dict
        What it promises on the rows it was fitted on: objective, violation, unconstrained_objective,
        unconstrained_violation, and by group the rates.

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
    settings: dict[str, Any] = field(default_factory=dict)
    expected: dict[str, Any] = field(default_factory=dict)

    @property
    def randomized(self) -> bool:
        """Whether any group's decision is drawn."""
        return any(len(rule) > 1 for rule in self.rules.values())

    def rule_of(self, label: Any) -> Rule:
        """Return a group's rule.

        Raises
        ------
        InputError
            When the group was not there when the policy was fitted.
        """
        text = label_text(label)
        if text not in self.rules:
            raise InputError(
                f"The policy has no rule for the group '{text}': it was not fitted on rows of it.",
                f"It knows {', '.join(list(self.rules)[:10])}. Fit it again with such rows, or leave them out.",
            )
        return self.rules[text]

    def expected_rate(self, y_score: Any, sensitive_features: Any) -> NDArray[np.float64]:
        """Return the probability that each row is selected, shape (n,).

        Raises
        ------
        InputError
            When a group is unknown, or the scores are no finite numbers.
        """
        scores = as_scores(as_array(y_score, "y_score"))
        grouping = group_rows(sensitive_features, rows=len(scores))
        unknown = [text for text in map(label_text, grouping.labels) if text not in self.rules]
        if unknown:
            counts = np.bincount(grouping.codes, minlength=len(grouping))
            rows = sum(int(counts[i]) for i, label in enumerate(grouping.labels) if label_text(label) in unknown)
            raise InputError(
                f"{rows:,} rows are of groups that the policy does not know: {', '.join(unknown[:5])}.",
                f"It knows {', '.join(list(self.rules)[:10])}. Fit it again with such rows, or leave them out.",
            )
        found = np.zeros(len(scores))
        for place, label in enumerate(grouping.labels):
            own = grouping.codes == place
            for threshold, probability in self.rule_of(label):
                found[own] += probability * (scores[own] >= threshold)
        return found.clip(0.0, 1.0)

    def predict(
        self,
        y_score: Any,
        sensitive_features: Any,
        *,
        random_state: int | None = None,
        row_ids: Sequence[Any] | None = None,
    ) -> NDArray[np.int64]:
        """Decide for each row, 0 or 1.

        Parameters
        ----------
        y_score, sensitive_features
            As `expected_rate` takes them.
        random_state : int, optional
            Seed of the draws; the decision of a row then depends on its place among the others.
        row_ids : sequence of shape (n,), optional
            Unique ids; the draw is a keyed hash of the id, so that a row's decision is its own and can be repeated.

        Raises
        ------
        InputError
            When the policy draws and neither a seed nor ids are given, or ids are not unique.
        """
        rates = self.expected_rate(y_score, sensitive_features)
        if not self.randomized:
            return (rates >= 0.5).astype(np.int64)
        if row_ids is not None:
            ids = [label_text(each) for each in row_ids]
            if len(ids) != len(rates):
                raise InputError(f"There are {len(ids):,} row ids for {len(rates):,} rows.", "Give one a row.")
            if len(set(ids)) < len(ids):
                raise InputError("Some row ids occur more than once.", "Give ids that are unique, such as a key.")
            draws = np.array([self._draw(each) for each in ids])
        elif random_state is not None:
            draws = np.random.default_rng(random_state).random(len(rates))
        else:
            raise InputError(
                "This policy draws some decisions at random.",
                "Give row_ids, so that each decision can be repeated, or a random_state.",
            )
        return (draws < rates).astype(np.int64)

    def _draw(self, row_id: str) -> float:
        digest = hashlib.blake2b(row_id.encode("utf-8", "surrogatepass"), key=self._salt, digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64

    @property
    def _salt(self) -> bytes:
        """The key of the draws: of the rules, so that the same policy decides the same wherever it was loaded."""
        return hashlib.blake2b(json.dumps(self._plain_rules(), sort_keys=True).encode(), digest_size=16).digest()

    def _plain_rules(self) -> dict[str, list[dict[str, Any]]]:
        return {
            group: [{"threshold": _WORDS.get(t, t), "probability": p} for t, p in rule]
            for group, rule in self.rules.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values; thresholds without a bound are "always" and "never"."""
        return {
            "kind": "threshold policy",
            "version": 1,
            "columns": list(self.columns),
            "rules": self._plain_rules(),
            "settings": self.settings,
            "expected": self.expected,
        }

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> ThresholdPolicy:
        """Read what `to_dict` wrote.

        Raises
        ------
        InputError
            When it is no such policy.
        """
        if found.get("kind") != "threshold policy" or found.get("version") != 1:
            raise InputError("This is no threshold policy of this version.", "Give what ThresholdPolicy.to_dict wrote.")
        if not isinstance(found.get("rules"), dict) or not isinstance(found.get("columns"), list):
            raise InputError("This policy has no rules, or no columns.", "Give what ThresholdPolicy.to_dict wrote.")
        numbers = {word: number for number, word in _WORDS.items()}
        rules = {
            group: tuple(
                (float(numbers.get(part["threshold"], part["threshold"])), float(part["probability"])) for part in rule
            )
            for group, rule in found["rules"].items()
        }
        return cls(rules, tuple(found["columns"]), dict(found.get("settings", {})), dict(found.get("expected", {})))
