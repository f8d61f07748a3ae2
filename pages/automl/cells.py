"""The form of one row: a widget a column, filled with the row's cells."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st
from pandas.api import types

from pages._ui import frame

__all__ = ["form"]

_FIRST = 8
_CHOICES = 200
_MISSING = "(missing)"


def form(known: pd.DataFrame, row: pd.DataFrame, order: list[str], *, key: str) -> dict[str, Any]:
    """Draw the widgets, the most important columns first; return the cells that differ from the row's.

    Parameters
    ----------
    known : DataFrame
        Rows that show which values there are.
    row : DataFrame of shape (1, columns)
        The row.
    order : list of str
        Columns in the order they are drawn.
    key : str
        What tells this form from others.
    """
    edits: dict[str, Any] = {}
    st.markdown("**What if it were otherwise?**")
    for name in order[:_FIRST]:
        _cell(known[name], row[name].iloc[0], name, f"cell-{key}-{name}", edits)
    if len(order) > _FIRST:
        with st.expander(f"{len(order) - _FIRST:,} more columns", key=f"cells-{key}"):
            for name in order[_FIRST:]:
                _cell(known[name], row[name].iloc[0], name, f"cell-{key}-{name}", edits)
    return edits


def _cell(column: pd.Series, value: Any, name: str, key: str, edits: dict[str, Any]) -> None:
    missing = pd.isna(value)
    title = frame.plain(name)
    new: Any
    if types.is_bool_dtype(column.dtype) or not types.is_numeric_dtype(column.dtype):
        words = [_word(each) for each in column.dropna().value_counts().head(_CHOICES).index]
        own = _MISSING if missing else _word(value)
        chosen = st.selectbox(title, list(dict.fromkeys([own, *sorted(words), _MISSING])), key=key)
        if chosen == own:
            return
        new = None if chosen == _MISSING else chosen
        if new is not None and types.is_bool_dtype(column.dtype):
            new = chosen == "True"
        edits[name] = new
        return
    whole = types.is_integer_dtype(column.dtype) or bool((column.dropna() % 1 == 0).all())
    given = None if missing else (int(value) if whole else float(value))
    new = st.number_input(
        title, value=given, step=1 if whole else None, format=None if whole else "%.6g", placeholder=_MISSING, key=key,
        help=f"{column.min():,.6g} to {column.max():,.6g} in the rows that are known.",
    )  # fmt: skip
    if new != given:
        edits[name] = new


def _word(value: Any) -> str:
    return value.isoformat() if isinstance(value, pd.Timestamp) else str(value)
