"""The tab Your workspaces: all that the user may enter, and the form that makes a shared one."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.catalog import workspaces
from core.catalog.workspaces import PERSONAL
from pages._ui import address, frame, numbers
from pages.workspace import people

__all__ = ["show"]


def show() -> None:
    """Draw the table and the form."""
    own = workspaces.of_person(frame.access().actor)
    if len(own) > 1:
        st.caption("To work in another one, choose it in the sidebar.")
    st.dataframe(
        pd.DataFrame(
            {
                "Workspace": [workspace.title for workspace, _ in own],
                "For": ["you alone" if workspace.kind == PERSONAL else "several people" for workspace, _ in own],
                "Your role": [people.title(role) for _, role in own],
                "Made by": [None if workspace.kind == PERSONAL else workspace.who for workspace, _ in own],
                "Made": [numbers.when(workspace.created_at) for workspace, _ in own],
            }
        ),
        hide_index=True,
        placeholder="–",
        height="content" if len(own) <= 10 else "auto",
        column_config={
            "Workspace": st.column_config.TextColumn(width="medium"),
            "Made": st.column_config.DatetimeColumn(format="D MMM YYYY"),
        },
        alt="Workspaces that you may enter",
    )
    st.subheader("New shared workspace")
    with st.form("workspace-new"), st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Name", key="workspace-title", max_chars=200, placeholder="Sales forecasts", width=340)
        st.form_submit_button("Make workspace", icon=":material/add:", key="workspace-add", on_click=_add)
    st.caption("You will be its admin, and invite others with a link.")


def _add() -> None:
    with frame.errors_shown():
        made = workspaces.add(st.session_state["workspace-title"], person=frame.access().actor)
        st.session_state[frame.WORKSPACE] = made.workspace
        workspaces.choose(access=made)
        st.session_state["workspace-title"] = ""
        address.set_query()  # its tab People
        st.toast("The workspace is there. Invite people to it now.", icon=":material/group_add:")
