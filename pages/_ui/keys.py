"""Keys of widgets: the name of the page, then the name of the widget, such as ``data-download-csv``."""

from __future__ import annotations

import streamlit as st

__all__ = ["key", "page", "set_page"]

_PAGE = "page"


def set_page(name: str) -> None:
    """Remember which page is drawn; ``app.py`` calls it before the page's script runs."""
    st.session_state[_PAGE] = name


def page() -> str:
    """Return the name of the page that is drawn, which is the name of its folder."""
    return str(st.session_state.get(_PAGE, "page"))


def key(name: str) -> str:
    """Return the key of a widget that several pages share."""
    return f"{page()}-{name}"
