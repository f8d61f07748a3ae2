"""Decisions by a policy: thresholds by group; some decisions are drawn by a keyed hash of the row's id."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cells import CellError
from .groups import GroupNames
from .ties import reaches

__all__ = ["Rules"]

_WORDS = {"never": math.inf, "always": -math.inf}


class Rules:
    """The rules of a policy.

    Parameters
    ----------
    policy : mapping
        The policy, as in the model's metadata.

    Attributes
    ----------
    columns : list of str
        Columns that the policy decides by; none where one rule is for all rows.
    positive : str or None
        Label that its scores are the probabilities of; None for the model's last.
    names : GroupNames
        Names of its groups.

    Examples
    --------
    >>> rules = Rules({"columns": ["group"], "rules": {"a": [{"threshold": 0.5, "probability": 1.0}]}})
    >>> rules.decide(np.array([0.4, 0.5]), ["a", "a"]).tolist()
    [0, 1]
    """

    def __init__(self, policy: Mapping[str, Any]) -> None:
        self._policy = policy
        self.columns: list[str] = list(policy["columns"])
        self.positive: str | None = policy.get("settings", {}).get("positive")
        self.names = GroupNames(self.columns, policy["rules"], policy.get("bins"))
        self._between_scores = bool(policy.get("between_scores"))
        self._rules = {
            group: [
                (float(_WORDS.get(part["threshold"], part["threshold"])), float(part["probability"])) for part in rule
            ]
            for group, rule in policy["rules"].items()
        }
        names = {number: word for word, number in _WORDS.items()}
        plain = {
            group: [
                {"threshold": names.get(threshold, threshold), "probability": probability}
                for threshold, probability in rule
            ]
            for group, rule in self._rules.items()
        }
        self._salt = hashlib.blake2b(json.dumps(plain, sort_keys=True).encode(), digest_size=16).digest()

    def to_dict(self) -> dict[str, Any]:
        """Return the policy."""
        return dict(self._policy)

    def __contains__(self, group: object) -> bool:
        """Whether a group has a rule."""
        return group in self._rules

    @property
    def groups(self) -> list[str]:
        """Names of the groups that have a rule."""
        return list(self._rules)

    def thresholds(self, group: str) -> list[float]:
        """Return the finite thresholds of a group; none where it has no rule."""
        return [threshold for threshold, _ in self._rules.get(group, []) if math.isfinite(threshold)]

    @property
    def randomized(self) -> bool:
        """Whether decisions of any group are drawn, so that rows need ids."""
        return any(len(rule) > 1 for rule in self._rules.values())

    def decide(
        self, scores: NDArray[np.float64], groups: Sequence[str], ids: Sequence[str] | None = None
    ) -> NDArray[np.int64]:
        """Decide for each row, 0 or 1.

        Parameters
        ----------
        scores : array of shape (n,)
            The probability of the positive label. Where thresholds may be scores, one that equals a threshold but for
            the last digits, in which runtimes differ, reaches it.
        groups : sequence of str
            The group of each row; parts of several columns are joined by ", ".
        ids : sequence of str, optional
            Unique ids, needed when decisions are drawn. The same id always gets the same draw.

        Raises
        ------
        CellError
            When a group has no rule, or ids are needed and missing or not unique.
        """
        unknown = [group for group in dict.fromkeys(groups) if group not in self._rules]
        if unknown:
            raise CellError(
                f"The policy has no rule for the group {', '.join(map(repr, unknown[:5]))} of "
                f"{' and '.join(map(repr, self.columns))}. It knows {', '.join(list(self._rules)[:10])}."
            )
        rates = np.zeros(len(scores))
        names = np.array(groups, dtype=object)
        for group in dict.fromkeys(groups):
            rows = names == group
            for threshold, probability in self._rules[group]:
                own = scores[rows]
                rates[rows] += probability * (own >= threshold if self._between_scores else reaches(own, threshold))
        rates = rates.clip(0.0, 1.0)
        if not self.randomized:
            return (rates >= 0.5).astype(np.int64)
        if ids is None:
            raise CellError("This policy draws some decisions: name a column of unique ids with --id.")
        if len(set(ids)) < len(ids):
            raise CellError("Some row ids occur more than once; the ids must be unique.")
        return (np.array([self._draw(row_id) for row_id in ids]) < rates).astype(np.int64)

    def _draw(self, row_id: str) -> float:
        digest = hashlib.blake2b(row_id.encode("utf-8", "surrogatepass"), key=self._salt, digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64
