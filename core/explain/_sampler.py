"""SHAP values of any function, by permutations in pairs of opposite order. NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.explain._contributions import Contributor
from core.explain._deadline import Deadline
from core.explain._speed import Speed
from core.explain._subject import Array, Subject

__all__ = ["OutOfTimeError", "row_seconds", "sampling_contributor"]

CELLS = 500_000  # of the matrix that is predicted at a time: 4 MB, and a frame of it as much again, twice for a moment
PAIRS = 2
BACKGROUND = 20  # rows


class OutOfTimeError(Exception):
    """The deadline came before the values of these rows were there; never leaves this package."""


def sampling_contributor(
    subject: Subject,
    background: NDArray[Any],
    *,
    space: str,
    pairs: int = PAIRS,
    seed: int = 0,
    speed: Speed | None = None,
    deadline: Deadline | None = None,
) -> Contributor:
    """Return an explainer by sampled permutations (Strumbelj, Kononenko 2014), each with its reverse (Mitchell 2022).

    A column's value is what the output gains when the column of the background rows becomes the row's, averaged over
    the orders in which columns do. Whatever the orders, a row's values add up exactly to its output less the mean
    output of the background; of a sum of functions of one column each, or of pairs, every value is exact.

    Parameters
    ----------
    subject : Subject
        The function.
    background : matrix of shape (b, places)
        What "the column is not known" means.
    space : str
        Of the function's outputs: probability or prediction.
    pairs : int
        Orders, and as many reverses.
    speed : Speed, optional
        Of the function, for `Contributor.a_row_s`.
    deadline : Deadline, optional
        Looked at before each part of a row's steps: values that are not there by then raise `OutOfTimeError`.

    Examples
    --------
    >>> import pandas as pd
    >>> from core.explain._subject import of_score
    >>> subject = of_score(lambda frame: 2 * frame["a"] - frame["b"], ["a", "b"], [0])
    >>> rows = subject.encode(pd.DataFrame({"a": [0.0, 2.0], "b": [0.0, 4.0]}))
    >>> sampling_contributor(subject, rows, space="prediction").values(rows)[1].ravel().tolist()
    [2.0, -2.0]
    """
    count = len(subject.columns)
    base = subject.outputs(background).mean(axis=0)

    def values(X: NDArray[Any]) -> Array:
        random = np.random.default_rng(seed)
        total = np.zeros((len(X), count, len(base)))
        final = subject.outputs(X)
        for _ in range(pairs):
            order = random.permutation(count)
            for each in (order, order[::-1]):
                steps = _walk(subject, X, background, each, base, final, deadline)
                total[:, each] += np.diff(steps, axis=1)
        return total / (2 * pairs)

    orders = f"{2 * pairs} permutations in opposite pairs, {len(background)} background rows"
    known = len(background)
    a_row_s = 0.0 if speed is None else row_seconds(speed, count, background.shape[1], pairs=pairs, references=known)
    return Contributor(f"sampled: {orders}", space, base, values, subject.outputs, a_row_s)


def row_seconds(speed: Speed, columns: int, places: int, *, pairs: int, references: int) -> float:
    """Return about how many seconds a row's values take: what is called before the first row is begun.

    Examples
    --------
    >>> row_seconds(Speed(0.0, 0.01), 101, 101, pairs=2, references=10)
    40.0
    """
    steps = columns - 1
    calls = -(-steps // max(1, CELLS // max(references * places, 1)))
    return 2 * pairs * (calls * speed.a_call + steps * references * speed.a_row)


def _walk(
    subject: Subject,
    X: NDArray[Any],
    background: NDArray[Any],
    order: NDArray[np.intp],
    base: Array,
    final: Array,
    deadline: Deadline | None,
) -> Array:
    """Return the mean output after 0, 1, ... columns became the row's, shape (n, columns + 1, k)."""
    count, known = len(order), len(background)
    steps = np.empty((len(X), count + 1, len(base)))
    steps[:, 0], steps[:, -1] = base, final
    if count == 1:
        return steps
    # The matrix of all steps grows with the square of the columns: several rows at a time, or a part of one's steps.
    a_step = known * X.shape[1]
    wide = max(1, min(count - 1, CELLS // a_step))
    high = max(1, CELLS // (a_step * (count - 1)))
    for start in range(0, len(X), high):
        rows = X[start : start + high]
        for first in range(0, count - 1, wide):
            if deadline is not None and deadline.over:
                raise OutOfTimeError
            end = min(first + wide, count - 1)
            mixed = np.tile(background, (len(rows), end - first, 1, 1))
            before = np.concatenate([subject.places[column] for column in order[: first + 1]])
            mixed[..., before] = rows[:, before][:, None, None, :]
            for place in range(first + 1, end):
                where = subject.places[order[place]]
                # From its own step on, a column is the row's.
                mixed[:, place - first :, :, where] = rows[:, where][:, None, None, :]
            found = subject.outputs(mixed.reshape(len(rows) * (end - first) * known, -1))
            means = found.reshape(len(rows), end - first, known, -1).mean(axis=2)
            steps[start : start + high, first + 1 : end + 1] = means
    return steps
