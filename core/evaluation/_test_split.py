"""The held-out test rows: stratified, and made before anything is learned."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from core.errors import InputError

__all__ = ["split_test", "stratify"]

Indices = NDArray[np.intp]


def stratify(y: NDArray[np.generic], classification: bool) -> Indices:
    """Return the classes, or ten bands of a number, so that each part of a split has the same mix.

    Parameters
    ----------
    y : array of shape (n,)
        Class codes, or numbers.
    classification : bool
        Whether `y` has class codes.
    """
    if classification:
        return y.astype(np.intp)
    edges = np.quantile(y.astype(float), np.linspace(0, 1, 11)[1:-1])
    return np.asarray(np.searchsorted(edges, y.astype(float)), dtype=np.intp)


def split_test(y: NDArray[np.generic], classification: bool, fraction: float, seed: int) -> tuple[Indices, Indices]:
    """Split row positions into training and test, stratified; a class of one row stays in training.

    Parameters
    ----------
    y : array of shape (n,)
        Class codes, or numbers.
    classification : bool
        Whether `y` has class codes.
    fraction : float
        Share of the test rows; 0 means no test.
    seed : int
        Seed of the random split.

    Raises
    ------
    InputError
        When too few rows would be left on either side.
    """
    rows = np.arange(len(y))
    if fraction == 0:
        return rows, rows[:0]
    strata = stratify(y, classification)
    counts = np.bincount(strata)
    single = counts[strata] < 2
    free = rows[~single]
    test_rows = round(fraction * len(free))
    groups = len(np.unique(strata[~single]))
    if test_rows < 2 or len(free) - test_rows < 4:
        raise InputError(
            f"{len(y):,} usable rows are too few for a test share of {fraction:.0%}.",
            "Add rows, or set the test share to 0 and accept a result without a test.",
        )
    if min(test_rows, len(free) - test_rows) < groups:
        chosen = ShuffleSplit(1, test_size=test_rows, random_state=seed).split(free)
    else:
        chosen = StratifiedShuffleSplit(1, test_size=test_rows, random_state=seed).split(free, strata[~single])
    _, test = next(iter(chosen))
    held = np.zeros(len(y), dtype=bool)
    held[free[test]] = True
    return rows[~held], rows[held]
