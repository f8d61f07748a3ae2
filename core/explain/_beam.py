"""The search behind counterfactuals: states are choices by column, scored in batches."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.explain._choices import Choices
from core.explain._deadline import Deadline
from core.explain._subject import Array, Score, as_matrix

__all__ = ["Beam", "Found"]

State = NDArray[np.intp]

WIDTH = 12
ALIKE = 3  # states of the same columns to go on from
BATCH = 2_000
RESTARTS = 8
POLISHED = 12
PAIRED = 12_000  # coarse changes of two columns, at most
FINEST = 12


@dataclass(frozen=True)
class Found:
    """A state that reaches the goal, and its output."""

    state: State
    output: Array


class Beam:
    """A beam search over the choices of some columns.

    A state has an entry for each column: the place of its choice, or -1 for the row's own cell.

    Parameters
    ----------
    score : callable
        Takes raw rows, returns outputs.
    row : DataFrame of shape (1, columns)
        Where it starts.
    choices : mapping of Choices
        By column.
    gap : callable
        Takes outputs (n, k), returns how far each is from the goal; 0 is there.
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
        # The row's own cell stands after the choices, where the place -1 finds it.
        self._cells = [pd.concat([each.values, row[name]], ignore_index=True) for name, each in choices.items()]

    def table(self, states: State) -> pd.DataFrame:
        """Return the rows that states stand for."""
        rows = self.row.iloc[np.zeros(len(states), dtype=np.intp)].reset_index(drop=True)
        cells = {
            name: self._cells[place].array.take(states[:, place] % len(self._cells[place]))
            for place, name in enumerate(self.names)
        }
        return rows.assign(**cells)

    def distance(self, state: State) -> float:
        """Return how far a state is from the row."""
        return float(sum(each.distances[place] for each, place in zip(self.choices, state, strict=True) if place >= 0))

    def _cost(self, found: Found) -> tuple[int, float]:
        return int((found.state >= 0).sum()), self.distance(found.state)

    def _try(self, states: State, deadline: Deadline) -> tuple[Array, Array]:
        """Return outputs and gaps of as many states as there is time for."""
        parts: list[Array] = []
        for start in range(0, len(states), BATCH):
            if parts and deadline.over:
                break
            parts.append(as_matrix(self.score(self.table(states[start : start + BATCH]))))
        outputs = np.concatenate(parts)
        self.tried += len(outputs)
        gaps = self.gap(outputs)
        best = int(gaps.argmin())
        if gaps[best] < self._nearest_gap:
            self._nearest_gap, self.nearest = float(gaps[best]), outputs[best]
        return outputs, gaps

    def _expand(self, states: State, columns: NDArray[np.intp]) -> State:
        """Return all states with one more changed column."""
        parts: list[State] = []
        for column in columns:
            free = states[states[:, column] < 0]
            more = np.repeat(free, len(self.choices[column]), axis=0)
            more[:, column] = np.tile(np.arange(len(self.choices[column])), len(free))
            parts.append(more)
        return np.unique(np.concatenate(parts), axis=0)

    def _pairs(self, columns: NDArray[np.intp]) -> State:
        """Return coarse changes of every two columns: two may only help together, which no single change shows."""
        pairs = list(combinations(columns, 2))
        if not pairs or (points := math.isqrt(PAIRED // len(pairs))) < 2:
            return np.empty((0, len(self.names)), dtype=np.intp)
        coarse = {}
        for column in columns:
            spread = np.linspace(0, len(self.choices[column]) - 1, min(points, FINEST))
            coarse[column] = np.unique(spread.round().astype(int))
        parts = []
        for first, second in pairs:
            states = np.full((len(coarse[first]) * len(coarse[second]), len(self.names)), -1, dtype=np.intp)
            states[:, first] = np.repeat(coarse[first], len(coarse[second]))
            states[:, second] = np.tile(coarse[second], len(coarse[first]))
            parts.append(states)
        return np.concatenate(parts)

    def _descend(self, columns: NDArray[np.intp], depth: int, deadline: Deadline) -> list[Found]:
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
                return self._variety([Found(states[place], outputs[place]) for place in reached])
            states = states[self._nearest_of(states[: len(gaps)], gaps)]
        return []

    @staticmethod
    def _nearest_of(states: State, gaps: Array) -> list[int]:
        """Return the places of the states to go on from: the nearest, but few of the same columns."""
        kept: dict[bytes, int] = {}
        places: list[int] = []
        for place in np.argsort(gaps, kind="stable"):
            columns = (states[place] >= 0).tobytes()
            if kept.setdefault(columns, 0) < ALIKE:
                kept[columns] += 1
                places.append(int(place))
            if len(places) == WIDTH:
                break
        return places

    def _variety(self, found: list[Found]) -> list[Found]:
        """Keep the nearest state of each set of columns."""
        kept: dict[bytes, Found] = {}
        for each in sorted(found, key=self._cost):
            kept.setdefault((each.state >= 0).tobytes(), each)
        return list(kept.values())

    def _prune(self, found: Found, deadline: Deadline) -> Found:
        """Take back what is not needed, and go back towards the row as far as the goal allows."""
        while not deadline.over:
            nearer = self._nearer(found.state)
            if not len(nearer):
                break
            outputs, gaps = self._try(nearer, deadline)
            reached = [Found(nearer[place], outputs[place]) for place in np.flatnonzero(gaps <= 0)]
            if not reached:
                break
            found = min(reached, key=self._cost)
        return found

    def _nearer(self, state: State) -> State:
        """Return the states that differ in one column and are nearer to the row."""
        states = []
        for column in np.flatnonzero(state >= 0):
            each = self.choices[column]
            closer = np.flatnonzero(each.distances < each.distances[state[column]])
            for place in [-1, *closer]:
                other = state.copy()
                other[column] = place
                states.append(other)
        return np.array([other for other in states if (other >= 0).any()]).reshape(-1, len(state))

    def search(self, count: int, depth: int, deadline: Deadline) -> list[Found]:
        """Return at most `count` states that reach the goal, the nearest first, each of other columns."""
        if not self.names:
            return []
        every = np.arange(len(self.names))
        found = self._descend(every, depth, deadline)
        looked_at = {every.tobytes()}
        for attempt in range(RESTARTS):
            # Columns that suffice alone are set aside, and then random ones of the others.
            alone = {int(np.flatnonzero(each.state >= 0)[0]) for each in found if (each.state >= 0).sum() == 1}
            rest = np.array([place for place in every if place not in alone], dtype=np.intp)
            if deadline.over or not len(rest):
                break
            if attempt or len(rest) == len(every):
                rest = np.sort(self.random.choice(rest, size=(len(rest) + 1) // 2, replace=False))
            if rest.tobytes() not in looked_at:
                looked_at.add(rest.tobytes())
                found = self._variety(found + self._descend(rest, depth, deadline))
        pruned = [self._prune(each, deadline) for each in found[:POLISHED]]
        return sorted(self._variety(pruned), key=self._cost)[:count]
