"""Anonymous visitors of a demo: their access, the gate without a cookie, and the banner of every page."""

from __future__ import annotations

import streamlit as st

from core.access import COOKIE, EXAMPLES, LIMIT_TITLES, Access, limits, profile, workspace_of
from core.catalog import visitors
from core.errors import DeniedError

__all__ = ["OWN", "access", "require", "show_banner"]

OWN = "own"
"""Name of the visitor's own workspace in the sidebar: its true name stays out of the page."""


def access(chosen: str | None) -> Access:
    """Return the access of the visitor: to the example if that was chosen, otherwise to a workspace of their own.

    Raises
    ------
    DeniedError
        When the browser has not sent a cookie of this installation, or one that is too old.
    """
    workspace = workspace_of(st.context.cookies.get(COOKIE))
    if workspace is None:
        raise DeniedError("Your visit has ended.", "Load the page again.")
    return (visitors.examples() if chosen == EXAMPLES else None) or visitors.visit(workspace)


def require() -> None:
    """Let nobody further whose browser has sent no cookie of this installation; only a page that is loaded sets one."""
    if not profile().visitors or workspace_of(st.context.cookies.get(COOKIE)) is not None:
        return
    st.title("Plumbline")
    st.info(
        "Load this page again. If that does not help, allow cookies for this site: one tells your browser from others.",
        title="Your visit has ended, or your browser keeps no cookies",
        icon=":material/cookie:",
    )
    st.stop()


def show_banner(chosen: str | None) -> None:
    """Say on every page that this is a demo, when what is uploaded is removed, and what the limits are.

    Parameters
    ----------
    chosen : str, optional
        Choice of the sidebar.
    """
    if not profile().visitors:
        return
    own = limits()
    with st.container(horizontal=True, vertical_alignment="center", key="app-demo"):
        st.markdown(
            f":material/public: **Public demo.** All that you make is removed {own.kept_hours} hours after your last "
            "visit. Do not upload personal data.",
            width="content",
        )
        with st.popover("Limits", type="tertiary", key="app-demo-limits"):
            values = {title: f"{getattr(own, name):,}" for name, title in LIMIT_TITLES.items()}
            st.table(values, border="horizontal", width="content")
    if chosen == EXAMPLES:
        st.info(
            "This is the example: look at all of it. To upload or start something, choose your own workspace in the "
            "sidebar.",
            icon=":material/visibility:",
        )
