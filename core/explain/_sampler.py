"""SHAP values of any function, by permutations in pairs of opposite order. NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.explain._contributions import Contributor
from core.explain._subject import Array, Subject

__all__ = ["sampling_contributor"]

CELLS = 5_000_000  # of the matrix that is predicted at a time
PAIRS = 2
BACKGROUND = 20  # rows


def sampling_contributor(
    subject: Subject,
    background: NDArray[Any],
    *,
    space: str,
    pairs: int = PAIRS,
    seed: int = 0,
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
                steps = _walk(subject, X, background, each, base, final)
                total[:, each] += np.diff(steps, axis=1)
        return total / (2 * pairs)

    orders = f"{2 * pairs} permutations in opposite pairs, {len(background)} background rows"
    return Contributor(f"sampled: {orders}", space, base, values, subject.outputs)


def _walk(
    subject: Subject, X: NDArray[Any], background: NDArray[Any], order: NDArray[np.intp], base: Array, final: Array
) -> Array:
    """Return the mean output after 0, 1, ... columns became the row's, shape (n, columns + 1, k)."""
    count = len(order)
    steps = np.empty((len(X), count + 1, len(base)))
    steps[:, 0], steps[:, -1] = base, final
    if count == 1:
        return steps
    a_row = (count - 1) * len(background)
    size = max(1, CELLS // (a_row * X.shape[1]))
    for start in range(0, len(X), size):
        rows = X[start : start + size]
        mixed = np.tile(background, (len(rows), count - 1, 1, 1))
        for place, column in enumerate(order[:-1]):
            where = subject.places[column]
            # From its own step on, a column is the row's.
            mixed[:, place:, :, where] = rows[:, where][:, None, None, :]
        found = subject.outputs(mixed.reshape(len(rows) * a_row, -1))
        steps[start : start + size, 1:-1] = found.reshape(len(rows), count - 1, len(background), -1).mean(axis=2)
    return steps
