"""The page's address: which object is open, and choices that a link, a reload and Back lead to again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn, TypeVar

import streamlit as st

__all__ = ["go", "keep", "remember", "restore", "set_query", "who"]

T = TypeVar("T", str, int)


def set_query(**parameters: str) -> None:
    """Replace the parameters of the address, in a callback: the script runs after it.

    They are replaced in one step. Clearing the address first would add an entry to the browser's history, and Back
    would lead there.
    """
    st.query_params.from_dict(parameters)


def go(**parameters: str) -> NoReturn:
    """Open the page at another address; the whole script runs again, also when called in a fragment."""
    set_query(**parameters)
    st.rerun(scope="app")


def remember(name: str, value: str, shown: str | None) -> None:
    """Put a choice into the address, when it differs from the one that the address led to.

    Writing the same value again would add an entry to the browser's history at each visit: Back would lead nowhere.
    """
    if value != shown:
        st.query_params[name] = value


def restore(name: str, options: Sequence[T], default: T, key: str) -> T:
    """Give the widget that is drawn next the value that the address names, and return that value.

    A choice that was made since stays, unless the address has changed (a link, a reload, Back).
    """
    shown = {str(option): option for option in options}.get(st.query_params.get(name, ""), default)
    if key not in st.session_state or st.session_state.get(f"{key}-seen", shown) != shown:
        st.session_state[key] = shown
    return shown


def keep(name: str, chosen: T, shown: T, key: str) -> None:
    """Put the choice into the address, where it differs from what `restore` read there."""
    remember(name, str(chosen), str(shown))
    st.session_state[f"{key}-seen"] = chosen


def who() -> str:
    """Return the name of the signed-in user for the history, or an empty string without sign-in."""
    if not st.user.get("is_logged_in"):
        return ""
    return str(st.user.get("email") or st.user.get("name") or "")
