"""What rules promise on the rows they were fitted on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.fairness.metrics.counts import rate
from core.fairness.postprocessing.hull import Mixture
from core.fairness.postprocessing.problem import Problem
from core.fairness.postprocessing.stored_policy import PolicyExpectation

__all__ = ["expectation"]

_REPORTED_RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision", "accuracy")


def expectation(problem: Problem, rules: Sequence[Mixture], free: Sequence[Mixture]) -> PolicyExpectation:
    """Return the promise of one rule for each group, beside that of rules without a constraint.

    Parameters
    ----------
    problem : Problem
        Objective and constraint.
    rules, free : sequence of mixtures
        The rule of each group, and the one that it would have without a constraint.
    """
    value, violation, cells = problem.outcome(rules)
    free_value, free_violation, _ = problem.outcome(free)
    rates = {name: rate(name, cells) for name in _REPORTED_RATES}
    texts = problem.table.texts
    return {
        "objective": problem.reported(value),
        "violation": violation,
        "unconstrained_objective": problem.reported(free_value),
        "unconstrained_violation": free_violation,
        "by_group": {
            label: {name: _none_if_nan(values[group]) for name, values in rates.items()}
            for group, label in enumerate(texts)
        },
        "small_groups": [label for group, label in enumerate(texts) if group not in problem.compared],
    }


def _none_if_nan(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)
