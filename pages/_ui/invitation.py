"""An invitation in the address: it is accepted once the user has signed in, and leaves the address."""

from __future__ import annotations

import streamlit as st

from core.catalog import workspaces
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
        access = workspaces.accept(token, sign_in.person())
        st.session_state[frame.WORKSPACE] = access.workspace
        workspaces.choose(access=access)
        title = frame.plain(workspaces.get(access=access).title)
        st.success(f"You are in the workspace **{title}** now, as {access.role}.", icon=":material/group:")
