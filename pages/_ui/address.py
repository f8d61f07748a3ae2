"""Choices that are kept in the page's address, and who makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import streamlit as st

from pages._ui import frame

__all__ = ["go", "keep", "restore", "who"]

T = TypeVar("T", str, int)


def restore(name: str, options: Sequence[T], default: T, key: str) -> T:
    """Give a widget that is drawn next the value that the address names; return that value.

    It does so when the address is another than the one that was left (a link, a reload, Back); else what was chosen
    since stays.
    """
    shown = {str(option): option for option in options}.get(st.query_params.get(name, ""), default)
    if key not in st.session_state or st.session_state.get(f"{key}-seen", shown) != shown:
        st.session_state[key] = shown
    return shown


def keep(name: str, chosen: T, shown: T, key: str) -> None:
    """Put what was chosen into the address, where it is not what `restore` found there."""
    frame.remember(name, str(chosen), str(shown))
    st.session_state[f"{key}-seen"] = chosen


def go(**parameters: str) -> None:
    """Open the page at another address; the script runs again."""
    st.query_params.from_dict(parameters)
    st.rerun()


def who() -> str:
    """Return who is signed in, for the history; nothing where there is no sign-in."""
    if not st.user.get("is_logged_in"):
        return ""
    return str(st.user.get("email") or st.user.get("name") or "")
