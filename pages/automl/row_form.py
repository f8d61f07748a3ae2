"""The form of one row: a widget per column, filled with the row's cells; values that no known row has are allowed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st
from pandas.api import types

from pages._ui import frame

__all__ = ["form"]

_FIRST = 8
_CHOICES = 200
_MISSING = "(missing)"
_EXACT = 2**53  # a browser's numbers are whole up to here
_LONGEST = 20_000
_DAYS = (date(1700, 1, 1), date(2261, 12, 31))  # what nanoseconds can hold


def form(
    known: pd.DataFrame, row: pd.DataFrame, order: list[str], feature_types: Mapping[str, str], *, key: str
) -> dict[str, Any]:
    """Draw the widgets, the most important columns first; return the cells that differ from the row's.

    Parameters
    ----------
    known : DataFrame
        Rows with the known values.
    row : DataFrame of shape (1, columns)
        Row to edit.
    order : list of str
        Columns in the order they are drawn.
    feature_types : mapping
        Feature type of each column: number, boolean, category, date or text.
    key : str
        Name of the form, in the keys of its widgets.
    """
    edits: dict[str, Any] = {}
    st.markdown("**Change values**")

    def draw(names: list[str]) -> None:
        for name in names:
            _cell(known[name], row[name].iloc[0], name, feature_types.get(name, ""), f"{key}-{name}", edits)

    draw(order[:_FIRST])
    if len(order) > _FIRST:
        with st.expander(f"{len(order) - _FIRST:,} more columns", key=f"{key}-more"):
            draw(order[_FIRST:])
    return edits


def _cell(column: pd.Series, value: Any, name: str, kind: str, key: str, edits: dict[str, Any]) -> None:
    own = None if pd.isna(value) else value
    title = frame.plain(name)
    if types.is_bool_dtype(column.dtype):
        words = {"True": True, "False": False, _MISSING: None}
        given = _MISSING if own is None else str(bool(own))
        chosen = st.selectbox(title, list(words), index=list(words).index(given), key=key)
        if chosen != given:
            edits[name] = words[chosen]
    elif types.is_numeric_dtype(column.dtype):
        _number(column, own, name, key, edits)
    elif kind == "date" or types.is_datetime64_any_dtype(column.dtype):
        _date(column, own, name, key, edits)
    elif kind == "text":
        given = "" if own is None else str(own)
        st.session_state.setdefault(key, given)
        new = st.text_area(title, key=key, height=110, max_chars=max(_LONGEST, len(given)))
        if new != given:
            edits[name] = new or None
    else:
        seen = [str(value) for value in column.dropna().value_counts().head(_CHOICES).index]
        given = _MISSING if own is None else str(own)
        options = list(dict.fromkeys([given, *sorted(seen), _MISSING]))
        free = kind != "boolean"
        wanted = st.selectbox(
            title, options, key=key, accept_new_options=free, help="Type any other value to add it." if free else None
        )
        if wanted is not None and wanted != given:
            edits[name] = None if wanted == _MISSING else wanted


def _number(column: pd.Series, own: Any, name: str, key: str, edits: dict[str, Any]) -> None:
    known = column.dropna()
    values = [*([known.min(), known.max()] if len(known) else []), *([] if own is None else [own])]
    whole = types.is_integer_dtype(column.dtype) or bool((known % 1 == 0).all())
    whole = whole and all(-_EXACT < value < _EXACT for value in values)
    given = None if own is None or abs(float(own)) == float("inf") else (int if whole else float)(own)
    shape: dict[str, Any] = {"step": 1, "format": "%d"} if whole else {"step": None, "format": "%.6g"}
    span = f"{known.min():,.6g} to {known.max():,.6g} in the known rows." if len(known) else None
    st.session_state.setdefault(key, given)  # a field that can be emptied has no initial value to return to
    new = st.number_input(frame.plain(name), value=None, placeholder=_MISSING, key=key, help=span, **shape)
    if new != given:
        edits[name] = new


def _date(column: pd.Series, own: Any, name: str, key: str, edits: dict[str, Any]) -> None:
    title, known = frame.plain(name), column.dropna()
    stamps = types.is_datetime64_any_dtype(column.dtype)
    if stamps and len(known) and column.dt.tz is None and (known == known.dt.normalize()).all():
        day = None if own is None else own.date()
        st.session_state.setdefault(key, day)
        low, high = min(_DAYS[0], known.min().date()), max(_DAYS[1], known.max().date())
        new = st.date_input(title, value=None, key=key, min_value=low, max_value=high)
        if new != day:
            edits[name] = None if new is None else pd.Timestamp(new)
        return
    given = "" if own is None else own.isoformat() if stamps else str(own)
    st.session_state.setdefault(key, given)
    text = st.text_input(title, key=key, placeholder="2026-01-31T12:00:00").strip()
    if text == given.strip():
        return
    if not text:
        edits[name] = None
        return
    moment = pd.to_datetime(text, errors="coerce")
    if pd.isna(moment) or not _DAYS[0] <= moment.date() <= _DAYS[1]:
        years = f"{_DAYS[0].year} to {_DAYS[1].year}"
        st.caption(f":material/warning: This is not a date from {years}: the row keeps its own.")
        return
    edits[name] = moment if stamps else text
