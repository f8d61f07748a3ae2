"""What each threshold does and costs, from scores that are sorted once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.decisions.intervals import cost_bounds, effective_rows, few_rows, share_estimate
from core.decisions.labeled_scores import LabeledScores
from core.decisions.outcome import Best, Outcome
from core.decisions.top_rows import TopRows, top_rows
from core.edge.portable.ties import TIE
from core.errors import InputError
from core.evaluation import Estimate
from core.fairness import ThresholdPolicy, resolve_costs, score_table

__all__ = ["DecisionCurve", "decision_curve"]

_OUTCOMES = {"tp": "true_positive", "fp": "false_positive", "fn": "false_negative", "tn": "true_negative"}
_GAP = 4 * TIE  # between two scores, as a share of the larger: every runtime then decides the same on both


@dataclass(frozen=True)
class DecisionCurve:
    """Counts and cost at every threshold between scores.

    Parameters
    ----------
    table : DataFrame
        threshold, tp, fp, fn, tn, cost, low, high: thresholds between distinct scores, highest first, from infinity
        (no row is selected) to minus infinity (all are). Counts are sums of weights where rows have weights. The cost
        is the mean per row, with a 95% interval that is NaN where there are too few rows.
    costs : dict of str to float
        Cost of each outcome: true_positive, false_positive, false_negative, true_negative.
    rows : LabeledScores
        The rows.
    reason : str, default=""
        Reason for missing intervals.
    """

    table: pd.DataFrame
    costs: dict[str, float]
    rows: LabeledScores
    reason: str = ""

    @cached_property
    def _counts(self) -> NDArray[np.float64]:
        counts: NDArray[np.float64] = self.table[list(_OUTCOMES)].to_numpy(dtype=np.float64)
        return counts

    @cached_property
    def _total(self) -> float:
        return float(self._counts[0].sum())

    @cached_property
    def _scores(self) -> NDArray[np.float64]:
        """Distinct scores, highest first."""
        distinct: NDArray[np.float64] = np.unique(self.rows.score)[::-1]
        return distinct

    @cached_property
    def _separates(self) -> NDArray[np.bool_]:
        """Whether every runtime decides the same at a threshold, however it rounds scores."""
        above, below = self._scores[:-1], self._scores[1:]
        wide = above - below > _GAP * np.maximum(np.abs(above), np.abs(below))
        return np.r_[True, wide, True] if wide.any() else np.ones(len(self.table), dtype=bool)

    @cached_property
    def selected(self) -> NDArray[np.float64]:
        """Share of the rows that each threshold selects."""
        return np.asarray(self._counts[:, :2].sum(axis=1) / self._total)

    @property
    def best(self) -> Best:
        """The threshold with the lowest cost; of equal ones the highest.

        Scores that differ by less than the rounding of runtimes count as equal.
        """
        return self.best_within(1.0)

    def best_within(self, share: float) -> Best:
        """Return the threshold with the lowest cost that selects at most so many rows.

        Parameters
        ----------
        share : float
            Largest share of the rows that may be selected.

        Raises
        ------
        InputError
            When it is not a share.
        """
        if not 0 <= share <= 1:
            raise InputError(f"The share is {share}.", "Give a number between 0 and 1.")
        allowed = self._separates & (self.selected <= share * (1 + 1e-12))
        costs = np.where(allowed, self.table["cost"].to_numpy(), np.inf)
        scale = float(np.abs(self.table["cost"]).max())
        index = int(np.flatnonzero(costs <= costs.min() + 1e-12 * scale)[0])
        return Best(float(self.table["threshold"].iloc[index]), float(self.table["cost"].iloc[index]))

    def threshold_for(self, count: float) -> float:
        """Return the lowest threshold that selects at most a share of the rows.

        Parameters
        ----------
        count : float
            The share.
        """
        allowed = np.flatnonzero(self._separates & (self.selected <= count * (1 + 1e-12)))
        return float(self.table["threshold"].iloc[allowed[-1]])

    def rule_at(self, threshold: float) -> float:
        """Return the threshold between scores that decides as this one does, or nearly where scores are too close.

        Parameters
        ----------
        threshold : float
            Any threshold.
        """
        index, known = self._index(threshold), np.flatnonzero(self._separates)
        nearest = known[np.argmin(np.abs(self.selected[known] - self.selected[index]))]
        return float(self.table["threshold"].iloc[nearest])

    def _index(self, threshold: float) -> int:
        if math.isnan(threshold):
            raise InputError("The threshold is NaN.", "Give a number, or infinity to select no row.")
        return int(np.searchsorted(-self._scores, -threshold, side="right"))

    def at(self, threshold: float) -> Outcome:
        """Return what a threshold does.

        Parameters
        ----------
        threshold : float
            The threshold; infinity selects no row, minus infinity every row.
        """
        row = self.table.iloc[self._index(threshold)]
        chosen, truth = self.rows.score >= threshold, np.asarray(self.rows.truth, dtype=bool)
        everyone = np.ones(len(truth), dtype=bool)
        tp, fp, fn, tn = (float(row[name]) for name in _OUTCOMES)
        return Outcome(
            float(threshold),
            tp,
            fp,
            fn,
            tn,
            cost=Estimate(float(row["cost"]), float(row["low"]), float(row["high"]), len(truth), reason=self.reason),
            selected=share_estimate(chosen, everyone, self.rows),
            recall=share_estimate(chosen, truth, self.rows),
            precision=share_estimate(truth, chosen, self.rows),
        )

    def top(self, count: int, among: int) -> TopRows:
        """Return what to expect of the rows with the highest scores among new rows.

        Parameters
        ----------
        count : int
            Number of rows to select.
        among : int
            Number of new rows, which are like the rows of the curve.

        Raises
        ------
        InputError
            When there are not so many rows.
        """
        return top_rows(self.rows, self.table["threshold"].to_numpy(), self._counts, count, among)

    def policy(self, threshold: float, *, positive: str | None = None) -> ThresholdPolicy:
        """Return a threshold as a policy that can be kept with a model.

        Parameters
        ----------
        threshold : float
            The threshold; see `rule_at`.
        positive : str, optional
            Label that the scores are about; None for a number.
        """
        threshold = self.rule_at(threshold)
        outcome = self.at(threshold)
        negatives = outcome.fp + outcome.tn
        rates = {
            "selection_rate": outcome.selected.value,
            "true_positive_rate": outcome.recall.value,
            "false_positive_rate": outcome.fp / negatives if negatives else math.nan,
            "precision": outcome.precision.value,
            "accuracy": (outcome.tp + outcome.tn) / self._total,
        }
        policy = replace(ThresholdPolicy.for_all(threshold), between_scores=True)
        policy.settings.update({"objective": "cost", "costs": dict(self.costs), "randomized": False})
        if positive is not None:
            policy.settings["positive"] = positive
        policy.expected["objective"] = outcome.cost.value
        policy.expected["by_group"] = {
            group: {name: None if math.isnan(value) else float(value) for name, value in rates.items()}
            for group in policy.rules
        }
        return policy


def decision_curve(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    costs: Mapping[str, float] | None = None,
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    pos_label: bool | int | float | str | None = None,
) -> DecisionCurve:
    """Return counts and cost at every threshold.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Labels of rows that the scores were not fitted on.
    y_score : array-like of shape (n,)
        Finite numbers, higher for the positive label.
    costs : mapping, optional
        Cost of a false_positive (fp), false_negative (fn), true_positive (tp) and true_negative (tn); 1, 1, 0 and 0 by
        default. Gains are negative.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows.
    groups : array-like of shape (n,), optional
        Group of each row. Rows of a group depend on each other, so that intervals are wider.
    pos_label : label, optional
        The positive label; needed unless labels are 0 and 1.

    Returns
    -------
    DecisionCurve

    Raises
    ------
    InputError
        When rows are missing, or scores are not finite numbers.
    SettingsError
        When a cost is unknown, or an error costs less than the right decision.

    See Also
    --------
    core.fairness.optimize_thresholds : Thresholds by group, under a constraint of fairness.

    Examples
    --------
    >>> curve = decision_curve([0, 0, 1, 1], [0.125, 0.5, 0.375, 0.75], costs={"fp": 1, "fn": 5})
    >>> curve.best
    Best(threshold=0.25, cost=0.25)
    >>> curve.table[["tp", "fp", "fn", "tn"]].iloc[-2].tolist()
    [2, 1, 0, 1]
    """
    count = len(np.asarray(y_true))
    checked = score_table(y_true, y_score, np.zeros(count), pos_label=pos_label, sample_weight=sample_weight)
    members = None if groups is None else pd.factorize(np.asarray(groups))[0].astype(np.intp)
    if members is not None and len(members) != count:
        raise InputError(f"groups has {len(members):,} rows, the labels have {count:,}.", "Give one group per row.")
    rows = LabeledScores(checked.positive, checked.scores, checked.weights, members)
    return _curve(rows, resolve_costs(costs))


def _curve(rows: LabeledScores, costs: dict[str, float]) -> DecisionCurve:
    order = np.argsort(-rows.score, kind="stable")
    score, hit = rows.score[order], np.asarray(rows.truth)[order].astype(np.float64)
    weight = np.ones(len(order)) if rows.weight is None else rows.weight[order]
    ends = np.flatnonzero(np.r_[score[1:] != score[:-1], True])
    selected, tp = (np.r_[0.0, np.cumsum(values)[ends]] for values in (weight, weight * hit))
    counts = np.stack([tp, selected - tp, tp[-1] - tp, selected[-1] - tp[-1] - selected + tp], axis=1).clip(0.0)
    values = np.array([costs[name] for name in _OUTCOMES.values()])
    shares = counts / selected[-1]
    mean = shares @ values
    spread = np.maximum(shares @ values**2 - mean**2, 0.0)
    low = high = np.full(len(mean), np.nan)
    reason = few_rows(rows)
    if not reason:
        size = effective_rows(rows, order, ends, values, mean, spread)
        low, high = cost_bounds(counts, values, mean, size)
    table = pd.DataFrame(counts if rows.weight is not None else counts.round().astype(np.int64), columns=[*_OUTCOMES])
    table.insert(0, "threshold", np.r_[np.inf, _between(score[ends]), -np.inf])
    return DecisionCurve(table.assign(cost=mean, low=low, high=high), costs, rows, reason)


def _between(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the middle of each two neighbors; of two without a number between them the higher one."""
    above, below = scores[:-1], scores[1:]
    middle = below + (above - below) / 2
    return np.where(middle > below, middle, above)
