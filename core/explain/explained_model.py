"""The model to explain, as a function of columns that can be exchanged between rows.

A table becomes a matrix in which each raw column has its own matrix columns, so that a cell of one row can be put into
another row without building a table again. For a saved pipeline the matrix is the encoded one; for any other scoring
function it holds positions of cells in the known tables. The web process explains rows with it: pandas and NumPy only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.columns import require_columns

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator
    from sklearn.pipeline import Pipeline

__all__ = [
    "Array",
    "ExplainedModel",
    "IndexArray",
    "Label",
    "Matrix",
    "Score",
    "as_matrix",
    "bare_estimator",
    "class_names",
    "explained_function",
    "explained_model",
]

Array: TypeAlias = NDArray[np.float64]
IndexArray: TypeAlias = NDArray[np.intp]
Matrix: TypeAlias = NDArray[Any]
"""Encoded numbers, or positions of cells: what an `ExplainedModel` encodes rows to."""
Label: TypeAlias = str | int | float | bool
Score: TypeAlias = Callable[[pd.DataFrame], ArrayLike]
"""Takes raw rows and returns probabilities, shape (n, classes), or numbers, shape (n,) or (n, 1)."""

_MAX_CLASSES = 10  # of a target with more, the most frequent are explained


@dataclass(frozen=True)
class ExplainedModel:
    """A model, and how its columns are exchanged.

    Parameters
    ----------
    columns : list of str
        Raw columns that the model uses.
    indices : list of array of int
        Matrix columns of each raw column.
    encode : callable
        Takes a raw frame, returns the matrix, shape (n, matrix columns).
    predict : callable
        Takes the matrix, returns probabilities of all classes, shape (n, classes), or numbers, shape (n, 1).
    output_indices : array of int
        Positions of the outputs that are explained.
    encoded : bool, default=False
        Whether the matrix is what a pipeline's last step takes.
    """

    columns: list[str]
    indices: list[IndexArray]
    encode: Callable[[pd.DataFrame], Matrix]
    predict: Callable[[Matrix], Array]
    output_indices: IndexArray
    encoded: bool = False

    def outputs(self, X: Matrix) -> Array:
        """Return the outputs that are explained, shape (n, k)."""
        return self.predict(X)[:, self.output_indices]

    def indices_of(self, column: str) -> IndexArray:
        """Return the matrix columns of a raw column."""
        return self.indices[self.columns.index(column)]


def class_names(labels: Sequence[Label] | None, counts: IndexArray | None = None) -> tuple[list[str], list[int]]:
    """Return the names and the positions of the outputs that are explained.

    Parameters
    ----------
    labels : sequence or None
        Names of the classes; None for a number.
    counts : array of int, optional
        Rows of each class. Of many classes the most frequent are explained.

    Examples
    --------
    >>> class_names(["no", "yes"]), class_names(None), class_names([1, 2, 3])[0]
    ((['yes'], [1]), (['prediction'], [0]), ['1', '2', '3'])
    """
    if labels is None:
        return ["prediction"], [0]
    positions = [1] if len(labels) == 2 else list(range(len(labels)))
    if len(positions) > _MAX_CLASSES:
        ranks = np.argsort(-counts, kind="stable") if counts is not None else np.arange(len(positions))
        positions = sorted(int(position) for position in ranks[:_MAX_CLASSES])
    return [str(labels[position]) for position in positions], positions


def as_matrix(outputs: ArrayLike) -> Array:
    """Return outputs of any scoring function as (n, outputs)."""
    values = np.asarray(outputs, dtype=float)
    return values[:, None] if values.ndim == 1 else values


class _KnownCells:
    """Cells of known tables, by their position."""

    def __init__(self, score: Score, columns: Sequence[str]) -> None:
        self.score = score
        self.columns = list(columns)
        self.known = pd.DataFrame()

    def encode(self, frame: pd.DataFrame) -> IndexArray:
        require_columns(frame, self.columns)
        start = len(self.known)
        rows = frame[self.columns].reset_index(drop=True)
        self.known = pd.concat([self.known, rows], ignore_index=True) if start else rows
        return np.repeat(np.arange(start, start + len(rows))[:, None], len(self.columns), axis=1)

    def predict(self, X: IndexArray) -> Array:
        cells = {name: self.known[name].array.take(X[:, index]) for index, name in enumerate(self.columns)}
        return as_matrix(self.score(pd.DataFrame(cells)))


def explained_function(score: Score, columns: Sequence[str], output_indices: Sequence[int]) -> ExplainedModel:
    """Return any scoring function as a model to explain.

    Examples
    --------
    >>> model = explained_function(lambda frame: frame["a"] + frame["b"], ["a", "b"], [0])
    >>> X = model.encode(pd.DataFrame({"a": [1, 2], "b": [10, 20]}))
    >>> X[:, 1] = X[::-1, 1]
    >>> model.outputs(X).ravel().tolist()
    [21.0, 12.0]
    """
    cells = _KnownCells(score, columns)
    indices = [np.array([index]) for index in range(len(cells.columns))]
    return ExplainedModel(cells.columns, indices, cells.encode, cells.predict, np.asarray(output_indices))


def bare_estimator(pipeline: Pipeline) -> BaseEstimator:
    """Return what a search's pipeline fitted, without the wrapper that returns the target's own labels."""
    from core.automl import LabelledClassifier

    last = pipeline.steps[-1][1]
    return last.estimator if isinstance(last, LabelledClassifier) else last


def explained_model(
    pipeline: Pipeline | BaseEstimator, columns: Sequence[str], output_indices: Sequence[int]
) -> ExplainedModel:
    """Return a model on raw frames as one to explain; of a search's pipeline the encoded matrix is used."""
    from core.explain.encoded_columns import encoded_columns

    steps = [step for _, step in getattr(pipeline, "steps", ())]
    indices = encoded_columns(steps[0], columns) if len(steps) == 2 else None
    if indices is None:
        return explained_function(_scoring_method(pipeline), columns, output_indices)
    encoder, score = steps[0], _scoring_method(steps[1])

    def encode(frame: pd.DataFrame) -> Matrix:
        encoded = encoder.transform(frame)
        return encoded.toarray() if hasattr(encoded, "toarray") else np.asarray(encoded)

    def predict(X: Matrix) -> Array:
        return as_matrix(score(X))

    return ExplainedModel(list(columns), indices, encode, predict, np.asarray(output_indices), encoded=True)


def _scoring_method(estimator: BaseEstimator) -> Callable[[pd.DataFrame | Matrix], ArrayLike]:
    has_classes = hasattr(estimator, "predict_proba")
    method: Callable[[pd.DataFrame | Matrix], ArrayLike] = estimator.predict_proba if has_classes else estimator.predict
    return method
