"""The tab People: who is in the workspace with which role; admins change roles and remove people."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.access import Role
from core.catalog import Membership, workspaces
from pages._ui import frame, numbers

__all__ = ["ROLE_HELP", "show", "title", "with_article"]

ROLE_HELP = "Viewers look at everything and change nothing. Editors do all the work. Admins also decide who is in."
_COLORS = {Role.VIEWER: "gray", Role.EDITOR: "blue", Role.ADMIN: "violet"}


def title(role: Role) -> str:
    """Return a role as a label."""
    return role.capitalize()


def with_article(role: Role) -> str:
    """Return a role with its article, such as "an admin"."""
    return f"a {role}" if role is Role.VIEWER else f"an {role}"


def show(members: list[Membership]) -> None:
    """Draw the people, and the actions that the user's role allows."""
    access = frame.access()
    st.dataframe(
        pd.DataFrame(
            {
                "Person": [member.person + (" (you)" if member.person == access.actor else "") for member in members],
                "Role": [[title(Role(member.role))] for member in members],
                "Since": [numbers.when(member.since) for member in members],
                "Added by": [None if member.who == member.person else member.who for member in members],
            }
        ),
        hide_index=True,
        height="auto" if len(members) > 10 else "content",
        placeholder="–",
        column_config={
            "Person": st.column_config.TextColumn(width="medium"),
            "Role": st.column_config.MultiselectColumn(
                options=[title(role) for role in Role], color=[_COLORS[role] for role in Role], help=ROLE_HELP
            ),
            "Since": st.column_config.DatetimeColumn(format="D MMM YYYY"),
        },
        alt="People in this workspace with their roles",
    )
    if access.may(Role.ADMIN):
        others = [member for member in members if member.person != access.actor]
        if others:
            _change(others)
    else:
        st.caption(f"{ROLE_HELP} Ask an admin for another role.")
    with st.popover("Leave this workspace…", icon=":material/door_open:", key="workspace-leave"):
        st.markdown("You will not see what is in it any more. Only a new invitation brings you back.")
        st.button("Leave", type="primary", key="workspace-leave-confirm", on_click=_leave)


def _change(others: list[Membership]) -> None:
    """Draw the form that gives someone else another role or removes them."""
    roles = {member.person: Role(member.role) for member in others}
    with (
        st.container(border=True, key="workspace-change"),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        person = st.selectbox("Person", list(roles), key="workspace-person", width=340)
        role = st.segmented_control(
            "Role",
            list(Role),
            default=roles[person],
            required=True,
            format_func=title,
            key=f"workspace-role-{person}-{roles[person]}",
            help=ROLE_HELP,
        )
        st.button(
            "Change role",
            icon=":material/manage_accounts:",
            key="workspace-change-role",
            disabled=role == roles[person],
            on_click=_set_role,
            args=(person, role),
        )
        with st.popover("Remove…", icon=":material/person_remove:", key="workspace-remove"):
            st.markdown(f"**{frame.plain(person)}** will not see what is in this workspace any more.")
            st.caption("Datasets, models and runs of this person stay.")
            st.button("Remove", type="primary", key="workspace-remove-confirm", on_click=_remove, args=(person,))


def _set_role(person: str, role: Role) -> None:
    with frame.errors_shown():
        workspaces.change_role(person, role, access=frame.access())
        st.toast(f"{frame.plain(person)} is now {with_article(role)}.", icon=":material/manage_accounts:")


def _remove(person: str) -> None:
    with frame.errors_shown():
        workspaces.remove(person, access=frame.access())
        st.toast(f"{frame.plain(person)} was removed.", icon=":material/person_remove:")


def _leave() -> None:
    with frame.errors_shown():
        access = frame.access()
        workspaces.remove(access.actor, access=access)
        del st.session_state[frame.WORKSPACE]
        st.toast("You have left the workspace.", icon=":material/door_open:")
