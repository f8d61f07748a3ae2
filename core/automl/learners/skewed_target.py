"""Whether a target has a long tail to the right, so that its logarithm may be easier to learn."""

from __future__ import annotations

import numpy as np

from core.automl._types import Target

__all__ = ["is_skewed"]

_SKEWED = 1.0


def is_skewed(y: Target) -> bool:
    """Return whether numbers have a skewness above 1: then their logarithm may be easier to learn.

    Examples
    --------
    >>> is_skewed(np.arange(10.0)), is_skewed(np.exp(np.arange(10.0)))
    (False, True)
    """
    numbers = np.asarray(y, dtype=np.float64)
    centered = numbers - numbers.mean()
    spread = float(np.sqrt(np.mean(centered**2)))
    return spread > 0 and float(np.mean((centered / spread) ** 3)) > _SKEWED
