"""SHAP values of as many rows as there is time for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.explain.deadline import Deadline
from core.explain.explained_model import Array, ExplainedModel, IndexArray, Matrix
from core.explain.explainers import Explainer, Space, exact_explainer
from core.explain.sampling import BACKGROUND, PAIRS, OutOfTimeError, sampling_explainer
from core.explain.shap_values import ShapValues
from core.explain.speed import Speed

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

__all__ = ["ROWS", "Attribution", "attribute"]

ROWS = 500
_ENOUGH_ROWS = 50  # that an exact method must be able to explain in time, or a sampled one is used
_BATCH_S = 0.5
_SAFE_SHARE = 0.8  # of the time left is planned for: a batch that the deadline cuts off is lost
_TOLERANCE = 1e-3  # of a sum's distance from the model's own output, relative to the outputs' spread


@dataclass(frozen=True)
class Attribution:
    """SHAP values and the explainer that made them.

    Parameters
    ----------
    shap : ShapValues or None
        Values of the rows that there was time for; None when there was none.
    explainer : Explainer or None
        Explainer that made them.
    why_sampled : str
        Reason why a sampled method was used in place of an exact one, or empty.
    """

    shap: ShapValues | None = None
    explainer: Explainer | None = None
    why_sampled: str = ""


def _explain(explainer: Explainer, X: Matrix, deadline: Deadline) -> Array:
    """Explain rows in batches of about `_BATCH_S` seconds until there are no more, or no time."""
    parts: list[Array] = []
    done, size = 0, 1
    while done < len(X) and not deadline.over:
        began = time.perf_counter()
        try:
            parts.append(explainer.values(X[done : done + size]))
        except OutOfTimeError:
            break
        seconds = time.perf_counter() - began
        done += size
        fitting = min(_BATCH_S, _SAFE_SHARE * deadline.left()) / max(seconds / size, 1e-9)
        size = int(np.clip(fitting, 1, 4 * size + 8))
    return np.concatenate(parts) if parts else np.empty((0, len(explainer.base), 0))


def _choose(
    estimator: BaseEstimator | None,
    model: ExplainedModel,
    X: Matrix,
    background: Matrix,
    sampled: Callable[[], Explainer],
    deadline: Deadline,
) -> tuple[Explainer, str]:
    """Return the exact explainer where it is right and fast enough, else the sampling one, and why."""
    explainer = exact_explainer(estimator, model, background) if estimator is not None else None
    if explainer is None:
        return sampled(), ""
    rows = min(_ENOUGH_ROWS, len(X))
    if explainer.seconds_per_row * rows > deadline.left():  # one row alone may take seconds
        return sampled(), f"{explainer.method} takes about {explainer.seconds_per_row:.2g} s per row"
    began = time.perf_counter()
    probe = X[:1]
    sums = explainer.base + explainer.values(probe).sum(axis=1)
    seconds_per_row = time.perf_counter() - began
    reference = explainer.reference(probe)
    if not np.allclose(sums, reference, rtol=_TOLERANCE, atol=_TOLERANCE):
        off = float(np.abs(sums - reference).max())
        return sampled(), f"{explainer.method} does not add up to the model's output (off by {off:.2g})"
    if seconds_per_row * rows > deadline.left():
        return sampled(), f"{explainer.method} takes {seconds_per_row:.2g} s per row"
    return explainer, ""


def attribute(
    model: ExplainedModel,
    X: Matrix,
    data: pd.DataFrame,
    row_id: IndexArray,
    names: list[str],
    *,
    space: Space,
    background: Matrix,
    deadline: Deadline,
    estimator: BaseEstimator | None = None,
    pairs: int = PAIRS,
    references: int = BACKGROUND,
    seed: int = 0,
    speed: Speed | None = None,
) -> Attribution:
    """Explain rows in the best way that fits the time.

    Parameters
    ----------
    model : ExplainedModel
        The model.
    X : matrix of shape (n, matrix columns)
        Rows to explain, the most important first.
    data : DataFrame of shape (n, columns)
        Cells of the same rows.
    row_id : array of shape (n,)
        Positions of the rows in the table.
    names : list of str
        Names of the outputs.
    space : {"probability", "prediction"}
        Space of the outputs that a sampled explanation is about.
    background : matrix of shape (b, matrix columns)
        Rows that stand for "unknown".
    deadline : Deadline
        Time to end.
    estimator : fitted estimator, optional
        Estimator on the model's matrix; without it the values are sampled.
    pairs, references : int, default=2, 20
        Pairs of orders of a sampled explanation, and rows that it draws from the background.
    seed : int, default=0
        Seed of a sampled explanation.
    speed : Speed, optional
        Speed of the model: no row is begun that alone would take a sampled explanation past the deadline.
    """

    def sampled() -> Explainer:
        drawn = np.random.default_rng(seed).permutation(len(background))[:references]
        return sampling_explainer(
            model, background[drawn], space=space, pairs=pairs, seed=seed, speed=speed, deadline=deadline
        )

    if deadline.over or not len(X):
        return Attribution()
    explainer, why = _choose(estimator, model, X, background, sampled, deadline)
    if explainer.seconds_per_row > deadline.left():
        return Attribution(None, explainer, why)
    values = _explain(explainer, X, deadline)
    n = len(values)
    if not n:
        return Attribution(None, explainer, why)
    error = np.abs(explainer.base + values.sum(axis=1) - explainer.reference(X[:n])).max()
    shap = ShapValues(
        method=explainer.method,
        space=explainer.space,
        features=list(model.columns),
        classes=list(names),
        base=explainer.base,
        values=values,
        row_id=np.asarray(row_id)[:n],
        data=data[model.columns].iloc[:n].reset_index(drop=True),
        error=float(error),
    )
    return Attribution(shap, explainer, why)
