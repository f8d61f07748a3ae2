"""What would change the answer: the nearest rows that a scoring function answers as wished. pandas and NumPy only."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import InputError
from core.explain._beam import Beam, Found
from core.explain._choices import column_choices
from core.explain._deadline import Deadline
from core.explain._rows import require_one
from core.explain._subject import Array, Score, as_matrix

__all__ = ["Counterfactual", "Counterfactuals", "Goal", "counterfactuals"]


@dataclass(frozen=True)
class Goal:
    """The answer that is wished for.

    Parameters
    ----------
    place : int
        Which output: the class's place, 0 for a number.
    low, high : float
        The range that the output must reach.
    most_probable : bool
        Whether the class must also be the most probable one.

    Examples
    --------
    >>> Goal(1, low=0.5).gap(np.array([[0.8, 0.2], [0.4, 0.6]])).round(3).tolist()
    [0.3, 0.0]
    """

    place: int = 0
    low: float = -np.inf
    high: float = np.inf
    most_probable: bool = False

    def gap(self, outputs: Array) -> Array:
        """Return how far each row's output is from the goal, 0 where it is reached, shape (n,)."""
        own = outputs[:, self.place]
        gap = np.maximum(np.maximum(self.low - own, own - self.high), 0.0)
        if self.most_probable and outputs.shape[1] > 1:
            ahead = np.delete(outputs, self.place, axis=1).max(axis=1) - own
            # Of equal probabilities the first class is predicted.
            gap = np.maximum(gap, np.where(outputs.argmax(axis=1) == self.place, 0.0, np.maximum(ahead, 1e-12)))
        return gap


@dataclass(frozen=True)
class Counterfactual:
    """A row with the wished answer.

    Parameters
    ----------
    changes : dict
        By column: (the cell as it is, as it would be).
    output : array of shape (k,)
        What the scoring function says of it.
    distance : float
        Sum over the changed columns: 1 for a category, for a number the change over the column's spread.
    row : DataFrame of shape (1, columns)
        The row.
    """

    changes: dict[str, tuple[Any, Any]]
    output: Array
    distance: float
    row: pd.DataFrame


@dataclass(frozen=True)
class Counterfactuals:
    """What a search for other answers found.

    Parameters
    ----------
    found : list of Counterfactual
        Fewest changes first, then nearest; each changes another set of columns as far as there are any.
    message : str
        In words: what was found, or that nothing was and how near it came.
    tried : int
        Rows that were scored.
    elapsed_s : float
        Seconds it took.
    """

    found: list[Counterfactual]
    message: str
    tried: int
    elapsed_s: float


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
    """Search the nearest rows that reach a goal, over the columns that may change.

    All single changes are scored first, then changes are added to those that come nearest (a beam search) and coarse
    ones of every two columns are tried; then again without the columns that suffice alone, and over random halves of
    the columns, so that the answers differ. Each answer is then pruned: changes that are not
    needed are taken back, and numbers go as far back towards the row as the goal allows. Fewer changes are nearer; of
    as many, the smaller sum of changes, numbers in units of the column's median absolute deviation (Wachter,
    Mittelstadt, Russell 2018). It is a heuristic: a nearer row may exist.

    Parameters
    ----------
    score : callable
        Takes raw rows, returns probabilities, shape (n, classes), or numbers.
    row : DataFrame of shape (1, columns)
        The row as it is.
    observed : DataFrame of shape (m, columns)
        Known rows: new cells are values seen there, so that they stay within its ranges and categories.
    goal : Goal
        The wished answer.
    allowed : sequence of str
        Columns that may change; no other one is touched.
    count : int
        Answers, at most.
    most_changes : int
        Columns that one answer changes, at most.
    budget_s : float
        Seconds.

    Returns
    -------
    Counterfactuals
        With an empty list when none was found.

    Raises
    ------
    InputError
        When `row` is not one row, or a column is unknown.

    Examples
    --------
    >>> table = pd.DataFrame({"income": [10.0, 20.0, 30.0, 40.0], "age": [1.0, 2.0, 3.0, 4.0]})
    >>> found = counterfactuals(lambda rows: rows["income"], table.iloc[[0]], table, Goal(low=25), ["income"])
    >>> found.found[0].changes
    {'income': (10.0, 30.0)}
    """
    began = time.monotonic()
    require_one(row)
    for name in allowed:
        if name not in row.columns or name not in observed.columns:
            raise InputError(f"There is no column '{name}' to change.", "Choose columns that the model uses.")
    outputs = as_matrix(score(row))
    if goal.gap(outputs)[0] <= 0:
        return Counterfactuals([], "The row has the wished answer already.", 1, time.monotonic() - began)
    choices = {name: column_choices(row[name], observed[name]) for name in dict.fromkeys(allowed)}
    beam = Beam(score, row, {name: each for name, each in choices.items() if len(each)}, goal.gap, seed)
    found = beam.search(count, most_changes, Deadline.after(budget_s))
    answers = [_answer(beam, each, row) for each in found]
    return Counterfactuals(answers, _message(answers, beam, outputs, goal), beam.tried + 1, time.monotonic() - began)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _answer(beam: Beam, found: Found, row: pd.DataFrame) -> Counterfactual:
    changed = beam.table(found.state[None])
    changes = {
        name: (_plain(row[name].iloc[0]), _plain(changed[name].iloc[0]))
        for place, name in enumerate(beam.names)
        if found.state[place] >= 0
    }
    return Counterfactual(changes, found.output, beam.distance(found.state), changed)


def _message(answers: list[Counterfactual], beam: Beam, outputs: Array, goal: Goal) -> str:
    if answers:
        fewest = len(answers[0].changes)
        return f"{len(answers)} found; the nearest changes {fewest} column{'s' if fewest > 1 else ''}."
    if not beam.names:
        return "None found: no column that may change has another value."
    nearest: NDArray[np.float64] = outputs[0] if beam.nearest is None else beam.nearest
    return (
        f"None found among {beam.tried:,} rows that change {', '.join(beam.names[:5])}"
        f"{' and others' if len(beam.names) > 5 else ''}. "
        f"The nearest gives {nearest[goal.place]:.3g}, the row itself {outputs[0, goal.place]:.3g}."
    )
