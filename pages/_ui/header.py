"""The header of a page and of an object on it: title, way back, facts, actions, and the title of the browser's tab."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import NotFoundError
from pages._ui import address, badges, frame, keys, workspace_choice

__all__ = ["lookup", "show", "show_object"]


def show(title: str, purpose: str) -> None:
    """Draw the title of a page and what the page is for.

    Parameters
    ----------
    title : str
        Title of the page.
    purpose : str
        One sentence below the title.
    """
    _name_tab("")
    st.title(title)
    st.caption(purpose)


def show_object(
    title: str,
    *,
    back: str,
    query: dict[str, str] | None = None,
    badge: badges.Badge | None = None,
    facts: str = "",
    tab: str = "",
) -> DeltaGenerator:
    """Draw the header of one object and return the container for its actions.

    Parameters
    ----------
    title : str
        Name of the object as the user wrote it.
    back : str
        Label of the button that leads back, such as "All runs".
    query : dict, optional
        Address on this page that the button leads to; by default the page without an object.
    badge : Badge, optional
        Word beside the title.
    facts : str, default=""
        Line of facts below the title, as Markdown.
    tab : str, optional
        Name of the object in the title of the browser's tab, where `title` does not tell it from others.
    """
    _name_tab(tab or title)
    st.button(
        back,
        icon=":material/arrow_back:",
        type="tertiary",
        key=keys.key("back"),
        on_click=address.set_query,
        kwargs=query or {},
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(frame.plain(title), width="content")
        if badge is not None:
            badges.show(badge)
        st.space("stretch")
        actions = st.container(horizontal=True, width="content")
    if facts:
        st.caption(facts)
    return actions


@contextmanager
def lookup(noun: str, *, back: str, query: dict[str, str] | None = None) -> Iterator[None]:
    """Look up the object that the address names; where there is none, draw a title, the error and a way back.

    Parameters
    ----------
    noun : str
        Name of what is looked up, such as "Run": the title is then "Run not found".
    back : str
        Label of the button that leads back.
    query : dict, optional
        Address that the button leads to.
    """
    try:
        yield
    except NotFoundError as error:
        show_object(f"{noun} not found", back=back, query=query)
        frame.show_error(error.message, error.hint)
        if workspace_choice.has_several():
            st.caption("If it is in another workspace of yours, choose that one in the sidebar.")
        st.stop()


def _name_tab(title: str) -> None:
    """Title the browser's tab by the object, the page and the product."""
    st.set_page_config(page_title=" · ".join(name for name in (title, keys.page_title(), "Plumbline") if name))
