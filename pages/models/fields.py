"""One widget per column of the model, with what training had in it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import streamlit as st

from core.models import Field
from pages._ui import frame, numbers

__all__ = ["draw"]

_EXACT = 2**53  # a browser's numbers are whole up to here


def draw(field: Field, key: str) -> Any:
    """Draw the widget of a column and return its value; None is a missing value, where training had some."""
    if field.kind == "number":
        return _number(field, key)
    if field.kind == "date":
        return _date(field, key)
    if field.kind == "text":
        return st.text_area(_label(field), key=key, height=110, max_chars=20_000, help=_help(field)) or None
    options: list[Any] = [True, False] if field.kind == "boolean" else list(field.choices)
    if field.default in options:
        st.session_state.setdefault(key, field.default)
    return st.selectbox(
        _label(field),
        options,
        index=None if field.nullable else 0,
        key=key,
        help=_help(field),
        placeholder="missing",
        accept_new_options=field.kind == "category" and not (field.complete and field.choices),
        format_func=lambda value: str(value).lower() if field.kind == "boolean" else str(value),
    )


def _label(field: Field) -> str:
    suffix = " (the policy decides by it)" if field.role == "group" else ""
    return f"{frame.plain(field.name)}{suffix}"


def _help(field: Field, span: str = "") -> str | None:
    if not field.rows:
        return None
    missing = f"missing in {field.missing:,} of {field.rows:,} rows" if field.missing else "never missing"
    return f"In training {span}{missing}."


def _number(field: Field, key: str) -> float | int | None:
    known = [value for value in (field.minimum, field.default, field.maximum) if isinstance(value, int | float)]
    whole = field.integer and all(float(value).is_integer() and abs(value) < _EXACT for value in known)
    default = None if field.default is None else (int if whole else float)(field.default)
    span = f"{numbers.rounded(known[0])} to {numbers.rounded(known[2])}; " if len(known) == 3 else ""
    shape: dict[str, Any] = {"step": 1, "format": "%d"} if whole else {"step": None, "format": "%.6g"}
    if field.nullable or default is None:  # a field can only be emptied where the widget itself starts empty
        st.session_state.setdefault(key, default)
        number: float | int | None = st.number_input(
            _label(field), value=None, key=key, placeholder="missing", help=_help(field, span), **shape
        )
        return number
    return st.number_input(_label(field), value=default, key=key, help=_help(field, span), **shape)


def _date(field: Field, key: str) -> date | str | None:
    stored = [str(value) for value in (field.minimum, field.default, field.maximum) if value]
    known = [datetime.fromisoformat(value) for value in stored]
    span = f"{known[0]:%d %b %Y} to {known[-1]:%d %b %Y}; " if known else ""
    if known and all(moment.time() == datetime.min.time() for moment in known):
        st.session_state.setdefault(key, known[1].date())
        return st.date_input(
            _label(field),
            value=None,
            key=key,
            help=_help(field, span),
            min_value=date(1, 1, 1),
            max_value=date(9999, 12, 31),
        )
    st.session_state.setdefault(key, field.default or "")
    text: str = st.text_input(_label(field), key=key, help=_help(field, span), placeholder="2026-01-31T12:00:00")
    return text.strip() or None
