"""The page's address: which object is open, and choices that a link, a reload and Back lead to again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NoReturn, TypeVar

import streamlit as st

__all__ = [
    "drop",
    "follow",
    "go",
    "keep",
    "keep_several",
    "remember",
    "restore",
    "restore_number",
    "restore_optional",
    "restore_several",
    "set_query",
]

T = TypeVar("T", str, int, float)
V = TypeVar("V")


def set_query(**parameters: str | Sequence[str]) -> None:
    """Replace the parameters of the address, in a callback: the script runs after it.

    They are replaced in one step. Clearing the address first would add an entry to the browser's history, and Back
    would lead there.
    """
    st.query_params.from_dict(parameters)


def go(**parameters: str) -> NoReturn:
    """Open the page at another address; the whole script runs again, also when called in a fragment."""
    set_query(**parameters)
    st.rerun(scope="app")


def drop(name: str) -> None:
    """Take a parameter out of the address, if it is there."""
    if name in st.query_params:
        del st.query_params[name]


def remember(name: str, value: str, shown: str | None) -> None:
    """Put a choice into the address, when it differs from the one that the address led to.

    Writing the same value again would add an entry to the browser's history at each visit: Back would lead nowhere.
    """
    if value != shown:
        st.query_params[name] = value


def follow(value: V, key: str) -> V:
    """Give the widget that is drawn next a value that comes from elsewhere, and return it.

    A choice that was made since stays, unless that value has changed.
    """
    if key not in st.session_state or st.session_state.get(_seen(key), value) != value:
        st.session_state[key] = value
    st.session_state[_seen(key)] = value
    return value


def restore(name: str, options: Sequence[T], default: T, key: str) -> T:
    """Give the widget that is drawn next the value that the address names, and return that value.

    A choice that was made since stays, unless the address has changed (a link, a reload, Back).
    """
    return follow({str(option): option for option in options}.get(st.query_params.get(name, ""), default), key)


def restore_optional(name: str, options: Sequence[T], default: T | None, key: str) -> T | None:
    """Do what `restore` does for a widget whose choice may be None: the parameter is empty then."""
    if st.query_params.get(name) == "":
        default = None
    return follow({str(option): option for option in options}.get(st.query_params.get(name, ""), default), key)


def restore_number(name: str, default: float, key: str) -> float:
    """Do what `restore` does for a widget of any number; what is not a finite number leads to the default."""
    try:
        value = float(st.query_params.get(name, ""))
    except ValueError:
        value = default
    return follow(value if math.isfinite(value) else default, key)


def keep(name: str, chosen: T | None, shown: T | None, key: str) -> None:
    """Put the choice into the address, where it differs from what `restore` or `restore_optional` read there."""
    if chosen != shown:
        st.query_params[name] = "" if chosen is None else str(chosen)
    st.session_state[_seen(key)] = chosen


def restore_several(name: str, options: Sequence[str], default: Sequence[str], key: str) -> list[str]:
    """Give the widget that is drawn next, one of several choices, those that the address names, and return them."""
    values = st.query_params.get_all(name)
    return follow([value for value in dict.fromkeys(values) if value in options] if values else list(default), key)


def keep_several(name: str, chosen: Sequence[str], shown: Sequence[str], key: str) -> None:
    """Put the choices into the address, where they differ from what `restore_several` read there."""
    if list(chosen) != list(shown):
        st.query_params[name] = list(chosen) or [""]
    st.session_state[_seen(key)] = list(chosen)


def _seen(key: str) -> str:
    return f"{key}-seen"
