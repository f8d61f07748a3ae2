"""Popovers that close when what is in them was done."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st

__all__ = ["close", "close_asked"]

_CLOSED = "popover-closed"


def close(popover: str) -> NoReturn:
    """Draw the page anew with a popover closed, whose state is tracked under its key."""
    st.session_state[_CLOSED] = popover
    st.rerun()


def close_asked() -> None:
    """Close the popover that asked for it; call it before the popovers of a page are drawn."""
    if popover := st.session_state.pop(_CLOSED, None):
        st.session_state[popover] = False
