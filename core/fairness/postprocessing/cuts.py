"""Where thresholds may lie: between the scores, so that their last digits decide nothing."""

from __future__ import annotations

import numpy as np

from core.fairness.metrics.arrays import FloatArray

__all__ = ["cuts_between"]

_FLOAT32_DIGITS = 24  # binary digits of a float32


def cuts_between(
    score: FloatArray, selected: FloatArray, hits: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the thresholds between distinct scores, with the rows above each.

    A threshold at a score turns around with the last digit of the score: in float32, in a CSV file, in another runtime.
    Scores that are one number in float32 are one score here, because no threshold separates them everywhere.

    Parameters
    ----------
    score : array of shape (d,)
        Infinity, then distinct scores, highest first.
    selected, hits : arrays of shape (d,)
        Rows whose score is at least this one, and positive rows among them.

    Returns
    -------
    threshold, selected, hits : arrays of shape (cuts,)
        Infinity, which selects no row, then the middles between scores, then minus infinity, which selects every row.

    Examples
    --------
    >>> cuts_between(np.array([np.inf, 0.7, 0.3]), np.array([0.0, 1, 3]), np.array([0.0, 1, 1]))[0].tolist()
    [inf, 0.5, -inf]
    """
    narrow = _as_float32(score)
    last = np.append(narrow[1:] < narrow[:-1], True)  # the lowest of the scores that are one in float32
    ends = np.flatnonzero(last)
    threshold = np.full(len(ends), -np.inf)
    threshold[0] = np.inf
    if len(ends) > 2:
        above, below = ends[1:-1], ends[1:-1] + 1
        low = np.maximum(score[below], narrow[below])
        high = np.minimum(score[above], narrow[above])
        middle = low / 2 + high / 2
        threshold[1:-1] = np.where(middle > low, middle, high)
    return threshold, selected[ends], hits[ends]


def _as_float32(values: FloatArray) -> FloatArray:
    """Return numbers with the digits of float32, without its limits of size."""
    digits, exponent = np.frexp(values)
    with np.errstate(over="ignore"):  # the largest of all numbers stays what it is
        rounded = np.ldexp(np.round(np.ldexp(digits, _FLOAT32_DIGITS)), exponent - _FLOAT32_DIGITS)
    return np.where(np.isfinite(rounded), rounded, values)
