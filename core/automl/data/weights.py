"""Weights of the rows: read from their column, and checked."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api import types

from core.automl._types import Codes, Weights
from core.datasets import Finding
from core.errors import InputError

__all__ = ["read_weights", "require_weight", "unweighted_rows"]


def read_weights(column: pd.Series) -> Weights:
    """Return the weights of all rows; NaN where one is missing.

    Parameters
    ----------
    column : Series
        The column of weights.

    Raises
    ------
    InputError
        When a weight is not a number, is negative or infinite, or when none is above 0.

    Examples
    --------
    >>> read_weights(pd.Series([1, 2.5, None])).tolist()
    [1.0, 2.5, nan]
    """
    name = column.name
    if not types.is_numeric_dtype(column.dtype) or types.is_complex_dtype(column.dtype):
        example = next(iter(column.dropna().astype(str).unique()), "nothing")
        raise InputError(
            f"The weight column '{name}' does not hold numbers ({example!r:.60}).",
            "Choose a column of numbers, 0 or more.",
        )
    weights: Weights = column.to_numpy(dtype=np.float64, na_value=np.nan)
    for bad, problem in ((weights < 0, "negative"), (np.isinf(weights), "infinite")):
        if bad.any():
            example = weights[bad][0]
            raise InputError(
                f"{int(bad.sum()):,} weights in '{name}' are {problem}, such as {example:g}.",
                "A weight is a finite number, 0 or more.",
            )
    if not np.nansum(weights) > 0:
        raise InputError(f"No weight in '{name}' is above 0, so no row counts.", "Choose another weight column.")
    return weights


def unweighted_rows(weights: Weights, name: str) -> list[Finding]:
    """Return a finding about the rows without a weight, which are left out."""
    missing = int(np.isnan(weights).sum())
    if not missing:
        return []
    return [
        Finding(
            "missing_weight",
            "notice",
            name,
            f"{missing:,} of {len(weights):,} rows have no weight in '{name}' and are left out.",
            "Fill them in if they should count.",
            {"rows": missing},
        )
    ]


def require_weight(weights: Weights, rows: Codes, name: str, part: str) -> None:
    """Refuse a part of the rows that has no weight at all.

    Raises
    ------
    InputError
        When the sum of its weights is 0.
    """
    if len(rows) and not weights[rows].sum() > 0:
        raise InputError(
            f"All {len(rows):,} {part} rows have the weight 0 in '{name}'.",
            "Choose another weight column, seed or test share.",
        )
