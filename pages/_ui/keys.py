"""Keys of widgets: the name of the page, then the name of the widget, such as ``data-download-csv``."""

from __future__ import annotations

import streamlit as st

__all__ = ["key", "page", "page_title", "set_page"]

_PAGE = "page"


def set_page(name: str, title: str) -> None:
    """Remember which page is drawn, and its title; ``navigation.py`` calls it before the page's script runs."""
    st.session_state[_PAGE] = (name, title)


def page() -> str:
    """Return the name of the page that is drawn, which is the name of its folder."""
    return _current()[0]


def page_title() -> str:
    """Return the title that the navigation has for the page that is drawn."""
    return _current()[1]


def key(name: str) -> str:
    """Return the key of a widget that several pages share."""
    return f"{page()}-{name}"


def _current() -> tuple[str, str]:
    name, title = st.session_state.get(_PAGE, ("page", "Plumbline"))
    return name, title
