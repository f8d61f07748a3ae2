"""Anonymous visitors of a demo: their access, and the gate without a cookie."""

from __future__ import annotations

import streamlit as st

from core.access import COOKIE, EXAMPLES, Access, profile, workspace_of
from core.catalog import visitors
from core.errors import DeniedError

__all__ = ["OWN", "access", "require"]

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
