"""Text fields for stored values that other tabs may change: nothing is overwritten unseen, nothing typed is lost."""

from __future__ import annotations

import streamlit as st

__all__ = ["edited", "follow", "overtaken"]


def _began(key: str) -> str:
    return f"{key}-began"


def _same(one: str | None, other: str | None) -> bool:
    return (one or "").strip() == (other or "").strip()


def follow(key: str, stored: str | None) -> None:
    """Fill the field that is drawn next with the stored value, unless the user has typed something else."""
    began = _began(key)
    there = key in st.session_state and began in st.session_state
    untouched = there and _same(st.session_state[key], st.session_state[began])
    if not there or (untouched and not _same(stored, st.session_state[began])):
        st.session_state[key] = stored
    if not there or untouched or _same(stored, st.session_state[key]):
        st.session_state[began] = stored


def edited(key: str, given: str | None) -> bool:
    """Return whether the user has changed the value that was stored when they began."""
    return not _same(given, st.session_state.get(_began(key)))


def overtaken(key: str, stored: str | None) -> bool:
    """Return whether another value was stored since the user began; calling this counts as telling the user."""
    began = _began(key)
    before = st.session_state.get(began)
    st.session_state[began] = stored
    return not _same(stored, before)
