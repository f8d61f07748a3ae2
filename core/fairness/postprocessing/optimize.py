"""The best thresholds by group under a constraint of fairness, exactly, and what each tolerance costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.errors import SettingsError
from core.fairness.postprocessing.deterministic import nearest_thresholds
from core.fairness.postprocessing.policy import ThresholdPolicy
from core.fairness.postprocessing.problem import Problem, costs_of

if TYPE_CHECKING:
    from core.fairness.postprocessing.score_table import ScoreTable

__all__ = ["optimize", "optimize_thresholds", "tradeoff", "tradeoff_curve"]


def optimize(
    table: ScoreTable,
    *,
    constraint: str = "demographic_parity",
    objective: str = "accuracy",
    tolerance: float = 0.0,
    randomized: bool = True,
    grid_size: int = 1000,
    costs: Mapping[str, float] | None = None,
    minimum_rate: float | None = None,
) -> ThresholdPolicy:
    """Find the best rules; `optimize_thresholds` describes the parameters."""
    if not 0 <= tolerance <= 1:
        raise SettingsError(f"The tolerance is {tolerance}.", "Give a number between 0 and 1.")
    if grid_size < 2:
        raise SettingsError(f"The grid has {grid_size} steps.", "Use 2 or more.")
    problem = Problem(table, constraint, objective, costs)
    free_value, free_violation, _ = problem.outcome(problem.free())
    if minimum_rate is not None:
        rules = problem.level_up(minimum_rate)
    elif constraint == "equalized_odds":
        rules = problem.equal_odds(tolerance)
    else:
        rules = problem.parity(tolerance)
    if not randomized and any(len(rule) > 1 for rule in rules):
        rules = nearest_thresholds(problem, rules, tolerance, grid_size, minimum_rate)
    value, violation, cells = problem.outcome(rules)
    from core.fairness.metrics.counts import rate

    names = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision", "accuracy")
    labels = table.texts
    by_group = {label: {name: _plain(rate(name, cells[place])) for name in names} for place, label in enumerate(labels)}
    return ThresholdPolicy(
        rules=dict(zip(labels, rules, strict=True)),
        columns=tuple(str(name) for name in table.grouping.labels.names),
        settings={
            "constraint": constraint,
            "objective": objective,
            "tolerance": tolerance,
            "randomized": randomized,
            "costs": costs_of(costs) if objective == "cost" else None,
            "minimum_rate": minimum_rate,
        },
        expected={
            "objective": problem.told(value),
            "violation": violation,
            "unconstrained_objective": problem.told(free_value),
            "unconstrained_violation": free_violation,
            "by_group": by_group,
        },
    )


def _plain(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)


def tradeoff(table: ScoreTable, *, tolerances: Sequence[float] | None = None, **settings: Any) -> pd.DataFrame:
    """Return what each tolerance costs; `tradeoff_curve` describes the parameters."""
    if tolerances is None:
        free = optimize(table, **settings).expected["unconstrained_violation"]
        tolerances = np.linspace(0, free, 21).tolist() if free > 0 else [0.0]
    found = []
    for tolerance in tolerances:
        expected = optimize(table, tolerance=float(tolerance), **settings).expected
        found.append((float(tolerance), expected["objective"], expected["violation"]))
    curve = pd.DataFrame(found, columns=["tolerance", "objective", "disparity"])
    value = (-curve["objective"] if settings.get("objective") == "cost" else curve["objective"]).to_numpy()
    gap = curve["disparity"].to_numpy()
    better = (value[None, :] >= value[:, None]) & (gap[None, :] <= gap[:, None])
    strictly = (value[None, :] > value[:, None] + 1e-12) | (gap[None, :] < gap[:, None] - 1e-12)
    curve["dominated"] = (better & strictly).any(axis=1)
    return curve


def optimize_thresholds(
    y_true: Any,
    y_score: Any,
    sensitive_features: Any,
    *,
    constraint: str = "demographic_parity",
    objective: str = "accuracy",
    tolerance: float = 0.0,
    randomized: bool = True,
    grid_size: int = 1000,
    costs: Mapping[str, float] | None = None,
    minimum_rate: float | None = None,
    pos_label: Any = None,
    sample_weight: Any = None,
) -> ThresholdPolicy:
    """Find the thresholds by group that are best under a constraint of fairness.

    Parameters
    ----------
    y_true, y_score, sensitive_features
        As `score_table` takes them: rows that the scores were not fitted on.
    constraint : str
        demographic_parity, true_positive_rate_parity, false_positive_rate_parity, true_negative_rate_parity,
        false_negative_rate_parity, or equalized_odds (Hardt, Price, Srebro 2016).
    objective : str
        accuracy, balanced_accuracy (of all rows), or cost.
    tolerance : float
        The largest difference of the constrained rates that is allowed.
    randomized : bool
        Whether rules may draw between thresholds, which reaches the exact optimum. Otherwise one threshold a group, as
        near to it as there is, with the difference that remains.
    grid_size : int
        How many thresholds a group are tried when rules may not draw.
    costs : mapping, optional
        Cost of a false_positive, false_negative, true_positive, true_negative; 1, 1, 0, 0 by default.
    minimum_rate : float, optional
        Instead of equal rates: at least this rate for every group ("levelling up"), nobody made worse for it. For
        demographic, true positive and true negative rate parity.
    pos_label, sample_weight
        As in `score_table`.

    Returns
    -------
    ThresholdPolicy

    Raises
    ------
    InputError
        When a group lacks the labels that the constraint is about.
    SettingsError
        When a setting is invalid.

    Examples
    --------
    >>> scores = [0.9, 0.8, 0.3, 0.2, 0.7, 0.6, 0.4, 0.1]
    >>> policy = optimize_thresholds([1, 1, 0, 0, 1, 0, 0, 0], scores, list("aaaabbbb"))
    >>> policy.expected["violation"], policy.expected["objective"]
    (0.0, 0.875)
    """
    from core.fairness.postprocessing.score_table import score_table

    table = score_table(y_true, y_score, sensitive_features, pos_label=pos_label, sample_weight=sample_weight)
    return optimize(
        table,
        constraint=constraint,
        objective=objective,
        tolerance=tolerance,
        randomized=randomized,
        grid_size=grid_size,
        costs=costs,
        minimum_rate=minimum_rate,
    )


def tradeoff_curve(
    y_true: Any,
    y_score: Any,
    sensitive_features: Any,
    *,
    constraint: str = "demographic_parity",
    objective: str = "accuracy",
    tolerances: Sequence[float] | None = None,
    randomized: bool = True,
    costs: Mapping[str, float] | None = None,
    pos_label: Any = None,
    sample_weight: Any = None,
) -> pd.DataFrame:
    """Return the best objective by how much difference is allowed.

    Parameters
    ----------
    y_true, y_score, sensitive_features, constraint, objective, randomized, costs, pos_label, sample_weight
        As in `optimize_thresholds`.
    tolerances : sequence of float, optional
        21 steps from 0 to the difference without a constraint by default.

    Returns
    -------
    DataFrame
        tolerance, objective, disparity, dominated (another point is at least as good in both, and better in one).

    Examples
    --------
    >>> scores = [0.9, 0.8, 0.3, 0.2, 0.7, 0.6]
    >>> tradeoff_curve([1, 1, 0, 0, 1, 0], scores, list("aaaabb"), tolerances=[0, 1])["objective"].tolist()
    [1.0, 1.0]
    """
    from core.fairness.postprocessing.score_table import score_table

    table = score_table(y_true, y_score, sensitive_features, pos_label=pos_label, sample_weight=sample_weight)
    return tradeoff(
        table, tolerances=tolerances, constraint=constraint, objective=objective, randomized=randomized, costs=costs
    )
