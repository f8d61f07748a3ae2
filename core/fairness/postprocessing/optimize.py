"""The best thresholds by group under a constraint of fairness, exactly, and what each tolerance costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.errors import SettingsError
from core.fairness.metrics.arrays import Columns, Label
from core.fairness.metrics.options import MIN_GROUP_SIZE
from core.fairness.postprocessing.deterministic import nearest_thresholds
from core.fairness.postprocessing.expectation import expectation
from core.fairness.postprocessing.hull import Mixture
from core.fairness.postprocessing.objectives import OBJECTIVES
from core.fairness.postprocessing.policy import ThresholdPolicy
from core.fairness.postprocessing.problem import Problem
from core.fairness.postprocessing.score_table import ScoreTable
from core.fairness.postprocessing.stored_policy import PolicyExpectation, PolicySettings
from core.fairness.postprocessing.table_input import as_score_table, check_tolerance

__all__ = ["optimize_thresholds", "tradeoff_curve"]

_TRADEOFF_POINTS = 21


def optimize_thresholds(
    y_true: ArrayLike | ScoreTable,
    y_score: ArrayLike | None = None,
    sensitive_features: Columns | None = None,
    *,
    constraint: str = "demographic_parity",
    objective: str = "accuracy",
    tolerance: float = 0.0,
    randomized: bool = True,
    grid_size: int = 1000,
    costs: Mapping[str, float] | None = None,
    minimum_rate: float | None = None,
    min_group_size: int = MIN_GROUP_SIZE,
    pos_label: Label | None = None,
    sample_weight: ArrayLike | None = None,
) -> ThresholdPolicy:
    """Find the thresholds by group that are best under a constraint of fairness.

    They lie between scores, so that the last digits of a score decide nothing.

    Parameters
    ----------
    y_true : array-like of shape (n,) or ScoreTable
        Labels of rows that the scores were not fitted on. Or a `ScoreTable` alone, which spares sorting the scores
        again.
    y_score : array-like of shape (n,), optional
        Scores of the rows, see `score_table`.
    sensitive_features : array-like, Series, DataFrame or mapping, optional
        Columns that define the groups, see `score_table`.
    constraint : str, default="demographic_parity"
        Name of one of `CONSTRAINTS`: demographic_parity, true_positive_rate_parity, false_positive_rate_parity,
        true_negative_rate_parity, false_negative_rate_parity, or equalized_odds (Hardt, Price, Srebro 2016).
    objective : str, default="accuracy"
        Name of one of `OBJECTIVES`: accuracy, balanced_accuracy (of all rows), or cost.
    tolerance : float, default=0.0
        Largest difference of the constrained rates that is allowed.
    randomized : bool, default=True
        Whether rules may draw between thresholds, which reaches the exact optimum. Otherwise there is one threshold per
        group, as near to it as possible, and the remaining difference is reported.
    grid_size : int, default=1000
        Number of candidate thresholds per group when rules may not draw.
    costs : mapping, optional
        Cost of a false_positive, false_negative, true_positive and true_negative; 1, 1, 0 and 0 by default.
    minimum_rate : float, optional
        Smallest rate of every group, in place of equal rates ("leveling up"): no group's rate is lowered for it.
        For demographic, true positive and true negative rate parity.
    min_group_size : int, default=30
        Rows that a group needs to be compared, and to have a rule of its own. Smaller groups, which
        ``expected["small_groups"]`` lists, have the best threshold of all rows; where fewer than two groups have so
        many rows, so have all, and ``expected["violation"]`` is the difference between all.
    pos_label : label, optional
        The positive label; `group_metrics` says which one it is by default.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows.

    Returns
    -------
    ThresholdPolicy

    Raises
    ------
    InputError
        When a group lacks the labels that the constraint is about.
    SettingsError
        When a setting is invalid.

    See Also
    --------
    single_threshold : The best threshold for all groups.
    tradeoff_curve : The best objective at several tolerances.

    Examples
    --------
    >>> scores = [0.9, 0.8, 0.3, 0.2, 0.7, 0.6, 0.4, 0.1]
    >>> y, groups = [1, 1, 0, 0, 1, 0, 0, 0], list("aaaabbbb")
    >>> policy = optimize_thresholds(y, scores, groups, min_group_size=4)
    >>> policy.expected["violation"], policy.expected["objective"]
    (0.0, 0.875)

    Groups of fewer rows than that have one threshold, which leaves a difference:

    >>> policy = optimize_thresholds(y, scores, groups)
    >>> policy.expected["small_groups"], policy.expected["violation"]
    (['a', 'b'], 0.25)
    """
    check_tolerance(tolerance)
    if grid_size < 2:
        raise SettingsError(f"The grid has {grid_size} steps.", "Use 2 or more.")
    table = as_score_table(y_true, y_score, sensitive_features, pos_label, sample_weight)
    problem = Problem(table, constraint, objective, costs, min_group_size)
    rules = _rules(problem, tolerance, minimum_rate)
    if not randomized and any(len(rule) > 1 for rule in rules):
        rules = nearest_thresholds(problem, rules, tolerance, grid_size, minimum_rate)
    settings: PolicySettings = {
        "constraint": constraint,
        "objective": objective,
        "tolerance": tolerance,
        "randomized": randomized,
        "costs": problem.costs,
        "minimum_rate": minimum_rate,
        "min_group_size": min_group_size,
    }
    columns = tuple(str(name) for name in table.grouping.labels.names)
    return ThresholdPolicy(
        dict(zip(table.texts, problem.complete(rules), strict=True)),
        columns,
        settings,
        expectation(problem, problem.complete(rules), problem.complete(problem.unconstrained())),
        bins=table.grouping.bins,
        between_scores=True,
    )


def _rules(problem: Problem, tolerance: float, minimum_rate: float | None) -> list[Mixture]:
    """Return the best rules of the groups that are compared."""
    if minimum_rate is not None:
        return problem.level_up(minimum_rate)
    if not problem.compared:
        return []
    return problem.equal_odds(tolerance) if problem.constraint.among == "both" else problem.parity(tolerance)


def tradeoff_curve(
    y_true: ArrayLike | ScoreTable,
    y_score: ArrayLike | None = None,
    sensitive_features: Columns | None = None,
    *,
    constraint: str = "demographic_parity",
    objective: str = "accuracy",
    tolerances: Sequence[float] | None = None,
    randomized: bool = True,
    costs: Mapping[str, float] | None = None,
    min_group_size: int = MIN_GROUP_SIZE,
    pos_label: Label | None = None,
    sample_weight: ArrayLike | None = None,
) -> pd.DataFrame:
    """Return the best objective by how much difference is allowed.

    Parameters
    ----------
    y_true : array-like of shape (n,) or ScoreTable
        Labels, or a `ScoreTable` alone, see `optimize_thresholds`.
    y_score : array-like of shape (n,), optional
        Scores of the rows.
    sensitive_features : array-like, Series, DataFrame or mapping, optional
        Columns that define the groups.
    constraint : str, default="demographic_parity"
        Name of one of `CONSTRAINTS`.
    objective : str, default="accuracy"
        Name of one of `OBJECTIVES`.
    tolerances : sequence of float, optional
        Differences to try; by default 21 steps from 0 to the difference without a constraint.
    randomized : bool, default=True
        Whether rules may draw between thresholds.
    costs : mapping, optional
        Cost by outcome.
    min_group_size : int, default=30
        Rows that a group needs to be compared, and to have a rule of its own.
    pos_label : label, optional
        The positive label; `group_metrics` says which one it is by default.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows.

    Returns
    -------
    DataFrame
        tolerance, objective, disparity, dominated (another point is at least as good in both, and better in one).

    See Also
    --------
    optimize_thresholds : The rule at one tolerance.

    Examples
    --------
    >>> scores = [0.9, 0.8, 0.3, 0.2, 0.7, 0.6]
    >>> curve = tradeoff_curve([1, 1, 0, 0, 1, 0], scores, list("aaaabb"), tolerances=[0, 1], min_group_size=2)
    >>> curve["objective"].tolist()
    [1.0, 1.0]
    """
    table = as_score_table(y_true, y_score, sensitive_features, pos_label, sample_weight)

    def expected(tolerance: float) -> PolicyExpectation:
        return optimize_thresholds(
            table,
            constraint=constraint,
            objective=objective,
            tolerance=tolerance,
            randomized=randomized,
            costs=costs,
            min_group_size=min_group_size,
        ).expected

    if tolerances is None:
        free = expected(0.0)["unconstrained_violation"]
        tolerances = np.linspace(0, free, _TRADEOFF_POINTS).tolist() if free > 0 else [0.0]
    points = [(float(tolerance), expected(float(tolerance))) for tolerance in tolerances]
    curve = pd.DataFrame(
        [(tolerance, point["objective"], point["violation"]) for tolerance, point in points],
        columns=["tolerance", "objective", "disparity"],
    )
    sign = 1 if OBJECTIVES[objective].larger_is_better else -1
    value, gap = sign * curve["objective"].to_numpy(), curve["disparity"].to_numpy()
    better = (value[None, :] >= value[:, None]) & (gap[None, :] <= gap[:, None])
    strictly = (value[None, :] > value[:, None] + 1e-12) | (gap[None, :] < gap[:, None] - 1e-12)
    curve["dominated"] = (better & strictly).any(axis=1)
    return curve
