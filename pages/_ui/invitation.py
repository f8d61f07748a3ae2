"""An invitation in the address: it is accepted once the user has signed in, and leaves the address."""

from __future__ import annotations

import streamlit as st

from core.catalog import invitations, workspaces
from pages._ui import address, frame, sign_in

__all__ = ["PARAMETER", "accept"]

PARAMETER = "invitation"
"""Parameter of the address that holds the token of an invitation."""


def accept() -> None:
    """Accept the invitation that the address names, if it names one, and work in its workspace from now on."""
    token = st.query_params.get(PARAMETER)
    if token is None:
        return
    address.drop(PARAMETER)
    with frame.errors_shown():
        person = sign_in.person()
        before = {row.workspace: role for row, role in workspaces.of_person(person)}
        access = invitations.accept(token, person)
        st.session_state[frame.WORKSPACE] = access.workspace
        workspaces.choose(access=access)
        title = frame.plain(workspaces.get(access=access).title)
        if before.get(access.workspace) is access.role:
            already = f"You are in the workspace **{title}** already, as {access.role}. The link has changed nothing."
            st.info(already, icon=":material/group:")
        else:
            st.success(f"You are in the workspace **{title}** now, as {access.role}.", icon=":material/group:")
