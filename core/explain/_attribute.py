"""SHAP values of as many rows as there is time for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.explain._contributions import Contributor, exact_contributor
from core.explain._deadline import Deadline
from core.explain._sampler import BACKGROUND, PAIRS, OutOfTimeError, sampling_contributor
from core.explain._shap import ShapValues
from core.explain._speed import Speed
from core.explain._subject import Array, Subject

__all__ = ["attribute"]

ROWS = 500
ENOUGH = 50  # rows that an exact method must be able to explain in time, or a sampled one is used
BATCH_S = 0.5
SAFE = 0.8  # of the time left is planned for: a batch that the deadline cuts off is lost
TOLERANCE = 1e-3  # of a sum's distance from the model's own output, relative to the outputs' spread


def _explain(contributor: Contributor, X: NDArray[Any], deadline: Deadline) -> Array:
    """Explain rows in batches of about `BATCH_S` seconds until there are no more, or no time."""
    parts: list[Array] = []
    done, size = 0, 1
    while done < len(X) and not deadline.over:
        began = time.perf_counter()
        try:
            parts.append(contributor.values(X[done : done + size]))
        except OutOfTimeError:
            break
        seconds = time.perf_counter() - began
        done += size
        fitting = min(BATCH_S, SAFE * deadline.left()) / max(seconds / size, 1e-9)
        size = int(np.clip(fitting, 1, 4 * size + 8))
    return np.concatenate(parts) if parts else np.empty((0, len(contributor.base), 0))


def _choose(
    estimator: Any,
    subject: Subject,
    X: NDArray[Any],
    background: NDArray[Any],
    sampled: Callable[[], Contributor],
    deadline: Deadline,
) -> tuple[Contributor, str]:
    """Return the exact explainer where it is right and fast enough, else the sampling one, and why."""
    contributor = exact_contributor(estimator, subject, background) if estimator is not None else None
    if contributor is None:
        return sampled(), ""
    rows = min(ENOUGH, len(X))
    if contributor.a_row_s * rows > deadline.left():  # one row alone may take seconds
        return sampled(), f"{contributor.method} takes about {contributor.a_row_s:.2g} s a row"
    began = time.perf_counter()
    probe = X[:1]
    sums = contributor.base + contributor.values(probe).sum(axis=1)
    a_row = time.perf_counter() - began
    reference = contributor.reference(probe)
    if not np.allclose(sums, reference, rtol=TOLERANCE, atol=TOLERANCE):
        off = float(np.abs(sums - reference).max())
        return sampled(), f"{contributor.method} does not add up to the model's output (off by {off:.2g})"
    if a_row * rows > deadline.left():
        return sampled(), f"{contributor.method} takes {a_row:.2g} s a row"
    return contributor, ""


def attribute(
    subject: Subject,
    X: NDArray[Any],
    data: pd.DataFrame,
    row_id: NDArray[np.intp],
    names: list[str],
    *,
    space: str,
    background: NDArray[Any],
    deadline: Deadline,
    estimator: Any = None,
    pairs: int = PAIRS,
    references: int = BACKGROUND,
    seed: int = 0,
    speed: Speed | None = None,
) -> tuple[ShapValues | None, Contributor | None, str]:
    """Explain rows in the best way that fits.

    Parameters
    ----------
    subject : Subject
        The model.
    X : matrix of shape (n, places)
        Rows to explain, in the order of their importance to the reader.
    data : DataFrame of shape (n, columns)
        Their cells.
    names : list of str
        Of the outputs.
    space : str
        Of the outputs that a sampled explanation is of.
    background : matrix of shape (b, places)
        Rows that stand for "not known".
    deadline : Deadline
        When to end.
    pairs, references : int
        Of a sampled explanation: pairs of orders, and rows drawn from the background.
    estimator : fitted estimator, optional
        On the subject's matrix; without it the values are sampled.
    speed : Speed, optional
        Of the subject: no row is begun that alone would take a sampled explanation past the deadline.

    Returns
    -------
    found : ShapValues or None
        Of the rows that there was time for; None when there was none.
    contributor : Contributor or None
        What made them.
    why : str
        Why a sampled method was used in place of an exact one, or empty.
    """

    def sampled() -> Contributor:
        drawn = np.random.default_rng(seed).permutation(len(background))[:references]
        return sampling_contributor(
            subject, background[drawn], space=space, pairs=pairs, seed=seed, speed=speed, deadline=deadline
        )

    if deadline.over or not len(X):
        return None, None, ""
    contributor, why = _choose(estimator, subject, X, background, sampled, deadline)
    if contributor.a_row_s > deadline.left():
        return None, contributor, why
    values = _explain(contributor, X, deadline)
    n = len(values)
    if not n:
        return None, contributor, why
    error = np.abs(contributor.base + values.sum(axis=1) - contributor.reference(X[:n])).max()
    cells = data[subject.columns].iloc[:n].reset_index(drop=True)
    return (
        ShapValues(
            contributor.method,
            contributor.space,
            list(subject.columns),
            list(names),
            contributor.base,
            values,
            np.asarray(row_id)[:n],
            cells,
            float(error),
        ),
        contributor,
        why,
    )
