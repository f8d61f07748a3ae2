"""Interactions of pairs of columns: Friedman's H."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import TypeAlias

import numpy as np
import pandas as pd

from core.explain.deadline import Deadline
from core.explain.explained_model import Array, ExplainedModel, Matrix

__all__ = ["METHOD", "interactions"]

Outputs: TypeAlias = Callable[[Matrix], Array]

METHOD = "Friedman's H on partial dependences (Friedman, Popescu 2008)"
_RESAMPLES = 200
_ADDITIVE = 1e-5  # of the outputs' spread: less is the rounding of float32 models


def _dependences(model: ExplainedModel, outputs: Outputs, X: Matrix, names: tuple[str, ...]) -> Array:
    """Return outputs of each row m with the columns of each row i, shape (i, m, k)."""
    n = len(X)
    mixed = np.tile(X, (n, 1))
    for name in names:
        indices = model.indices_of(name)
        mixed[:, indices] = np.repeat(X[:, indices], n, axis=0)
    return np.asarray(outputs(mixed), dtype=float).reshape(n, n, -1)


def _centered(dependences: Array, weights: Array) -> Array:
    """Return partial dependences at the rows less their mean, for each weighting: (resamples, i, k)."""
    curves = np.einsum("imk,bm->bik", dependences, weights, optimize=True)
    centered: Array = curves - np.einsum("bik,bi->bk", curves, weights)[:, None]
    return centered


def interactions(
    model: ExplainedModel, outputs: Outputs, X: Matrix, names: list[str], *, deadline: Deadline, seed: int
) -> tuple[pd.DataFrame, list[str]]:
    """Measure how far each pair's joint effect is from the sum of its two effects.

    Parameters
    ----------
    model : ExplainedModel
        Model that has the columns.
    outputs : callable
        Takes the model's matrix, returns (n, k) in the space in which effects are added: log-odds for a model that
        adds up there, or its link alone would make interactions.
    X : matrix of shape (n, matrix columns)
        Rows; n squared predictions are made for each column and each pair.
    names : list of str
        Columns whose pairs are measured, the most important first.
    deadline : Deadline
        Time to end.
    seed : int
        Seed of the resamples.

    Returns
    -------
    table : DataFrame
        first, second, h (0: effects add up; 1: the pair acts only together), strength (root mean square of what is
        not the sum, in units of the space, over all classes), low, high (95%, of the strength, by bootstrap over
        rows), n; the strongest first.
    missing : list of str
        Pairs that there was no time for.
    """
    random = np.random.default_rng(seed)
    n = len(X)
    weights = np.vstack([np.ones(n), random.multinomial(n, np.full(n, 1 / n), size=_RESAMPLES)]) / n
    single: dict[str, Array] = {}
    lines, missing = [], []
    for first, second in combinations(names, 2):
        for name in (first, second):
            if name not in single and not deadline.over:
                single[name] = _centered(_dependences(model, outputs, X, (name,)), weights)
        if deadline.over:
            missing.append(f"{first} × {second}")
            continue
        joint = _centered(_dependences(model, outputs, X, (first, second)), weights)
        h, strengths = _h(joint, joint - single[first] - single[second], weights)
        half = 1.959964 * float(strengths[1:].std(ddof=1))
        strength = float(strengths[0])
        lines.append((first, second, h, strength, max(0.0, strength - half), strength + half, n))
    columns = ["first", "second", "h", "strength", "low", "high", "n"]
    table = pd.DataFrame(lines, columns=columns).sort_values("strength", ascending=False, kind="stable")
    return table.reset_index(drop=True), missing


def _h(joint: Array, rest: Array, weights: Array) -> tuple[float, Array]:
    """Return Friedman's H of all rows, and the strength of all rows and of each resample."""
    beyond = np.einsum("bik,bi->b", rest**2, weights)
    whole = np.einsum("bik,bi->b", joint**2, weights)
    strengths = np.sqrt(beyond)
    if strengths[0] <= _ADDITIVE * max(1.0, float(np.sqrt(whole[0]))):
        strengths = np.zeros_like(strengths)
    h = float(min(1.0, strengths[0] / np.sqrt(whole[0]))) if whole[0] > 0 else 0.0
    return h, strengths
