"""A threshold policy as JSON holds it, and what makes one valid."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypeAlias

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from core.errors import InputError
from core.fairness.metrics.bins import BinRange

__all__ = [
    "Bins",
    "PolicyExpectation",
    "PolicySettings",
    "Rule",
    "StoredPolicy",
    "check_rules",
    "read_bins",
    "read_policy",
    "read_rules",
    "stored_bins",
    "stored_rules",
]

Rule: TypeAlias = tuple[tuple[float, float], ...]
"""Pairs of threshold and probability."""

Bins: TypeAlias = dict[str, tuple[BinRange, ...]]
"""Bins of numbers by column."""

_WORDS: dict[float, Literal["never", "always"]] = {math.inf: "never", -math.inf: "always"}
_NUMBERS = {word: number for number, word in _WORDS.items()}
_FINITE = ConfigDict(extra="allow", allow_inf_nan=False)
_SUM = 1e-6
"""Difference from 1 that the probabilities of a rule may have in sum."""


@with_config(_FINITE)
class PolicySettings(TypedDict, total=False):
    """What a policy was optimized for, what its scores are about, and of how many rows it saw a sample.

    They are about a positive label, or an event of a number.
    """

    constraint: str
    objective: str
    tolerance: float
    randomized: bool
    costs: dict[str, float] | None
    minimum_rate: float | None
    min_group_size: int
    positive: str
    event: str
    sampled_rows: int
    all_rows: int


@with_config(_FINITE)
class PolicyExpectation(TypedDict, total=False):
    """What a policy promises on the rows it was fitted on."""

    objective: float
    violation: float
    unconstrained_objective: float
    unconstrained_violation: float
    by_group: dict[str, dict[str, float | None]]
    small_groups: list[str]


class _StoredThreshold(TypedDict):
    """A threshold in JSON, which has no infinity."""

    threshold: float | Literal["always", "never"]
    probability: float


@with_config(_FINITE)
class _StoredBin(TypedDict):
    """A bin of numbers; an edge that is None has no bound."""

    name: str
    low: float | None
    high: float | None


class StoredPolicy(TypedDict):
    """A policy in JSON. Policies of earlier versions have no bins, and thresholds at scores."""

    kind: Literal["threshold policy"]
    version: Literal[1]
    columns: list[str]
    rules: dict[str, list[_StoredThreshold]]
    settings: NotRequired[PolicySettings]
    expected: NotRequired[PolicyExpectation]
    bins: NotRequired[dict[str, list[_StoredBin]]]
    between_scores: NotRequired[bool]


_STORED = TypeAdapter(StoredPolicy)


def read_policy(values: Mapping[str, Any]) -> StoredPolicy:
    """Return a stored policy, its types checked.

    Raises
    ------
    InputError
        When the values are not a policy of this version.
    """
    try:
        return _STORED.validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "policy"
        raise InputError(
            f"This is not a threshold policy of this version ({name}: {first['msg']}).",
            "Give what ThresholdPolicy.to_dict returned.",
        ) from error


def read_rules(stored: Mapping[str, Sequence[_StoredThreshold]]) -> dict[str, Rule]:
    """Return rules with numbers in place of words."""
    return {
        group: tuple(
            (
                _NUMBERS[part["threshold"]] if isinstance(part["threshold"], str) else part["threshold"],
                part["probability"],
            )
            for part in rule
        )
        for group, rule in stored.items()
    }


def stored_rules(rules: Mapping[str, Rule]) -> dict[str, list[_StoredThreshold]]:
    """Return rules with words in place of infinite numbers."""
    return {
        group: [{"threshold": _WORDS.get(t, float(t)), "probability": float(p)} for t, p in rule]
        for group, rule in rules.items()
    }


def read_bins(stored: Mapping[str, Sequence[_StoredBin]]) -> Bins:
    """Return bins by column, from the lowest on.

    Raises
    ------
    InputError
        When the bins of a column do not follow each other.
    """
    bins: Bins = {}
    for column, records in stored.items():
        ranges = [
            BinRange(
                record["name"],
                -math.inf if record["low"] is None else record["low"],
                math.inf if record["high"] is None else record["high"],
            )
            for record in records
        ]
        bounds = [-math.inf, *(bound for item in ranges for bound in (item.low, item.high)), math.inf]
        gaps = any(high != low for high, low in zip(bounds[::2], bounds[1::2], strict=True))
        if gaps or any(item.low >= item.high for item in ranges):
            raise InputError(
                f"The bins of '{column}' do not follow each other: {', '.join(item.name for item in ranges[:5])}.",
                "Give what ThresholdPolicy.to_dict returned.",
            )
        bins[column] = tuple(ranges)
    return bins


def stored_bins(bins: Bins) -> dict[str, list[_StoredBin]]:
    """Return bins with None in place of infinite edges."""
    return {
        column: [
            {
                "name": item.name,
                "low": None if math.isinf(item.low) else item.low,
                "high": None if math.isinf(item.high) else item.high,
            }
            for item in ranges
        ]
        for column, ranges in bins.items()
    }


def check_rules(rules: Mapping[str, Rule]) -> None:
    """Refuse rules that do not decide.

    Raises
    ------
    InputError
        When rules are missing, a rule has no threshold, a threshold is NaN, or probabilities are not between 0 and 1
        with the sum 1.
    """
    if not rules:
        raise InputError("The policy has no rules.", "Give one for each group.")
    for group, rule in rules.items():
        if not rule:
            raise InputError(f"The rule of the group '{group}' is empty.", "Give a threshold with the probability 1.")
        for threshold, probability in rule:
            if math.isnan(threshold):
                raise InputError(
                    f"A threshold of the group '{group}' is NaN.", "Give a number, or infinity to select no row."
                )
            if not 0 <= probability <= 1:
                raise InputError(
                    f"A threshold of the group '{group}' has the probability {probability}.",
                    "Give a number between 0 and 1.",
                )
        total = math.fsum(probability for _, probability in rule)
        if abs(total - 1) > _SUM:
            raise InputError(
                f"The probabilities of the group '{group}' have the sum {total:g}.",
                "Give probabilities that add up to 1.",
            )
