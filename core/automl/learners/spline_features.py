"""Cubic splines of numbers: columns whose weighted sum is a smooth curve.

A spline is held as what each interval between two knots adds: a polynomial of the share of the interval that lies below
the value. That share is 0 to 1, so that nothing cancels out in float32 either, and an exported graph has the same form.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from core.automl._types import Features

__all__ = ["Spline", "SplineFeatures"]

Array = NDArray[np.float64]

DEGREE = 3
_DISTINCT = 12  # values above which a column is a number that a curve can follow
_SAMPLE = 20_000  # rows that are looked at to find the knots


@dataclass(frozen=True)
class Spline:
    """The basis of one column.

    Parameters
    ----------
    knots : array of shape (k,)
        Ends of the k - 1 intervals, each a float32 number.
    first : array of shape (m,)
        Values of the m basis functions at the first knot.
    gains : array of shape (3, k - 1, m)
        Increments by the first, second and third power of the share of each interval.
    slopes : array of shape (2, m)
        Slopes below the first and above the last knot, where the curves continue as straight lines.
    """

    knots: Array
    first: Array
    gains: Array
    slopes: Array

    @classmethod
    def between(cls, knots: Array) -> Spline:
        """Return the B-splines with these knots, and with others at the same distances beyond them.

        Eilers, Marx (1996), "Flexible smoothing with B-splines and penalties".
        """
        from scipy.interpolate import BSpline

        steps = np.arange(1, DEGREE + 1)
        below = knots[0] - steps[::-1] * (knots[1] - knots[0])
        above = knots[-1] + steps * (knots[-1] - knots[-2])
        padded = np.concatenate([below, knots, above])
        basis = BSpline(padded, np.eye(len(padded) - DEGREE - 1), DEGREE)
        widths = np.diff(knots)[:, None]
        # Taylor's polynomial at the beginning of each interval, in shares of its width.
        gains = np.stack([basis.derivative(n)(knots[:-1]) * widths**n / math.factorial(n) for n in steps.tolist()])
        slope = basis.derivative()
        return cls(knots, basis(knots[0]), gains, np.stack([slope(knots[0]), slope(knots[-1])]))

    def __call__(self, x: Array) -> Array:
        """Return the basis functions of values, shape (n, m)."""
        shares = np.clip((x[:, None] - self.knots[:-1]) / np.diff(self.knots), 0.0, 1.0)
        values = np.broadcast_to(self.first, (len(x), len(self.first))).copy()
        power = np.ones_like(shares)
        for gains in self.gains:
            power = power * shares
            values += power @ gains
        values += np.minimum(x - self.knots[0], 0.0)[:, None] * self.slopes[0]
        values += np.maximum(x - self.knots[-1], 0.0)[:, None] * self.slopes[1]
        return values


class SplineFeatures(TransformerMixin, BaseEstimator):
    """Put beside all columns the cubic splines of those with many values.

    Parameters
    ----------
    knots : int, default=5
        Number of knots of a column, at quantiles of equal distance; two of them are its smallest and largest value.

    Attributes
    ----------
    splines_ : dict of int to Spline
        The basis of each column that has one, by its position.
    sources_ : array of int
        Position of the column that each output is made of.

    See Also
    --------
    sklearn.preprocessing.SplineTransformer : The same of all columns, with ``extrapolation="linear"``.

    Examples
    --------
    >>> X = np.arange(100, dtype=np.float32)[:, None]
    >>> SplineFeatures(knots=3).fit_transform(X).shape
    (100, 6)
    """

    def __init__(self, knots: int = 5) -> None:
        self.knots = knots

    def fit(self, X: Features, y: object = None) -> SplineFeatures:
        """Find the knots."""
        sample = X[:: -(-len(X) // _SAMPLE)]
        self.splines_: dict[int, Spline] = {}
        for column in range(X.shape[1]):
            values = np.asarray(sample[:, column], dtype=np.float64)
            if len(np.unique(values)) <= _DISTINCT:
                continue
            quantiles = np.quantile(values, np.linspace(0, 1, self.knots))
            knots = np.unique(quantiles.astype(np.float32)).astype(np.float64)
            if len(knots) > 2:
                self.splines_[column] = Spline.between(knots)
        widths = [(column, len(spline.first)) for column, spline in self.splines_.items()]
        self.sources_ = np.concatenate([np.arange(X.shape[1]), *(np.full(width, column) for column, width in widths)])
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: Features) -> Array:
        """Return the columns, then the splines of each, shape (n, outputs)."""
        columns = np.asarray(X, dtype=np.float64)
        return np.hstack([columns, *(spline(columns[:, column]) for column, spline in self.splines_.items())])
