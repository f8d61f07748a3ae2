"""A problem of thresholds: objective and constraint as linear functions of each group's true and false positives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from core.errors import InputError, SettingsError
from core.fairness.metrics.arrays import FloatArray
from core.fairness.metrics.counts import rate
from core.fairness.metrics.registry import NEGATIVES, POSITIVES, RATES
from core.fairness.postprocessing.equalized_odds import equal_odds_points
from core.fairness.postprocessing.hull import Curve, Mixture, mix
from core.fairness.postprocessing.objectives import CONSTRAINTS, OBJECTIVES, Totals, resolve_costs
from core.fairness.postprocessing.score_table import ScoreTable

__all__ = ["Problem"]


class Problem:
    """Objective and constraint as linear functions of each group's true and false positives.

    Parameters
    ----------
    table : ScoreTable
        Scores that thresholds are fitted on.
    constraint, objective : str
        Names of `CONSTRAINTS` and `OBJECTIVES`.
    costs : mapping or None
        Cost by outcome, for objectives that use it.
    min_group_size : int
        Rows that a group needs to be compared, and to have a rule of its own.

    Attributes
    ----------
    compared : list of int
        Groups that are compared. The others have the best threshold of all rows, and so have all where only one has
        enough rows.
    """

    def __init__(
        self,
        table: ScoreTable,
        constraint: str,
        objective: str,
        costs: Mapping[str, float] | None,
        min_group_size: int,
    ) -> None:
        self.constraint = CONSTRAINTS.require(constraint)
        self.objective = OBJECTIVES.require(objective)
        self.table = table
        self.rows, self.positives = table.sorted.totals
        self.negatives = self.rows - self.positives
        counts = np.bincount(table.grouping.codes, minlength=len(self.rows))
        large = np.flatnonzero(counts >= min_group_size).tolist()
        self.compared: list[int] = large if len(large) > 1 or len(large) == len(self.rows) else []
        totals = Totals(float(self.rows.sum()), float(self.positives.sum()), float(self.negatives.sum()))
        self._require_rows(totals)
        self.costs = resolve_costs(costs) if self.objective.uses_costs else None
        self.gain, self.harm, self.constant = self.objective.coefficients(totals, self.costs or {})
        self.curves = [self._curve(group) for group in self.compared]

    def _require_rows(self, totals: Totals) -> None:
        names = self.table.texts
        empty = [name for name, count in zip(names, self.rows, strict=True) if count <= 0]
        if empty:
            raise InputError(f"The weights of the group {', '.join(empty[:5])} are all 0.", "Leave the group out.")
        for name in self.constraint.rates:
            record = RATES[name]
            needs = {POSITIVES: (self.positives, "positive"), NEGATIVES: (self.negatives, "negative")}
            if record.among not in needs:
                continue
            counts, label = needs[record.among]
            lacking = [names[group] for group in self.compared if counts[group] <= 0]
            if lacking:
                raise InputError(
                    f"The group {', '.join(lacking[:5])} has no row with a {label} label, "
                    f"so its {record.phrase} is unknown.",
                    "Merge it with another group, leave it out, or choose demographic parity.",
                )
        if self.objective.needs_both_labels and not (totals.positives > 0 and totals.negatives > 0):
            raise InputError("All rows have the same label.", f"{self.objective.title} needs rows of both.")

    def _curve(self, group: int) -> Curve:
        """Return a group's best objective as a function of the constrained rate."""
        threshold, false, true = self.table.hulls[group]
        return Curve.of(self._selected_share(group, false, true), self.gain * true - self.harm * false, threshold)

    def _selected_share(self, group: int, false: FloatArray, true: FloatArray) -> FloatArray:
        """Return the share of selected rows that the constraint is about; a rate of misses is its complement."""
        match self.constraint.among:
            case "all":
                return np.asarray((false + true) / self.rows[group])
            case "positive":
                return np.asarray(true / self.positives[group])
            case _:
                return np.asarray(false / self.negatives[group])

    def parity(self, tolerance: float) -> list[Mixture]:
        """Return the best rules whose rates lie within the tolerance of each other.

        With the rates in a window of that width, each group takes the rate in it that is best for it. The sum is
        concave in the window's position, so its highest value is at a corner.
        """
        best = np.array([curve.best for curve in self.curves])
        corners = np.unique(np.concatenate([curve.x for curve in self.curves]))
        windows = np.unique(np.clip(np.concatenate([corners, corners - tolerance]), 0, 1 - tolerance))
        rates = np.clip(best[:, None], windows, windows + tolerance)
        values = np.sum([curve.at(x) for curve, x in zip(self.curves, rates, strict=True)], axis=0)
        chosen = rates[:, int(np.argmax(values))]
        return [curve.reach(float(x)) for curve, x in zip(self.curves, chosen, strict=True)]

    def level_up(self, minimum: float) -> list[Mixture]:
        """Return each group's own best rule with at least this rate."""
        if not self.constraint.can_level_up:
            allowed = ", ".join(name for name, record in CONSTRAINTS.items() if record.can_level_up)
            raise SettingsError(
                f"A minimum rate does not make sense for {self.constraint.name}.", f"Use one of {allowed}."
            )
        if not 0 <= minimum <= 1:
            raise SettingsError(f"The minimum rate is {minimum}.", "Give a number between 0 and 1.")
        hits = RATES[self.constraint.rates[0]].hits
        if hits is not None and not hits[1] and not hits[3]:  # a rate of rows that are not selected
            return [curve.reach(min(curve.best, 1 - minimum)) for curve in self.curves]
        return [curve.reach(max(curve.best, minimum)) for curve in self.curves]

    def equal_odds(self, tolerance: float) -> list[Mixture]:
        """Return the best rules whose true and false positive rates both lie within the tolerance of each other."""
        rows, positives = self.negatives[self.compared], self.positives[self.compared]
        hulls = []
        for group in self.compared:
            threshold, false, true = self.table.hulls[group]
            hulls.append(Curve.of(false / self.negatives[group], true / self.positives[group], threshold))
        points = equal_odds_points(hulls, self.gain * positives, self.harm * rows, tolerance)
        rules = []
        for hull, (x, y) in zip(hulls, points, strict=True):
            top = float(hull.at(x))
            # Below the hull: some rows are decided by chance alone, selected at the rate x whatever their score.
            chance = (top - y) / (top - x) if top - x > 1e-12 else 0.0
            kept = [(threshold, share * (1 - chance)) for threshold, share in hull.reach(x)]
            rules.append(mix(*kept, (-np.inf, chance * x), (np.inf, chance * (1 - x))))
        return rules

    def unconstrained(self) -> list[Mixture]:
        """Return each group's best rule without any constraint."""
        return [curve.reach(curve.best) for curve in self.curves]

    @cached_property
    def single(self) -> float:
        """The best threshold for all rows together."""
        threshold, selected, hits = self.table.pooled_cuts
        return float(threshold[np.argmax(self.gain * hits - self.harm * (selected - hits))])

    def complete(self, rules: Sequence[Mixture]) -> list[Mixture]:
        """Return the rule of every group: those of the compared groups, and the best threshold of all rows."""
        own = dict(zip(self.compared, rules, strict=True))
        return [own.get(group) or mix((self.single, 1.0)) for group in range(len(self.rows))]

    def outcome(self, rules: Sequence[Mixture]) -> tuple[float, float, FloatArray]:
        """Return objective, violation and expected counts of one rule for each group."""
        cells = self._cells(rules)
        value = float(self.gain * cells[:, 3].sum() - self.harm * cells[:, 1].sum() + self.constant)
        return value, self.violation(cells), cells

    def _cells(self, rules: Sequence[Mixture]) -> FloatArray:
        cells = np.zeros((len(self.rows), 4))
        for rank in range(max(len(rule) for rule in rules)):
            thresholds = np.array([rule[rank][0] if rank < len(rule) else np.inf for rule in rules])
            shares = np.array([rule[rank][1] if rank < len(rule) else 0.0 for rule in rules])
            cells += self.table.sorted.cells(thresholds) * shares[:, None]
        return cells

    def violation(self, cells: FloatArray) -> float:
        """Return the largest difference of the constrained rates between the compared groups.

        Where no groups are compared, it is that between all groups that have the rate, so that nothing looks equal for
        being small.

        Parameters
        ----------
        cells : array of shape (groups, 4)
            Counts of every group.
        """
        groups = self.compared or slice(None)
        values = (rate(name, cells[groups]) for name in self.constraint.rates)
        known = (value[~np.isnan(value)] for value in values)
        return max((float(np.ptp(value)) for value in known if len(value)), default=0.0)

    def reported(self, value: float) -> float:
        """Return an objective as it is reported: a cost is positive."""
        return value if self.objective.larger_is_better else -value
