"""Means of the target by category: of other rows while a model learns, of all rows afterwards."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.automl._types import Codes, Weights

__all__ = ["cross_fitted_means", "shrunken_means"]

Array = NDArray[np.float64]

FOLDS = 5
SHRINKAGE = 20.0  # rows of the mean of all that each category's own rows are joined with


def shrunken_means(codes: Codes, size: int, targets: Array, weights: Weights) -> NDArray[np.float32]:
    """Return the weighted mean of the targets by code, shrunk towards the mean of all rows.

    Parameters
    ----------
    codes : array of shape (n,)
        Code of each row, below `size`.
    size : int
        Number of codes.
    targets : array of shape (n, m)
        Targets.
    weights : array of shape (n,)
        Weight of each row.

    Returns
    -------
    array of shape (size, m), float32

    Notes
    -----
    Micci-Barreca (2001), "A preprocessing scheme for high-cardinality categorical attributes", with the shrinkage of
    20 rows; scikit-learn's ``TargetEncoder(smooth=20)`` does the same.

    Examples
    --------
    >>> codes = np.repeat([0, 1], 20)
    >>> shrunken_means(codes, 3, codes[:, None].astype(float), np.ones(40)).ravel().tolist()
    [0.25, 0.75, 0.5]
    """
    totals = np.bincount(codes, weights, minlength=size).astype(np.float64)
    return _means(_sums(codes, size, targets, weights), totals)


def cross_fitted_means(
    codes: Codes, size: int, targets: Array, weights: Weights, folds: Codes, rows: Codes | slice = slice(None)
) -> NDArray[np.float32]:
    """Return for rows the mean that the rows of the other folds give their code; parameters as of `shrunken_means`.

    A row's own target must not be in its feature: a model would learn to trust the feature more than new rows allow.

    Parameters
    ----------
    folds : array of shape (n,)
        Fold of each row.
    rows : array of int, optional
        Positions of the rows; by default all.

    Returns
    -------
    array of shape (rows, m), float32
    """
    parts = int(folds.max()) + 1
    cells = folds * size + codes
    totals = np.bincount(cells, weights, minlength=parts * size).reshape(parts, size)
    sums = _sums(cells, parts * size, targets, weights).reshape(parts, size, -1)
    all_sums, all_totals = sums.sum(axis=0), totals.sum(axis=0)
    tables = [_means(all_sums - own, all_totals - count) for own, count in zip(sums, totals, strict=True)]
    means: NDArray[np.float32] = np.stack(tables)[folds[rows], codes[rows]]
    return means


def _sums(codes: Codes, size: int, targets: Array, weights: Weights) -> Array:
    return np.stack([np.bincount(codes, weights * column, minlength=size) for column in targets.T], axis=1)


def _means(sums: Array, totals: Array) -> NDArray[np.float32]:
    prior = sums.sum(axis=0) / max(float(totals.sum()), 1e-12)
    means: NDArray[np.float32] = ((sums + SHRINKAGE * prior) / (totals + SHRINKAGE)[:, None]).astype(np.float32)
    return means
