"""SHAP values of any function, by permutations in pairs of opposite order. NumPy only."""

from __future__ import annotations

import numpy as np

from core.explain.deadline import Deadline
from core.explain.explained_model import Array, ExplainedModel, IndexArray, Matrix
from core.explain.explainers import Explainer, Space
from core.explain.speed import Speed

__all__ = ["BACKGROUND", "MATRIX_CELLS", "PAIRS", "OutOfTimeError", "row_seconds", "sampling_explainer"]

MATRIX_CELLS = (
    500_000  # of the matrix that is predicted at a time: 4 MB, and a frame of it as much again, twice for a moment
)
PAIRS = 2
BACKGROUND = 20  # rows


class OutOfTimeError(Exception):
    """The deadline came before the values of these rows were computed; never leaves this package."""


def sampling_explainer(
    model: ExplainedModel,
    background: Matrix,
    *,
    space: Space,
    pairs: int = PAIRS,
    seed: int = 0,
    speed: Speed | None = None,
    deadline: Deadline | None = None,
) -> Explainer:
    """Return an explainer by sampled permutations (Strumbelj, Kononenko 2014), each with its reverse (Mitchell 2022).

    A column's value is what the output gains when the column of the background rows becomes the row's, averaged over
    the orders in which columns do. Whatever the orders, a row's values add up exactly to its output less the mean
    output of the background; of a sum of functions of one column each, or of pairs, every value is exact.

    Parameters
    ----------
    model : ExplainedModel
        The model.
    background : matrix of shape (b, matrix columns)
        Rows that stand for "the column is unknown".
    space : {"probability", "prediction"}
        Space of the model's outputs.
    pairs : int, default=2
        Number of orders, and of their reverses.
    seed : int, default=0
        Seed of the orders.
    speed : Speed, optional
        Speed of the model, for `Explainer.seconds_per_row`.
    deadline : Deadline, optional
        Time to end, checked before each part of a row's steps: values that are not computed by then raise
        `OutOfTimeError`.

    Examples
    --------
    >>> import pandas as pd
    >>> from core.explain.explained_model import explained_function
    >>> model = explained_function(lambda frame: 2 * frame["a"] - frame["b"], ["a", "b"], [0])
    >>> rows = model.encode(pd.DataFrame({"a": [0.0, 2.0], "b": [0.0, 4.0]}))
    >>> sampling_explainer(model, rows, space="prediction").values(rows)[1].ravel().tolist()
    [2.0, -2.0]
    """
    count = len(model.columns)
    base = model.outputs(background).mean(axis=0)

    def values(X: Matrix) -> Array:
        random = np.random.default_rng(seed)
        total = np.zeros((len(X), count, len(base)))
        final = model.outputs(X)
        for _ in range(pairs):
            order = random.permutation(count)
            for columns in (order, order[::-1]):
                steps = _walk(model, X, background, columns, base, final, deadline)
                total[:, columns] += np.diff(steps, axis=1)
        return total / (2 * pairs)

    orders = f"{2 * pairs} permutations in opposite pairs, {len(background)} background rows"
    seconds = 0.0
    if speed is not None:
        seconds = row_seconds(speed, count, background.shape[1], pairs=pairs, references=len(background))
    return Explainer(f"sampled: {orders}", space, base, values, model.outputs, seconds)


def row_seconds(speed: Speed, columns: int, width: int, *, pairs: int, references: int) -> float:
    """Return about how long the values of one row take, to be known before the first row is explained.

    Parameters
    ----------
    speed : Speed
        Speed of the model.
    columns, width : int
        Number of raw columns, and of matrix columns.
    pairs, references : int
        Pairs of orders, and rows of the background.

    Examples
    --------
    >>> row_seconds(Speed(0.0, 0.01), 101, 101, pairs=2, references=10)
    40.0
    """
    steps = columns - 1
    calls = -(-steps // max(1, MATRIX_CELLS // max(references * width, 1)))
    return 2 * pairs * (calls * speed.seconds_per_call + steps * references * speed.seconds_per_row)


def _walk(
    model: ExplainedModel,
    X: Matrix,
    background: Matrix,
    order: IndexArray,
    base: Array,
    final: Array,
    deadline: Deadline | None,
) -> Array:
    """Return the mean output after 0, 1, ... columns have become the row's, shape (n, columns + 1, k)."""
    count, known = len(order), len(background)
    steps = np.empty((len(X), count + 1, len(base)))
    steps[:, 0], steps[:, -1] = base, final
    if count == 1:
        return steps
    # The matrix of all steps grows with the square of the columns: several rows at a time, or some steps of one row.
    step_cells = known * X.shape[1]
    wide = max(1, min(count - 1, MATRIX_CELLS // step_cells))
    high = max(1, MATRIX_CELLS // (step_cells * (count - 1)))
    for start in range(0, len(X), high):
        rows = X[start : start + high]
        for first in range(0, count - 1, wide):
            if deadline is not None and deadline.over:
                raise OutOfTimeError
            end = min(first + wide, count - 1)
            mixed = np.tile(background, (len(rows), end - first, 1, 1))
            before = np.concatenate([model.indices[column] for column in order[: first + 1]])
            mixed[..., before] = rows[:, before][:, None, None, :]
            for step in range(first + 1, end):
                columns = model.indices[order[step]]
                # From its own step on, a column is the row's.
                mixed[:, step - first :, :, columns] = rows[:, columns][:, None, None, :]
            outputs = model.outputs(mixed.reshape(len(rows) * (end - first) * known, -1))
            means = outputs.reshape(len(rows), end - first, known, -1).mean(axis=2)
            steps[start : start + high, first + 1 : end + 1] = means
    return steps
