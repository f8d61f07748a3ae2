"""Numbers as 128-bit fixed-point integers: their sums are exact, in any order, and can be masked.

A number is an integer count of 2^-64, modulo 2^128, as two arrays of 64 bits. Doubles up to 2^55 keep all their
digits down to 2^-64, so a sum over sites is the exact one of their doubles, rounded once, at the end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError

__all__ = ["Fixed", "add", "from_fixed", "negate", "to_fixed", "zeros"]

LARGEST = 2.0**55
_SCALE = 2.0**64
Words = NDArray[np.uint64]


class Fixed(NamedTuple):
    """Fixed-point numbers.

    Parameters
    ----------
    high, low : array of uint64
        Upper and lower 64 bits of each number, which is negative in two's complement.
    """

    high: Words
    low: Words


def to_fixed(values: NDArray[np.floating]) -> Fixed:
    """Return numbers as fixed-point integers.

    Raises
    ------
    InputError
        When a number is not finite, or larger than 2^55.

    Examples
    --------
    >>> from_fixed(add(to_fixed(np.array([1.5, -0.5])), to_fixed(np.array([0.25, 0.125])))).tolist()
    [1.75, -0.375]
    """
    doubles = np.asarray(values, dtype=np.float64)
    if not (np.abs(doubles) <= LARGEST).all():
        raise InputError(  # without the number: it is a site's own sum
            f"A sum over rows is not finite, or larger than {LARGEST:.2g}.", "Write the columns in a larger unit."
        )
    sizes = np.abs(doubles)  # of a small negative number, one minus it would lose digits
    whole = np.floor(sizes)
    numbers = Fixed(whole.astype(np.uint64), ((sizes - whole) * _SCALE).astype(np.uint64))
    flipped, negative = negate(numbers), doubles < 0
    return Fixed(np.where(negative, flipped.high, numbers.high), np.where(negative, flipped.low, numbers.low))


def from_fixed(numbers: Fixed) -> NDArray[np.float64]:
    """Return fixed-point numbers as doubles, rounded."""
    negative = numbers.high.view(np.int64) < 0
    flipped = negate(numbers)
    high = np.where(negative, flipped.high, numbers.high).astype(np.float64)
    low = np.where(negative, flipped.low, numbers.low).astype(np.float64)
    return np.where(negative, -1.0, 1.0) * (high + low / _SCALE)


def zeros(count: int) -> Fixed:
    """Return so many zeros."""
    return Fixed(np.zeros(count, np.uint64), np.zeros(count, np.uint64))


def add(first: Fixed, second: Fixed) -> Fixed:
    """Return the sums, modulo 2^128."""
    low = first.low + second.low
    return Fixed(first.high + second.high + (low < first.low).astype(np.uint64), low)


def negate(numbers: Fixed) -> Fixed:
    """Return the numbers with the other sign, modulo 2^128."""
    low = ~numbers.low + np.uint64(1)
    return Fixed(~numbers.high + (low == 0).astype(np.uint64), low)
