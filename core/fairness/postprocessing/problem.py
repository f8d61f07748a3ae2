"""What thresholds are optimised for: objective and constraint, linear in each group's true and false positives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, SettingsError
from core.fairness.postprocessing.equalized_odds import equal_odds_points
from core.fairness.postprocessing.hull import Curve, Mixture, mix

if TYPE_CHECKING:
    from core.fairness.postprocessing.score_table import ScoreTable

__all__ = ["CONSTRAINTS", "OBJECTIVES", "Problem", "costs_of"]

Array = NDArray[np.float64]

CONSTRAINTS: dict[str, tuple[str, ...]] = {
    "demographic_parity": ("selection_rate",),
    "true_positive_rate_parity": ("true_positive_rate",),
    "false_positive_rate_parity": ("false_positive_rate",),
    "true_negative_rate_parity": ("true_negative_rate",),
    "false_negative_rate_parity": ("false_negative_rate",),
    "equalized_odds": ("true_positive_rate", "false_positive_rate"),
}
"""Constraints, with the rates that they make equal."""
OBJECTIVES = ("accuracy", "balanced_accuracy", "cost")
_LEVELS_UP = ("demographic_parity", "true_positive_rate_parity", "true_negative_rate_parity")
_COSTS = {"false_positive": 1.0, "false_negative": 1.0, "true_positive": 0.0, "true_negative": 0.0}
_SHORT = {"fp": "false_positive", "fn": "false_negative", "tp": "true_positive", "tn": "true_negative"}


def costs_of(given: Mapping[str, float] | None) -> dict[str, float]:
    costs = dict(_COSTS)
    for name, cost in (given or {}).items():
        full = _SHORT.get(name, name)
        if full not in costs:
            raise SettingsError(f"There is no cost of '{name}'.", f"Name costs of {', '.join(costs)}.")
        costs[full] = float(cost)
    if costs["false_negative"] < costs["true_positive"] or costs["false_positive"] < costs["true_negative"]:
        raise SettingsError("An error costs less than the right decision.", "Give errors the higher cost.")
    return costs


class Problem:
    """Objective and constraint as linear functions of each group's true and false positives."""

    def __init__(self, table: ScoreTable, constraint: str, objective: str, costs: Mapping[str, float] | None) -> None:
        if constraint not in CONSTRAINTS:
            raise SettingsError(f"There is no constraint '{constraint}'.", f"Choose one of {', '.join(CONSTRAINTS)}.")
        if objective not in OBJECTIVES:
            raise SettingsError(f"There is no objective '{objective}'.", f"Choose one of {', '.join(OBJECTIVES)}.")
        self.table, self.constraint, self.objective = table, constraint, objective
        self.rows, self.positives = table.sorted.totals
        self.negatives = self.rows - self.positives
        total, positives, negatives = self.rows.sum(), self.positives.sum(), self.negatives.sum()
        self._require_both(positives, negatives)
        # The objective is gain * true positives - harm * false positives + rest, summed over the groups.
        if objective == "balanced_accuracy":
            self.gain, self.harm, self.rest = 0.5 / positives, 0.5 / negatives, 0.5
        else:
            paid = costs_of(costs) if objective == "cost" else _COSTS
            self.gain = (paid["false_negative"] - paid["true_positive"]) / total
            self.harm = (paid["false_positive"] - paid["true_negative"]) / total
            self.rest = -(paid["false_negative"] * positives + paid["true_negative"] * negatives) / total
            if objective == "accuracy":
                self.rest += 1.0
        self.curves = [self._curve(group) for group in range(len(self.rows))]

    def _require_both(self, positives: float, negatives: float) -> None:
        names = self.table.texts
        lacking = [name for name, count in zip(names, self.rows, strict=True) if count <= 0]
        if lacking:
            raise InputError(f"The weights of the group {', '.join(lacking[:5])} are all 0.", "Leave the group out.")
        needs = {
            "true_positive_rate": (self.positives, "positive"),
            "false_negative_rate": (self.positives, "positive"),
            "false_positive_rate": (self.negatives, "negative"),
            "true_negative_rate": (self.negatives, "negative"),
        }
        for rate in CONSTRAINTS[self.constraint]:
            if rate in needs:
                counts, kind = needs[rate]
                lacking = [name for name, count in zip(names, counts, strict=True) if count <= 0]
                if lacking:
                    raise InputError(
                        f"The group {', '.join(lacking[:5])} has no row with a {kind} label, "
                        f"so its {rate.replace('_', ' ')} is unknown.",
                        "Merge it with another group, leave it out, or choose demographic parity.",
                    )
        if self.objective == "balanced_accuracy" and not (positives > 0 and negatives > 0):
            raise InputError("All rows have the same label.", "Balanced accuracy needs rows of both.")

    def _curve(self, group: int) -> Curve:
        """Return a group's best objective by the rate that is constrained."""
        threshold, false, true = self.table.hulls[group]
        threshold = np.append(threshold[:-1], -np.inf)  # what selects everybody here selects everybody
        return Curve.of(self._rate(group, false, true), self.gain * true - self.harm * false, threshold)

    def _rate(self, group: int, false: Array, true: Array) -> Array:
        match self.constraint:
            case "demographic_parity":
                return (false + true) / self.rows[group]
            case "true_positive_rate_parity" | "false_negative_rate_parity":
                return true / self.positives[group]  # the miss rate is its complement
            case _:
                return false / self.negatives[group]

    def parity(self, tolerance: float) -> list[Mixture]:
        """Return the best rules whose rates lie within the tolerance of each other.

        With the rates in a window of that width, each group takes the rate in it that is best for it. The sum is
        concave in the window's place, so its highest value is at a corner.
        """
        best = np.array([curve.best for curve in self.curves])
        corners = np.unique(np.concatenate([curve.x for curve in self.curves]))
        windows = np.unique(np.clip(np.concatenate([corners, corners - tolerance]), 0, 1 - tolerance))
        places = np.clip(best[:, None], windows, windows + tolerance)
        values = np.sum([curve.at(place) for curve, place in zip(self.curves, places, strict=True)], axis=0)
        chosen = places[:, int(np.argmax(values))]
        return [curve.reach(float(x)) for curve, x in zip(self.curves, chosen, strict=True)]

    def level_up(self, rate: float) -> list[Mixture]:
        """Return each group's own best rule with at least this rate."""
        if self.constraint not in _LEVELS_UP:
            raise SettingsError(
                f"A smallest rate makes no sense for {self.constraint}.", f"Use one of {', '.join(_LEVELS_UP)}."
            )
        if not 0 <= rate <= 1:
            raise SettingsError(f"The smallest rate is {rate}.", "Give a number between 0 and 1.")
        if self.constraint == "true_negative_rate_parity":
            return [curve.reach(min(curve.best, 1 - rate)) for curve in self.curves]
        return [curve.reach(max(curve.best, rate)) for curve in self.curves]

    def equal_odds(self, tolerance: float) -> list[Mixture]:
        """Return the best rules whose true and false positive rates both lie within the tolerance of each other."""
        hulls = []
        for group in range(len(self.rows)):
            threshold, false, true = self.table.hulls[group]
            threshold = np.append(threshold[:-1], -np.inf)
            hulls.append(Curve.of(false / self.negatives[group], true / self.positives[group], threshold))
        points = equal_odds_points(hulls, self.gain * self.positives, self.harm * self.negatives, tolerance)
        rules = []
        for hull, (x, y) in zip(hulls, points, strict=True):
            top = float(hull.at(x))
            # Below the hull: some rows are decided by chance alone, selected at the rate x whatever their score.
            chance = (top - y) / (top - x) if top - x > 1e-12 else 0.0
            kept = [(threshold, share * (1 - chance)) for threshold, share in hull.reach(x)]
            rules.append(mix(*kept, (-np.inf, chance * x), (np.inf, chance * (1 - x))))
        return rules

    def free(self) -> list[Mixture]:
        """Return each group's best rule without any constraint."""
        return [curve.reach(curve.best) for curve in self.curves]

    def outcome(self, rules: Sequence[Mixture]) -> tuple[float, float, Array]:
        """Return objective, violation and expected counts of rules."""
        cells = np.zeros((len(self.rows), 4))
        for rank in range(max(len(rule) for rule in rules)):
            thresholds = np.array([rule[rank][0] if rank < len(rule) else np.inf for rule in rules])
            shares = np.array([rule[rank][1] if rank < len(rule) else 0.0 for rule in rules])
            cells += self.table.sorted.cells(thresholds) * shares[:, None]
        value = float(self.gain * cells[:, 3].sum() - self.harm * cells[:, 1].sum() + self.rest)
        return value, self.violation(cells), cells

    def violation(self, cells: Array) -> float:
        """Return the largest difference between groups of the constrained rates."""
        from core.fairness.metrics.counts import rate

        return max(float(np.ptp(rate(name, cells))) for name in CONSTRAINTS[self.constraint])

    def told(self, value: float) -> float:
        """Return an objective as people say it: a cost is positive."""
        return -value if self.objective == "cost" else value
