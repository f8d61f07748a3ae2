"""Time budgets in words, and what to expect of a budget on a table of some size.

One rule of thumb is behind it: on two cores with nothing else to do, a trial (all of its folds) takes about half a
second, and a second more for each 200,000 cells of the table (rows times columns). Tables differ by a factor of two
either way: of nine tables of 331 to 36,632 rows all were within it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = [
    "BUDGET_PRESETS",
    "SHORTEST_BUDGET_S",
    "BudgetPreset",
    "budget_warning",
    "expected_trials",
    "sensible_budget_s",
]

SHORTEST_BUDGET_S = 5.0
"""Time budget that forms offer at least, in seconds."""
_TRIAL_S = 0.5
_CELLS_PER_S = 200_000
_SEARCH_SHARE = 0.75  # of a budget; the rest is for features, the final fit and the test
_FACTOR = 2.0  # by which tables differ from the rule, either way
_ENDS_S = 5.0  # start, features, final fit and test
_SMALLEST_S = 10.0
_STEP_S = 5.0


@dataclass(frozen=True)
class BudgetPreset:
    """A time budget with a name.

    Parameters
    ----------
    title : str
        Name that pages show.
    seconds : float
        Time budget.
    purpose : str
        Sentence about what it is good for.
    """

    title: str
    seconds: float
    purpose: str


BUDGET_PRESETS = {
    "fast": BudgetPreset(
        "Fast", 60.0, "A first look: is there something to learn, and are the columns the right ones?"
    ),
    "balanced": BudgetPreset(
        "Balanced", 300.0, "For most questions: each learner is tuned, and the best ones are blended."
    ),
    "thorough": BudgetPreset(
        "Thorough", 1_800.0, "For the model that you deploy, and for large tables: the last gains."
    ),
}
"""Time budgets by name, the shortest first."""


def expected_trials(rows: int, columns: int, seconds: float) -> tuple[int, int]:
    """Return about how many trials a budget allows, as a range.

    Parameters
    ----------
    rows, columns : int
        Size of the table.
    seconds : float
        Time budget.

    Examples
    --------
    >>> expected_trials(1_000, 21, 60), expected_trials(48_842, 14, 60)
    ((37, 149), (6, 23))
    """
    typical = _SEARCH_SHARE * seconds / _trial_s(rows, columns)
    return max(1, round(typical / _FACTOR)), max(2, round(typical * _FACTOR))


def sensible_budget_s(rows: int, columns: int) -> float:
    """Return the smallest budget that makes sense: start and end, and two trials; at least 10 s, in steps of 5 s.

    Parameters
    ----------
    rows, columns : int
        Size of the table.

    Examples
    --------
    >>> sensible_budget_s(1_000, 21), sensible_budget_s(48_842, 14), sensible_budget_s(100_000, 100)
    (10.0, 15.0, 110.0)
    """
    return max(_SMALLEST_S, _STEP_S * math.ceil((_ENDS_S + 2 * _trial_s(rows, columns)) / _STEP_S))


def budget_warning(rows: int, columns: int, seconds: float) -> str | None:
    """Return a sentence about a budget that is too small for a table; None where it is not.

    Parameters
    ----------
    rows, columns : int
        Size of the table.
    seconds : float
        Time budget.

    Examples
    --------
    >>> budget_warning(100_000, 100, 60)
    '60 s is short for 100,000 rows and 100 columns: expect the linear model and one or two others. 110 s or more is...'
    """
    sensible = sensible_budget_s(rows, columns)
    if seconds >= sensible:
        return None
    return (
        f"{seconds:,.0f} s is short for {rows:,} rows and {columns:,} columns: expect the linear model and one or two "
        f"others. {sensible:,.0f} s or more is better."
    )


def _trial_s(rows: int, columns: int) -> float:
    return _TRIAL_S + rows * columns / _CELLS_PER_S
