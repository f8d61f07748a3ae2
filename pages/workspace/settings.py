"""The tab Settings: the rules of the workspace, which admins change."""

from __future__ import annotations

import streamlit as st

from core.access import Role
from core.catalog import Workspace, workspaces
from pages._ui import address, frame

__all__ = ["show"]


def show(workspace: Workspace) -> None:
    """Draw the rules."""
    admin = frame.access().may(Role.ADMIN)
    key = "workspace-two-people"
    address.follow(workspace.two_people, key)
    st.toggle(
        "Promotions need a second person",
        key=key,
        disabled=not admin,
        help="A version becomes champion when another editor or admin has confirmed it.",
        on_change=_set_two_people,
    )
    if not admin:
        st.caption("Admins of the workspace can change this.")


def _set_two_people() -> None:
    with frame.errors_shown():
        workspaces.set_two_people(st.session_state["workspace-two-people"], access=frame.access())
