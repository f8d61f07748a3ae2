"""What is explained: a model as a function of columns that can be exchanged between rows.

A table becomes a matrix in which each raw column has its own places, so that a column of one row can be put into
another row without building a table again. For a saved pipeline the matrix is the encoded one; for any other scoring
function it holds where in the known tables a cell stands. pandas and NumPy only: the web process explains rows with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.features import require_columns

__all__ = ["Array", "Score", "Subject", "as_matrix", "bare_estimator", "class_names", "of_model", "of_score"]

Array = NDArray[np.float64]
Score = Callable[[pd.DataFrame], NDArray[Any]]
"""Takes raw rows and returns probabilities, shape (n, classes), or numbers, shape (n,) or (n, 1)."""

CLASSES = 10  # are explained, of a target with more


@dataclass(frozen=True)
class Subject:
    """A model, and how its columns are exchanged.

    Parameters
    ----------
    columns : list of str
        Raw columns that the model uses.
    places : list of array of int
        The places of each column in the matrix.
    encode : callable
        Takes a raw frame, returns the matrix, shape (n, places).
    predict : callable
        Takes the matrix, returns probabilities of all classes, shape (n, classes), or numbers, shape (n, 1).
    picked : array of int
        The outputs that are explained.
    encoded : bool
        Whether the matrix is what a pipeline's last step takes.
    """

    columns: list[str]
    places: list[NDArray[np.intp]]
    encode: Callable[[pd.DataFrame], NDArray[Any]]
    predict: Callable[[NDArray[Any]], Array]
    picked: NDArray[np.intp]
    encoded: bool = False

    def outputs(self, X: NDArray[Any]) -> Array:
        """Return the outputs that are explained, shape (n, k)."""
        return self.predict(X)[:, self.picked]


def class_names(labels: Sequence[Any] | None, counts: NDArray[np.intp] | None = None) -> tuple[list[str], list[int]]:
    """Return the names and the places of the outputs that are explained.

    Parameters
    ----------
    labels : sequence or None
        The classes; None for a number.
    counts : array of int, optional
        Rows of each class; of many classes the most frequent are explained.

    Examples
    --------
    >>> class_names(["no", "yes"]), class_names(None), class_names([1, 2, 3])[0]
    ((['yes'], [1]), (['prediction'], [0]), ['1', '2', '3'])
    """
    if labels is None:
        return ["prediction"], [0]
    places = [1] if len(labels) == 2 else list(range(len(labels)))
    if len(places) > CLASSES:
        ranks = np.argsort(-counts, kind="stable") if counts is not None else np.arange(len(places))
        places = sorted(int(place) for place in ranks[:CLASSES])
    return [str(labels[place]) for place in places], places


def as_matrix(found: Any) -> Array:
    """Return outputs of any scoring function as (n, outputs)."""
    values = np.asarray(found, dtype=float)
    return values[:, None] if values.ndim == 1 else values


class _Cells:
    """Cells of known tables, by where they stand."""

    def __init__(self, score: Score, columns: Sequence[str]) -> None:
        self.score = score
        self.columns = list(columns)
        self.known = pd.DataFrame()

    def encode(self, frame: pd.DataFrame) -> NDArray[np.intp]:
        require_columns(frame, self.columns)
        start = len(self.known)
        rows = frame[self.columns].reset_index(drop=True)
        self.known = pd.concat([self.known, rows], ignore_index=True) if start else rows
        return np.repeat(np.arange(start, start + len(rows))[:, None], len(self.columns), axis=1)

    def predict(self, X: NDArray[np.intp]) -> Array:
        cells = {name: self.known[name].array.take(X[:, place]) for place, name in enumerate(self.columns)}
        return as_matrix(self.score(pd.DataFrame(cells)))


def of_score(score: Score, columns: Sequence[str], picked: Sequence[int]) -> Subject:
    """Return the subject of any scoring function.

    Examples
    --------
    >>> subject = of_score(lambda frame: frame["a"] + frame["b"], ["a", "b"], [0])
    >>> X = subject.encode(pd.DataFrame({"a": [1, 2], "b": [10, 20]}))
    >>> X[:, 1] = X[::-1, 1]
    >>> subject.outputs(X).ravel().tolist()
    [21.0, 12.0]
    """
    cells = _Cells(score, columns)
    places = [np.array([place]) for place in range(len(cells.columns))]
    return Subject(cells.columns, places, cells.encode, cells.predict, np.asarray(picked))


def bare_estimator(model: Any) -> Any:
    """Return what a search's pipeline fitted, without the wrapper that speaks the target's own labels."""
    from core.automl import LabelledClassifier

    last = model.steps[-1][1]
    return last.estimator if isinstance(last, LabelledClassifier) else last


def of_model(model: Any, columns: Sequence[str], picked: Sequence[int]) -> Subject:
    """Return the subject of a model on raw frames; of a search's pipeline its encoded matrix is used."""
    from core.explain._columns import encoded_places

    steps = [step for _, step in getattr(model, "steps", ())]
    places = encoded_places(steps[0], columns) if len(steps) == 2 else None
    if places is None:
        return of_score(_answer(model), columns, picked)
    encoder, function = steps[0], _answer(steps[1])

    def encode(frame: pd.DataFrame) -> NDArray[Any]:
        found = encoder.transform(frame)
        return found.toarray() if hasattr(found, "toarray") else np.asarray(found)

    return Subject(list(columns), places, encode, lambda X: as_matrix(function(X)), np.asarray(picked), encoded=True)


def _answer(model: Any) -> Callable[[Any], Any]:
    answer: Callable[[Any], Any] = model.predict_proba if hasattr(model, "predict_proba") else model.predict
    return answer
