"""The best single threshold for all groups, with the difference that it leaves between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from core.fairness.metrics.arrays import Columns, FloatArray, Label
from core.fairness.metrics.counts import rate
from core.fairness.metrics.options import MIN_GROUP_SIZE
from core.fairness.postprocessing.expectation import expectation
from core.fairness.postprocessing.hull import mix
from core.fairness.postprocessing.policy import ThresholdPolicy
from core.fairness.postprocessing.problem import Problem
from core.fairness.postprocessing.score_table import ScoreTable
from core.fairness.postprocessing.stored_policy import PolicySettings
from core.fairness.postprocessing.table_input import as_score_table, check_tolerance

__all__ = ["single_threshold"]

_CANDIDATES = 10_000


def single_threshold(
    y_true: ArrayLike | ScoreTable,
    y_score: ArrayLike | None = None,
    sensitive_features: Columns | None = None,
    *,
    constraint: str = "demographic_parity",
    objective: str = "accuracy",
    tolerance: float = 1.0,
    costs: Mapping[str, float] | None = None,
    min_group_size: int = MIN_GROUP_SIZE,
    pos_label: Label | None = None,
    sample_weight: ArrayLike | None = None,
) -> ThresholdPolicy:
    """Find the best threshold for all groups, and the difference that it leaves between them.

    Thresholds that differ by group may be unlawful, as they are where people are hired in the US (Title VII, section
    703(l)). One threshold for all treats equal scores equally.

    Parameters
    ----------
    y_true : array-like of shape (n,) or ScoreTable
        Labels of rows that the scores were not fitted on, or a `ScoreTable` alone, see `optimize_thresholds`.
    y_score : array-like of shape (n,), optional
        Scores of the rows.
    sensitive_features : array-like, Series, DataFrame or mapping, optional
        Columns that define the groups.
    constraint : str, default="demographic_parity"
        Name of one of `CONSTRAINTS`, whose rates are compared.
    objective : str, default="accuracy"
        Name of one of `OBJECTIVES`.
    tolerance : float, default=1.0
        Largest difference that is allowed; by default any. At the smallest ones only a threshold that selects no row,
        or every row, may be left.
    costs : mapping, optional
        Cost by outcome.
    min_group_size : int, default=30
        Rows that a group needs to be compared. Where fewer than two groups have so many, the tolerance holds for none,
        and ``expected["violation"]`` is the difference between all.
    pos_label : label, optional
        The positive label; needed unless labels are 0 and 1.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows.

    Returns
    -------
    ThresholdPolicy
        A policy without columns: it decides on rows of any group. ``expected["violation"]`` is the difference that it
        leaves, and the unconstrained values are those of the best threshold at any difference.

    See Also
    --------
    optimize_thresholds : Thresholds by group.

    Examples
    --------
    >>> scores = [0.9, 0.8, 0.3, 0.2, 0.7, 0.6, 0.4, 0.1]
    >>> policy = single_threshold([1, 1, 0, 0, 1, 0, 0, 0], scores, list("aaaabbbb"))
    >>> ((threshold, probability),) = policy.rules["all rows"]
    >>> round(threshold, 3), probability, policy.expected["violation"]
    (0.65, 1.0, 0.25)
    """
    check_tolerance(tolerance)
    table = as_score_table(y_true, y_score, sensitive_features, pos_label, sample_weight)
    problem = Problem(table, constraint, objective, costs, min_group_size)
    threshold = _within(problem, tolerance)
    settings: PolicySettings = {
        "constraint": constraint,
        "objective": objective,
        "tolerance": tolerance,
        "randomized": False,
        "costs": problem.costs,
        "minimum_rate": None,
        "min_group_size": min_group_size,
    }
    rule, free = ([mix((cut, 1.0))] * len(table.grouping) for cut in (threshold, problem.single))
    policy = ThresholdPolicy.for_all(threshold, settings=settings, expected=expectation(problem, rule, free))
    return replace(policy, between_scores=True)


def _within(problem: Problem, tolerance: float) -> float:
    """Return the best threshold for all rows whose difference is within a tolerance; infinity selects no row.

    Parameters
    ----------
    problem : Problem
        Objective and constraint.
    tolerance : float
        Largest difference that is allowed.
    """
    if tolerance >= 1:
        return problem.single
    threshold, selected, hits = problem.table.pooled_cuts
    best = int(np.flatnonzero(threshold == problem.single)[0])
    steps = np.searchsorted(selected, np.linspace(0, selected[-1], _CANDIDATES)).clip(0, len(threshold) - 1)
    tried = np.unique(np.r_[steps, best])
    allowed = tried[_violations(problem, threshold[tried]) <= tolerance + 1e-12]
    value = problem.gain * hits[allowed] - problem.harm * (selected - hits)[allowed]
    return float(threshold[allowed[np.argmax(value)]])


def _violations(problem: Problem, thresholds: FloatArray) -> FloatArray:
    """Return the largest difference between the compared groups at each threshold."""
    names = problem.constraint.rates
    lowest, highest = np.full((len(names), len(thresholds)), np.inf), np.full((len(names), len(thresholds)), -np.inf)
    for group in problem.compared:
        cut, selected, hits = problem.table.sorted.of(group)
        reached = np.searchsorted(-cut, -thresholds, side="right") - 1  # the lowest score that is at least this high
        true, false = hits[reached], (selected - hits)[reached]
        positives, negatives = problem.positives[group], problem.negatives[group]
        cells = np.stack([negatives - false, false, positives - true, true], axis=-1)
        rates = np.stack([rate(name, cells) for name in names])
        lowest, highest = np.minimum(lowest, rates), np.maximum(highest, rates)
    return np.zeros(len(thresholds)) if not problem.compared else np.asarray((highest - lowest).max(axis=0))
