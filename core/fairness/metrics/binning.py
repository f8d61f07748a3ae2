"""Numbers as groups: bins of about equal size, or between given edges."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pandas.api import types

from core.errors import InputError, SettingsError
from core.fairness.metrics.arrays import FloatArray
from core.fairness.metrics.bins import Bin
from core.fairness.metrics.groups import label_text

__all__ = ["as_groups", "bin_numbers"]


def bin_numbers(values: ArrayLike, bins: int | Sequence[float] = 4) -> pd.Series:
    """Turn numbers into groups: a number of groups of about equal size, or between given edges.

    Parameters
    ----------
    values : array-like of shape (n,)
        Numbers; missing ones stay missing.
    bins : int or sequence of float, default=4
        Number of groups by quantiles, whose edges are rounded as they are shown, or the inner edges. A value equal to
        an edge is in the group above it.

    Returns
    -------
    Series of shape (n,)
        An ordered category of labels such as ``"25 to 40"``, which know their edges: a policy by them decides on new
        numbers as well.

    See Also
    --------
    as_groups : Bins a column only if it has many different numbers.

    Examples
    --------
    >>> bin_numbers([19, 25, 33, 70], [25, 60]).tolist()
    ['below 25', '25 to 60', '25 to 60', '60 and above']
    """
    try:
        numbers = pd.to_numeric(pd.Series(values)).astype(float)
    except (ValueError, TypeError) as error:
        raise InputError(f"Only numbers can be binned ({error}).", "Choose a column of numbers.") from error
    known, exact = numbers.dropna(), not isinstance(bins, int)
    edges = _quantile_edges(known, bins) if isinstance(bins, int) else np.unique(np.asarray(bins, float))
    if not len(edges):
        categories = pd.Categorical(numbers.map(label_text, na_action="ignore"), ordered=True)
        return pd.Series(categories, index=numbers.index, name=numbers.name)
    texts = _edge_texts(edges, None if exact else (float(known.min()), float(known.max())))
    edges = np.array([float(text.replace(",", "")) for text in texts])
    names = [f"below {texts[0]}", *(f"{low} to {high}" for low, high in pairwise(texts)), f"{texts[-1]} and above"]
    codes = np.where(numbers.notna(), np.searchsorted(edges, numbers.fillna(edges[0]), side="right"), -1)
    bounds = pairwise([-np.inf, *edges.tolist(), np.inf])
    labels = pd.Index([Bin(name, low, high) for name, (low, high) in zip(names, bounds, strict=True)], dtype=object)
    categories = pd.Categorical.from_codes(codes, categories=labels, ordered=True)
    return pd.Series(categories, index=numbers.index, name=numbers.name)


def _edge_texts(edges: FloatArray, span: tuple[float, float] | None) -> list[str]:
    """Return edges as text. What is shown is what separates: a name alone says which numbers are in a group.

    Parameters
    ----------
    edges : array of shape (n,)
        Edges, in order.
    span : tuple of float or None
        Smallest and largest number. Rounded edges stay above the one and at most at the other, so that no group is
        empty; None for edges that are not rounded.
    """
    for digits in range(6, 17):
        texts = [f"{edge:,.{digits}g}" for edge in edges]
        rounded = [float(text.replace(",", "")) for text in texts]
        if rounded == edges.tolist():
            return texts
        distinct = len(set(rounded)) == len(edges)
        if span is not None and distinct and span[0] < rounded[0] and rounded[-1] <= span[1]:
            return texts
    return [f"{edge:,.17g}" for edge in edges]


def _quantile_edges(known: pd.Series, bins: int) -> FloatArray:
    """Return the inner edges of so many groups; empty where there is one value or none."""
    if bins < 2:
        raise SettingsError(f"{bins} bins do not make groups.", "Use 2 or more.")
    values = np.unique(known)
    if not len(values):
        return values
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1]))
    # An edge at the smallest value separates nothing. When most rows have that value, it is one group.
    edges = edges[edges > values[0]]
    return edges if len(edges) else values[1:2]


def as_groups(column: pd.Series, bins: int = 4, *, most: int = 10) -> pd.Series:
    """Return a column as it is, or its numbers in bins when it has more than `most` different ones.

    Parameters
    ----------
    column : Series
        A column of any type.
    bins : int, default=4
        Number of groups.
    most : int, default=10
        Number of different numbers up to which each is a group of its own.

    Examples
    --------
    >>> as_groups(pd.Series([1, 2, 2])).tolist(), as_groups(pd.Series(range(100)), 2).nunique()
    ([1, 2, 2], 2)
    """
    has_numbers = types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype)
    return bin_numbers(column, bins) if has_numbers and column.nunique() > max(bins, most) else column
