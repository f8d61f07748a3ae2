"""The search behind counterfactuals: a beam search over states, scored in batches."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import numpy as np
import pandas as pd

from core.explain.choices import Choices
from core.explain.deadline import Deadline
from core.explain.explained_model import Array, IndexArray, Score, as_matrix

__all__ = ["BeamSearch", "Solution"]

States: TypeAlias = IndexArray
"""One state, shape (columns,), or several, shape (n, columns): the choice of each column, -1 for the row's own cell."""

_WIDTH = 12
_ALIKE = 3  # states of the same columns that are kept
_BATCH = 2_000
_RESTARTS = 8
_PRUNED = 12
_PAIRED = 12_000  # coarse changes of two columns, at most
_FINEST = 12


@dataclass(frozen=True)
class Solution:
    """A state that reaches the goal, and its output."""

    state: States
    output: Array

    @property
    def columns(self) -> States:
        """Positions of the changed columns."""
        return np.flatnonzero(self.state >= 0)


class BeamSearch:
    """A beam search over the choices of some columns.

    Parameters
    ----------
    score : callable
        Takes raw rows, returns outputs.
    row : DataFrame of shape (1, columns)
        Row to start from.
    choices : mapping of Choices
        Other cells by column.
    gap : callable
        Takes outputs (n, k), returns the distance of each from the goal; 0 where it is reached.
    seed : int
        Seed of the restarts.
    """

    def __init__(
        self, score: Score, row: pd.DataFrame, choices: Mapping[str, Choices], gap: Callable[[Array], Array], seed: int
    ) -> None:
        self.score = score
        self.row = row
        self.names = list(choices)
        self.choices = list(choices.values())
        self.gap = gap
        self.random = np.random.default_rng(seed)
        self.tried = 0
        self.nearest: Array | None = None
        self._nearest_gap = np.inf
        # The row's own cell follows the choices, so that the position -1 is its own.
        self._cells = [pd.concat([other.values, row[name]], ignore_index=True) for name, other in choices.items()]

    def table(self, states: States) -> pd.DataFrame:
        """Return the rows of several states."""
        rows = self.row.iloc[np.zeros(len(states), dtype=np.intp)].reset_index(drop=True)
        cells = {
            name: self._cells[column].array.take(states[:, column] % len(self._cells[column]))
            for column, name in enumerate(self.names)
        }
        return rows.assign(**cells)

    def distance(self, state: States) -> float:
        """Return the distance of a state from the row."""
        chosen = zip(self.choices, state, strict=True)
        return float(sum(choices.distances[choice] for choices, choice in chosen if choice >= 0))

    def _cost(self, solution: Solution) -> tuple[int, float]:
        return len(solution.columns), self.distance(solution.state)

    def _try(self, states: States, deadline: Deadline) -> tuple[Array, Array]:
        """Return outputs and gaps of as many states as there is time for."""
        parts: list[Array] = []
        for start in range(0, len(states), _BATCH):
            if parts and deadline.over:
                break
            parts.append(as_matrix(self.score(self.table(states[start : start + _BATCH]))))
        outputs = np.concatenate(parts)
        self.tried += len(outputs)
        gaps = self.gap(outputs)
        best = int(gaps.argmin())
        if gaps[best] < self._nearest_gap:
            self._nearest_gap, self.nearest = float(gaps[best]), outputs[best]
        return outputs, gaps

    def _expand(self, states: States, columns: States) -> States:
        """Return all states with one more changed column."""
        parts: list[States] = []
        for column in columns:
            unchanged = states[states[:, column] < 0]
            more = np.repeat(unchanged, len(self.choices[column]), axis=0)
            more[:, column] = np.tile(np.arange(len(self.choices[column])), len(unchanged))
            parts.append(more)
        return np.unique(np.concatenate(parts), axis=0)

    def _pairs(self, columns: States) -> States:
        """Return coarse changes of every two columns: two may only help together, which no single change shows."""
        pairs = list(combinations(columns, 2))
        if not pairs or (points := math.isqrt(_PAIRED // len(pairs))) < 2:
            return np.empty((0, len(self.names)), dtype=np.intp)
        coarse = {}
        for column in columns:
            steps = np.linspace(0, len(self.choices[column]) - 1, min(points, _FINEST))
            coarse[column] = np.unique(steps.round().astype(int))
        parts = []
        for first, second in pairs:
            states = np.full((len(coarse[first]) * len(coarse[second]), len(self.names)), -1, dtype=np.intp)
            states[:, first] = np.repeat(coarse[first], len(coarse[second]))
            states[:, second] = np.tile(coarse[second], len(coarse[first]))
            parts.append(states)
        return np.concatenate(parts)

    def _descend(self, columns: States, depth: int, deadline: Deadline) -> list[Solution]:
        """Add one change at a time to the states that come nearest, until some reach the goal."""
        states = np.full((1, len(self.names)), -1, dtype=np.intp)
        for changes in range(1, min(depth, len(columns)) + 1):
            states = self._expand(states, columns)
            if changes == 2:
                states = np.unique(np.concatenate([states, self._pairs(columns)]), axis=0)
            if deadline.over or not len(states):
                return []
            outputs, gaps = self._try(states, deadline)
            reached = np.flatnonzero(gaps <= 0)
            if len(reached):
                return self._distinct([Solution(states[i], outputs[i]) for i in reached])
            states = states[self._nearest_of(states[: len(gaps)], gaps)]
        return []

    @staticmethod
    def _nearest_of(states: States, gaps: Array) -> list[int]:
        """Return the positions of the states to continue from: the nearest, but few of the same columns."""
        kept: dict[bytes, int] = {}
        positions: list[int] = []
        for i in np.argsort(gaps, kind="stable"):
            columns = (states[i] >= 0).tobytes()
            if kept.setdefault(columns, 0) < _ALIKE:
                kept[columns] += 1
                positions.append(int(i))
            if len(positions) == _WIDTH:
                break
        return positions

    def _distinct(self, solutions: list[Solution]) -> list[Solution]:
        """Keep the nearest solution of each set of columns."""
        kept: dict[bytes, Solution] = {}
        for solution in sorted(solutions, key=self._cost):
            kept.setdefault(solution.columns.tobytes(), solution)
        return list(kept.values())

    def _prune(self, solution: Solution, deadline: Deadline) -> Solution:
        """Undo changes that are not needed, and move others towards the row as far as the goal allows."""
        while not deadline.over:
            nearer = self._nearer(solution.state)
            if not len(nearer):
                break
            outputs, gaps = self._try(nearer, deadline)
            reached = [Solution(nearer[i], outputs[i]) for i in np.flatnonzero(gaps <= 0)]
            if not reached:
                break
            solution = min(reached, key=self._cost)
        return solution

    def _nearer(self, state: States) -> States:
        """Return the states that differ in one column and are nearer to the row."""
        states = []
        for column in np.flatnonzero(state >= 0):
            distances = self.choices[column].distances
            closer = np.flatnonzero(distances < distances[state[column]])
            for choice in [-1, *closer]:
                other = state.copy()
                other[column] = choice
                states.append(other)
        return np.array([other for other in states if (other >= 0).any()]).reshape(-1, len(state))

    def search(self, count: int, depth: int, deadline: Deadline) -> list[Solution]:
        """Return the nearest states that reach the goal, each of other columns.

        Parameters
        ----------
        count : int
            Maximum number of solutions.
        depth : int
            Maximum number of changed columns.
        deadline : Deadline
            Time to end.
        """
        if not self.names:
            return []
        every = np.arange(len(self.names))
        solutions = self._descend(every, depth, deadline)
        searched = {every.tobytes()}
        for attempt in range(_RESTARTS):
            # Without the columns that suffice alone, and then over random halves of the others.
            alone = {int(solution.columns[0]) for solution in solutions if len(solution.columns) == 1}
            rest = np.array([column for column in every if column not in alone], dtype=np.intp)
            if deadline.over or not len(rest):
                break
            if attempt or len(rest) == len(every):
                rest = np.sort(self.random.choice(rest, size=(len(rest) + 1) // 2, replace=False))
            if rest.tobytes() not in searched:
                searched.add(rest.tobytes())
                solutions = self._distinct(solutions + self._descend(rest, depth, deadline))
        pruned = [self._prune(solution, deadline) for solution in solutions[:_PRUNED]]
        return sorted(self._distinct(pruned), key=self._cost)[:count]
