"""What thresholds are optimized for: the constraints of fairness and the objectives, one record each.

Both are linear in the true and false positives of each group, which is why `optimize_thresholds` is exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from core.errors import SettingsError
from core.registry import Registry, unknown_name

__all__ = ["CONSTRAINTS", "OBJECTIVES", "Constraint", "LinearObjective", "Objective", "Totals", "resolve_costs"]

_COSTS = {"false_positive": 1.0, "false_negative": 1.0, "true_positive": 0.0, "true_negative": 0.0}
_SHORT_NAMES = {"fp": "false_positive", "fn": "false_negative", "tp": "true_positive", "tn": "true_negative"}


@dataclass(frozen=True)
class Constraint:
    """A constraint of fairness: rates that are equal in all groups.

    Parameters
    ----------
    name : str
        Name in settings and files.
    title : str
        Name on pages.
    help : str
        Meaning of the constraint, in one sentence.
    rates : tuple of str
        Names of `RATES`; each is the share of selected, or of not selected, rows among the rows of `among`.
    among : {"all", "positive", "negative", "both"}
        Rows that the rate is about: all, those of one label, or (for two rates) those of each label.
    can_level_up : bool, default=False
        Whether a minimum of the rate makes sense in place of equality.
    fairlearn_moment : str, optional
        Name of the class in ``fairlearn.reductions`` that enforces it in training; None where there is none.
    """

    name: str
    title: str
    help: str
    rates: tuple[str, ...]
    among: Literal["all", "positive", "negative", "both"]
    can_level_up: bool = False
    fairlearn_moment: str | None = None


CONSTRAINTS: Registry[Constraint] = Registry(
    "constraint",
    [
        Constraint(
            "demographic_parity",
            "Demographic parity (selection rate)",
            "Every group is selected equally often.",
            ("selection_rate",),
            "all",
            can_level_up=True,
            fairlearn_moment="DemographicParity",
        ),
        Constraint(
            "true_positive_rate_parity",
            "Equal opportunity (true positive rate)",
            "Among rows with the positive label, every group is selected equally often.",
            ("true_positive_rate",),
            "positive",
            can_level_up=True,
            fairlearn_moment="TruePositiveRateParity",
        ),
        Constraint(
            "false_positive_rate_parity",
            "False positive rate parity",
            "Among rows without the positive label, every group is selected equally often.",
            ("false_positive_rate",),
            "negative",
            fairlearn_moment="FalsePositiveRateParity",
        ),
        Constraint(
            "true_negative_rate_parity",
            "True negative rate parity",
            "Among rows without the positive label, every group is turned away equally often.",
            ("true_negative_rate",),
            "negative",
            can_level_up=True,
        ),
        Constraint(
            "false_negative_rate_parity",
            "False negative rate parity",
            "Among rows with the positive label, every group is turned away equally often.",
            ("false_negative_rate",),
            "positive",
        ),
        Constraint(
            "equalized_odds",
            "Equalized odds (both rates)",
            "Among rows with either label, every group is selected equally often.",
            ("true_positive_rate", "false_positive_rate"),
            "both",
            fairlearn_moment="EqualizedOdds",
        ),
    ],
)
"""Constraints of fairness."""


class Totals(NamedTuple):
    """Rows of all groups together."""

    rows: float
    positives: float
    negatives: float


class LinearObjective(NamedTuple):
    """``gain * true positives - harm * false positives + constant``; larger is better."""

    gain: float
    harm: float
    constant: float


@dataclass(frozen=True)
class Objective:
    """What the thresholds make as good as possible.

    Parameters
    ----------
    name : str
        Name in settings and files.
    title : str
        Name on pages.
    help : str
        Meaning of the objective, in one sentence.
    coefficients : callable
        Takes `Totals` and the costs by outcome, returns the `LinearObjective`.
    larger_is_better : bool, default=True
        Direction in which the objective is reported.
    uses_costs : bool, default=False
        Whether it depends on the costs.
    needs_both_labels : bool, default=False
        Whether rows of both labels are needed.
    """

    name: str
    title: str
    help: str
    coefficients: Callable[[Totals, Mapping[str, float]], LinearObjective]
    larger_is_better: bool = True
    uses_costs: bool = False
    needs_both_labels: bool = False


def _cost(totals: Totals, costs: Mapping[str, float]) -> LinearObjective:
    rows, positives, negatives = totals
    return LinearObjective(
        (costs["false_negative"] - costs["true_positive"]) / rows,
        (costs["false_positive"] - costs["true_negative"]) / rows,
        -(costs["false_negative"] * positives + costs["true_negative"] * negatives) / rows,
    )


def _accuracy(totals: Totals, costs: Mapping[str, float]) -> LinearObjective:
    gain, harm, constant = _cost(totals, _COSTS)
    return LinearObjective(gain, harm, constant + 1.0)


def _balanced_accuracy(totals: Totals, costs: Mapping[str, float]) -> LinearObjective:
    return LinearObjective(0.5 / totals.positives, 0.5 / totals.negatives, 0.5)


OBJECTIVES: Registry[Objective] = Registry(
    "objective",
    [
        Objective("accuracy", "Accuracy", "Share of the rows with the right decision.", _accuracy),
        Objective(
            "balanced_accuracy",
            "Balanced accuracy",
            "Mean of the true positive rate and the true negative rate, over all rows.",
            _balanced_accuracy,
            needs_both_labels=True,
        ),
        Objective(
            "cost",
            "Cost of errors",
            "Mean cost per row, from a cost for each kind of error.",
            _cost,
            larger_is_better=False,
            uses_costs=True,
        ),
    ],
)
"""Objectives of thresholds."""


def resolve_costs(costs: Mapping[str, float] | None) -> dict[str, float]:
    """Return the cost of each outcome, with defaults for those that are not given.

    Raises
    ------
    SettingsError
        When an outcome is unknown, a cost is not a finite number, or an error costs less than the right decision.

    Examples
    --------
    >>> resolve_costs({"fn": 5})["false_negative"]
    5.0
    """
    resolved = dict(_COSTS)
    for name, cost in (costs or {}).items():
        full = _SHORT_NAMES.get(name, name)
        if full not in resolved:
            raise SettingsError(f"Unknown cost '{name}'.", unknown_name(name, resolved))
        if not math.isfinite(cost):
            raise SettingsError(f"The cost of a {full.replace('_', ' ')} is {cost}.", "Give a finite number.")
        resolved[full] = float(cost)
    cheaper_miss = resolved["false_negative"] < resolved["true_positive"]
    if cheaper_miss or resolved["false_positive"] < resolved["true_negative"]:
        raise SettingsError("An error costs less than the right decision.", "Give errors the higher cost.")
    return resolved
