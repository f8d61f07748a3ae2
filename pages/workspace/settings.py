"""The tab Settings: the rules of the workspace, which admins change."""

from __future__ import annotations

import streamlit as st

from core.access import Role
from core.catalog import Workspace, workspaces
from pages._ui import address, frame, people

__all__ = ["show"]

_TWO, _WHY = "workspace-two-people", "workspace-needs-reason"


def show(workspace: Workspace) -> None:
    """Draw the rules."""
    admin = frame.access().may(Role.ADMIN)
    st.subheader("Promotions")
    for key, value, label, explanation in (
        (
            _TWO,
            workspace.two_people,
            "A second person confirms",
            "One editor or admin asks to make a version the champion of a model; another one confirms or declines.",
        ),
        (_WHY, workspace.needs_reason, "A reason is required", "It is kept in the history of the model."),
    ):
        address.follow(value, key)
        st.toggle(label, key=key, disabled=not admin, on_change=_set)
        st.caption(explanation)
    if workspace.two_people and not people.others_confirm(frame.access()):
        st.warning(people.NOBODY_CONFIRMS, icon=":material/person_alert:")
    if not admin:
        st.caption("Admins of the workspace can change this.")


def _set() -> None:
    with frame.errors_shown():
        two_people, needs_reason = bool(st.session_state[_TWO]), bool(st.session_state[_WHY])
        workspaces.set_rules(two_people=two_people, needs_reason=needs_reason, access=frame.access())
