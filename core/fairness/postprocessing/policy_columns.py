"""The columns that a policy decides by, found by their names whatever their order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from core.errors import InputError
from core.fairness.metrics.arrays import Column, Columns

__all__ = ["select_columns"]

_UNNAMED = re.compile(r"sensitive_feature_\d+")


def select_columns(features: Columns, names: Sequence[str]) -> Columns:
    """Return the columns of these names, in this order.

    Parameters
    ----------
    features : array-like, Series, DataFrame or mapping
        Columns; where they have names, there may be others besides, in any order.
    names : sequence of str
        Names of the columns. Where the policy was fitted on columns without names, the order of the columns counts.

    Raises
    ------
    InputError
        When a column is absent, or the number of columns without names differs.

    Examples
    --------
    >>> list(select_columns({"age": [40], "sex": ["f"], "town": ["x"]}, ["sex", "age"]))
    ['sex', 'age']
    """
    columns = _named(features)
    if columns is None or (columns.keys().isdisjoint(names) and all(map(_UNNAMED.fullmatch, names))):
        return features
    missing = [name for name in names if name not in columns]
    if missing:
        given = ", ".join(map(repr, list(columns)[:10])) or "no column"
        raise InputError(
            f"There is no column {', '.join(map(repr, missing[:5]))}, which the policy decides by.",
            f"Give the columns {', '.join(map(repr, names))}; given were {given}.",
        )
    return {name: columns[name] for name in names}


def _named(features: Columns) -> dict[str, Column] | None:
    """Return columns by name; None where they have none."""
    if isinstance(features, pd.DataFrame):
        named = {str(name): features.iloc[:, index] for index, name in enumerate(features.columns)}
        if len(named) < features.shape[1]:
            duplicates = sorted({str(name) for name in features.columns[features.columns.duplicated()]})
            raise InputError(f"Several columns are named '{duplicates[0]}'.", "Give each column its own name.")
        return named
    if isinstance(features, Mapping):
        return {str(name): values for name, values in features.items()}
    if isinstance(features, pd.Series) and features.name is not None:
        return {str(features.name): features}
    return None
