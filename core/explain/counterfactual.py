"""Counterfactuals: the nearest rows for which a scoring function gives a desired output. pandas and NumPy only."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.columns import require_columns
from core.explain.beam_search import BeamSearch, Solution
from core.explain.cells import Cell, as_python, require_one_row
from core.explain.choices import column_choices
from core.explain.deadline import Deadline
from core.explain.explained_model import Array, Score, as_matrix

__all__ = ["Counterfactual", "Counterfactuals", "Goal", "counterfactuals"]


@dataclass(frozen=True)
class Goal:
    """The desired output.

    Parameters
    ----------
    index : int, default=0
        Position of the output: that of the class, 0 for a number.
    low, high : float, default=-inf, inf
        Range that the output must reach.
    most_probable : bool, default=False
        Whether the class must also be the most probable one.

    Examples
    --------
    >>> Goal(1, low=0.5).gap(np.array([[0.8, 0.2], [0.4, 0.6]])).round(3).tolist()
    [0.3, 0.0]
    """

    index: int = 0
    low: float = -np.inf
    high: float = np.inf
    most_probable: bool = False

    def gap(self, outputs: Array) -> Array:
        """Return the distance of each row's output from the goal, 0 where it is reached, shape (n,)."""
        own = outputs[:, self.index]
        gap = np.maximum(np.maximum(self.low - own, own - self.high), 0.0)
        if self.most_probable and outputs.shape[1] > 1:
            ahead = np.delete(outputs, self.index, axis=1).max(axis=1) - own
            # Of equal probabilities the first class is predicted.
            gap = np.maximum(gap, np.where(outputs.argmax(axis=1) == self.index, 0.0, np.maximum(ahead, 1e-12)))
        return gap


@dataclass(frozen=True)
class Counterfactual:
    """A row with the desired output.

    Parameters
    ----------
    changes : dict
        The cell as it is and as it would be, by column.
    output : array of shape (k,)
        Output of the scoring function.
    distance : float
        Sum over the changed columns: 1 for a category, for a number the change over the column's spread.
    row : DataFrame of shape (1, columns)
        The row.
    """

    changes: dict[str, tuple[Cell, Cell]]
    output: Array
    distance: float
    row: pd.DataFrame


@dataclass(frozen=True)
class Counterfactuals:
    """The result of a search for counterfactuals.

    Parameters
    ----------
    examples : list of Counterfactual
        Fewest changes first, then nearest; each changes another set of columns as far as there are any.
    message : str
        Summary in words: how many there are, or that there are none and how near the search came.
    tried : int
        Number of rows that were scored.
    elapsed_s : float
        Duration in seconds.
    """

    examples: list[Counterfactual]
    message: str
    tried: int
    elapsed_s: float

    def __getattr__(self, name: str) -> list[Counterfactual]:
        if name == "found":  # the name of `examples` in earlier versions
            return self.examples
        raise AttributeError(name)


def counterfactuals(
    score: Score,
    row: pd.DataFrame,
    observed: pd.DataFrame,
    goal: Goal,
    allowed: Sequence[str],
    *,
    count: int = 3,
    most_changes: int = 4,
    budget_s: float = 1.5,
    seed: int = 0,
) -> Counterfactuals:
    """Search for the nearest rows that reach a goal, over the columns that may change.

    All single changes are scored first, then changes are added to those that come nearest (a beam search) and coarse
    ones of every two columns are tried; then again without the columns that suffice alone, and over random halves of
    the columns, so that the rows differ. Each row is then pruned: changes that are not needed are undone, and numbers
    move as far back towards the row as the goal allows. Fewer changes are nearer; with as many changes, the smaller
    sum of changes, numbers in units of the column's median absolute deviation (Wachter, Mittelstadt, Russell 2018). It
    is a heuristic: a nearer row may exist.

    Parameters
    ----------
    score : callable
        Takes raw rows, returns probabilities, shape (n, classes), or numbers.
    row : DataFrame of shape (1, columns)
        The row as it is.
    observed : DataFrame of shape (m, columns)
        Known rows: new cells are values seen there, so that they stay within its ranges and categories.
    goal : Goal
        The desired output.
    allowed : sequence of str
        Columns that may change; no other one does.
    count : int, default=3
        Maximum number of counterfactuals.
    most_changes : int, default=4
        Maximum number of columns that one of them changes.
    budget_s : float, default=1.5
        Maximum duration in seconds.
    seed : int, default=0
        Seed of the random halves.

    Returns
    -------
    Counterfactuals
        Its list of examples is empty when the search ended without one.

    Raises
    ------
    InputError
        When `row` is not one row, or a column is unknown.

    See Also
    --------
    what_if : Scores a row with given edits.

    Examples
    --------
    >>> table = pd.DataFrame({"income": [10.0, 20.0, 30.0, 40.0], "age": [1.0, 2.0, 3.0, 4.0]})
    >>> result = counterfactuals(lambda rows: rows["income"], table.iloc[[0]], table, Goal(low=25), ["income"])
    >>> result.examples[0].changes
    {'income': (10.0, 30.0)}
    """
    began = time.monotonic()
    require_one_row(row)
    require_columns(row.columns, allowed, what="The row")
    require_columns(observed.columns, allowed, what="The table of known rows")
    outputs = as_matrix(score(row))
    if goal.gap(outputs)[0] <= 0:
        return Counterfactuals([], "The row already has the desired output.", 1, time.monotonic() - began)
    choices = {name: column_choices(row[name], observed[name]) for name in dict.fromkeys(allowed)}
    search = BeamSearch(score, row, {name: other for name, other in choices.items() if len(other)}, goal.gap, seed)
    solutions = search.search(count, most_changes, Deadline.after(budget_s))
    examples = [_counterfactual(search, solution, row) for solution in solutions]
    message = _message(examples, search, outputs, goal)
    return Counterfactuals(examples, message, search.tried + 1, time.monotonic() - began)


def _counterfactual(search: BeamSearch, solution: Solution, row: pd.DataFrame) -> Counterfactual:
    changed = search.table(solution.state[None])
    names = [search.names[column] for column in solution.columns]
    changes = {name: (as_python(row[name].iloc[0]), as_python(changed[name].iloc[0])) for name in names}
    return Counterfactual(changes, solution.output, search.distance(solution.state), changed)


def _message(examples: list[Counterfactual], search: BeamSearch, outputs: Array, goal: Goal) -> str:
    if examples:
        fewest = len(examples[0].changes)
        return f"{len(examples)} found; the nearest changes {fewest} column{'s' if fewest > 1 else ''}."
    if not search.names:
        return "None found: no column that may change has another value."
    nearest: Array = outputs[0] if search.nearest is None else search.nearest
    return (
        f"None found among {search.tried:,} rows that change {', '.join(search.names[:5])}"
        f"{' and others' if len(search.names) > 5 else ''}. "
        f"The nearest gives {nearest[goal.index]:.3g}, the row itself {outputs[0, goal.index]:.3g}."
    )
