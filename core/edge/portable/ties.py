"""Equal scores: runtimes differ in the last digits of a score, and decisions do not depend on these."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["TIE", "largest", "reaches"]

TIE = 5e-6
"""Difference of two scores, as a share of the larger one, up to which they count as equal: more than float32 makes."""


def largest(probabilities: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return the position of the largest probability of each row; of equal ones the first.

    Parameters
    ----------
    probabilities : array of shape (n, classes)
        Probabilities.

    Examples
    --------
    >>> largest(np.array([[0.2, 0.8], [0.49999997, 0.50000003]])).tolist()
    [1, 0]
    """
    chosen: NDArray[np.intp] = (probabilities >= probabilities.max(axis=1, keepdims=True) * (1 - TIE)).argmax(axis=1)
    return chosen


def reaches(scores: NDArray[np.floating], threshold: float) -> NDArray[np.bool_]:
    """Return which scores are at least a threshold.

    Parameters
    ----------
    scores : array of shape (n,)
        Scores.
    threshold : float
        Threshold, which may be infinite.

    Examples
    --------
    >>> reaches(np.array([0.4, 0.4999999, 0.5]), 0.5).tolist()
    [False, True, True]
    """
    margin = TIE * abs(threshold) if math.isfinite(threshold) else 0.0
    reached: NDArray[np.bool_] = scores >= threshold - margin
    return reached
