"""Numbers whose digits float32 cannot hold: where a column is centered, and which of its values become equal.

The features are float32, which has about seven digits: dates written as 20240310 would become even, and seconds since
1970 would have steps of two minutes. A column of this kind is centered in float64 before it is rounded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.datasets import Finding

__all__ = ["MergedValues", "find_center", "merged_values"]

Array = NDArray[np.float64]

_WIDTHS = 16  # from zero to the middle, in widths of the middle 90%, from which numbers with decimals are centered
_NEGLIGIBLE = 1e-6  # of the standard deviation: values with decimals that are as close as that count as equal


@dataclass(frozen=True)
class MergedValues:
    """Distinct values of a column that are one value to a model.

    Parameters
    ----------
    distinct : int
        Number of distinct values in training.
    kept : int
        Number of values that are distinct to the model.
    """

    distinct: int
    kept: int

    def finding(self, name: str) -> Finding:
        """Return the finding about a column."""
        return Finding(
            "merged_values",
            "notice",
            name,
            f"'{name}' has {self.distinct:,} distinct values, of which a model can tell {self.kept:,} apart: the "
            "others differ in digits that its numbers (float32, about seven digits) do not hold.",
            "Subtract a constant, or split the number into parts, if the last digits matter.",
            {"distinct": self.distinct, "kept": self.kept},
        )


def find_center(values: Array) -> float | None:
    """Return what to subtract from a column before it becomes float32; None where nothing is to be gained.

    Parameters
    ----------
    values : array of shape (n,), float64
        Values of the training rows; NaN where one is missing.

    Examples
    --------
    >>> find_center(20240300.0 + np.arange(1, 29)), find_center(np.arange(100.0))
    (20240315.0, None)
    """
    known = values[np.isfinite(values)]
    if not len(known) or _exact(known):
        return None
    low, middle, high = np.quantile(known, [0.05, 0.5, 0.95], method="higher")
    widths = 1 if _whole(known) else _WIDTHS
    return float(middle) if abs(middle) > widths * (high - low) else None


def merged_values(values: Array, features: NDArray[np.float32], distinct: int | None = None) -> MergedValues | None:
    """Return how many distinct values became equal; None where none did, or the difference does not matter.

    Parameters
    ----------
    values : array of shape (n,), float64
        Values of the training rows; NaN where one is missing.
    features : array of shape (n,), float32
        Encoded values, which a model gets.
    distinct : int, optional
        Number of distinct values, where float64 does not hold them all either.

    Examples
    --------
    >>> values = 2.0**24 + np.arange(4)
    >>> merged_values(values, values.astype(np.float32))
    MergedValues(distinct=4, kept=3)
    """
    known = np.isfinite(values) & np.isfinite(features)
    values, features = values[known], features[known]
    if not len(values) or (distinct is None and _exact(values)):
        return None
    whole = _whole(values)
    if not whole and np.spacing(np.abs(features).max()) <= _NEGLIGIBLE * values.std():
        return None
    distinct, kept = len(np.unique(values)) if distinct is None else distinct, len(np.unique(features))
    return MergedValues(distinct, kept) if kept < distinct else None


def _exact(values: Array) -> bool:
    with np.errstate(over="ignore"):
        return bool((values.astype(np.float32) == values).all())


def _whole(values: Array) -> bool:
    return bool((values == np.floor(values)).all())
