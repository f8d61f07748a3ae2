"""P-values of many tests together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["adjust_p_values", "combine_p_values"]


def adjust_p_values(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Return p-values adjusted for the false discovery rate (Benjamini, Hochberg 1995).

    Parameters
    ----------
    p_values : sequence of float of length k
        P-values of k tests.

    Returns
    -------
    array of shape (k,)

    Examples
    --------
    >>> adjust_p_values([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values)
    scaled = values[order] * len(values) / np.arange(1, len(values) + 1)
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


def combine_p_values(p_values: Sequence[float]) -> float:
    """Return the p-value of several tests of one column: the smallest times their number (Bonferroni), at most 1.

    Examples
    --------
    >>> combine_p_values([0.01, 0.5])
    0.02
    """
    return min(1.0, len(p_values) * min(p_values))
