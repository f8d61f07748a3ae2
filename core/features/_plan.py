"""Feature types of a table's columns, decided on the training rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api import types

from core.datasets import numbers_rows
from core.errors import InputError
from core.features._cells import LARGEST

__all__ = ["ColumnPlan", "plan_columns"]

_FEATURE_TYPES = {"numeric": "number", "categorical": "category", "text": "text", "date": "date"}


@dataclass(frozen=True)
class ColumnPlan:
    """How one column becomes a feature.

    Parameters
    ----------
    name : str
        Name of the column.
    kind : str
        Feature type: number, boolean, category, date, text, or "left out".
    reason : str, default=""
        Reason why the column is left out.
    """

    name: str
    kind: str
    reason: str = ""


def _is_text(values: pd.Series) -> bool:
    """Return whether values are free text: long, of several words, and hardly repeated."""
    sample = values.head(2000).astype(str)
    words = sample.str.count(r"\s+") + 1
    return bool(words.mean() >= 4 and values.nunique() > 0.5 * len(values))


def plan_columns(frame: pd.DataFrame, wanted: Mapping[str, str] | None = None) -> list[ColumnPlan]:
    """Decide how each column of the training rows becomes a feature.

    Parameters
    ----------
    frame : DataFrame
        The training rows.
    wanted : mapping, optional
        Types of columns, as the settings give them: numeric, categorical, text, date or ignore.
    """
    given = {} if wanted is None else wanted
    return [
        _as_wanted(frame[name], str(name), given[str(name)]) if str(name) in given else _plan(frame[name], str(name))
        for name in frame.columns
    ]


def _as_wanted(column: pd.Series, name: str, kind: str) -> ColumnPlan:
    if kind == "ignore":
        return ColumnPlan(name, "left out", "the settings say so")
    if not column.notna().any():
        return ColumnPlan(name, "left out", "it has no values")
    return ColumnPlan(name, _FEATURE_TYPES[kind])


def _plan(column: pd.Series, name: str) -> ColumnPlan:
    values = column.dropna()
    if values.empty:
        return ColumnPlan(name, "left out", "it has no values")
    try:
        distinct = values.nunique()
    except (TypeError, NotImplementedError) as error:  # what pandas and Arrow say of cells they cannot compare
        raise InputError(
            f"The cells of '{name}' are lists or similar, not single values.",
            "Leave the column out, or split it into columns.",
        ) from error
    if distinct == 1 and len(values) == len(column):
        return ColumnPlan(name, "left out", "it has only one value")
    if types.is_bool_dtype(column.dtype):
        return ColumnPlan(name, "boolean")
    if types.is_datetime64_any_dtype(column.dtype):
        return ColumnPlan(name, "date")
    if types.is_numeric_dtype(column.dtype):
        if not (np.abs(values.to_numpy(dtype=float)) <= LARGEST).any():
            return ColumnPlan(name, "left out", "it has no finite values")
        if distinct > 50 and numbers_rows(values):
            return ColumnPlan(name, "left out", "it numbers the rows")
        return ColumnPlan(name, "number")
    if _is_text(values):
        return ColumnPlan(name, "text")
    if distinct > 0.9 * len(values) and distinct > 50:
        return ColumnPlan(name, "left out", "it identifies the rows (nearly every value is different)")
    return ColumnPlan(name, "category")
