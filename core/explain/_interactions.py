"""Which pairs of columns act together: Friedman's H."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.explain._deadline import Deadline
from core.explain._subject import Array, Subject

__all__ = ["METHOD", "interactions"]

Outputs = Callable[[NDArray[Any]], Array]

METHOD = "Friedman's H on partial dependences (Friedman, Popescu 2008)"
RESAMPLES = 200
ADDITIVE = 1e-5  # of the outputs' spread: less is the rounding of float32 models


def _dependences(subject: Subject, outputs: Outputs, X: NDArray[Any], names: tuple[str, ...]) -> Array:
    """Return outputs of each row m with the columns of each row i, shape (i, m, k)."""
    n = len(X)
    mixed = np.tile(X, (n, 1))
    for name in names:
        places = subject.places[subject.columns.index(name)]
        mixed[:, places] = np.repeat(X[:, places], n, axis=0)
    return np.asarray(outputs(mixed), dtype=float).reshape(n, n, -1)


def _centred(found: Array, weights: Array) -> Array:
    """Return partial dependences at the rows less their mean, for each weighting: (resamples, i, k)."""
    curves = np.einsum("imk,bm->bik", found, weights, optimize=True)
    return np.asarray(curves - np.einsum("bik,bi->bk", curves, weights)[:, None])


def interactions(
    subject: Subject, outputs: Outputs, X: NDArray[Any], names: list[str], *, deadline: Deadline, seed: int
) -> tuple[pd.DataFrame, list[str]]:
    """Measure how far each pair's joint effect is from the sum of its two effects.

    Parameters
    ----------
    subject : Subject
        Whose columns they are.
    outputs : callable
        Takes the subject's matrix, returns (n, k) in the space in which effects are added: log-odds for a model that
        adds up there, or its link alone would make interactions.
    X : matrix of shape (n, places)
        Rows; n squared predictions are made for each column and each pair.
    names : list of str
        Columns whose pairs are looked at, the most important first.

    Returns
    -------
    table : DataFrame
        first, second, h (0: effects add up; 1: the pair acts only together), strength (root mean square of what is
        not the sum, in units of the space, over all classes), low, high (95 %, of the strength, by bootstrap over
        rows), n; the strongest first.
    missing : list of str
        Pairs that there was no time for.
    """
    random = np.random.default_rng(seed)
    n = len(X)
    weights = np.vstack([np.ones(n), random.multinomial(n, np.full(n, 1 / n), size=RESAMPLES)]) / n
    single: dict[str, Array] = {}
    lines, missing = [], []
    for first, second in combinations(names, 2):
        for name in (first, second):
            if name not in single and not deadline.over:
                single[name] = _centred(_dependences(subject, outputs, X, (name,)), weights)
        if deadline.over:
            missing.append(f"{first} × {second}")
            continue
        joint = _centred(_dependences(subject, outputs, X, (first, second)), weights)
        rest = joint - single[first] - single[second]
        beyond = np.einsum("bik,bi->b", rest**2, weights)
        whole = np.einsum("bik,bi->b", joint**2, weights)
        strength = np.sqrt(beyond)
        if strength[0] <= ADDITIVE * max(1.0, float(np.sqrt(whole[0]))):
            strength = np.zeros_like(strength)
        h = float(min(1.0, strength[0] / np.sqrt(whole[0]))) if whole[0] > 0 else 0.0
        half = 1.959964 * float(strength[1:].std(ddof=1))
        value = float(strength[0])
        lines.append((first, second, h, value, max(0.0, value - half), value + half, n))
    columns = ["first", "second", "h", "strength", "low", "high", "n"]
    table = pd.DataFrame(lines, columns=columns).sort_values("strength", ascending=False, kind="stable")
    return table.reset_index(drop=True), missing
