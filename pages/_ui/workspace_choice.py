"""The sidebar's choice of a workspace, and who is signed in."""

from __future__ import annotations

import streamlit as st

from core.access import EXAMPLES, Access, Role, profile
from core.catalog import audit, visitors, workspaces
from pages._ui import frame, sign_in, visitor

__all__ = ["has_several", "show"]


def show() -> None:
    """Let the user choose one of their workspaces, where there are several; draw who is signed in."""
    if profile().visitors:
        _choose_example()
        return
    person = sign_in.person()
    if not person:
        return
    with st.sidebar:
        if profile().signs_in:
            _choose(person)
        st.caption(frame.plain(person))
        st.button("Sign out", icon=":material/logout:", type="tertiary", on_click=sign_in.sign_out, key="app-sign-out")


def has_several() -> bool:
    """Return whether the user has signed in and may enter other workspaces than the chosen one."""
    return profile().signs_in and len(workspaces.of_person(sign_in.person())) > 1


def _choose(person: str) -> None:
    own = workspaces.personal(person).workspace
    known = {row.workspace: (row.title, role) for row, role in workspaces.of_person(person)}
    if st.session_state.get(frame.WORKSPACE) not in known:  # a new session, or the user was removed
        last = workspaces.chosen(person) if len(known) > 1 else None
        st.session_state[frame.WORKSPACE] = last if last in known else own
    if len(known) > 1:
        st.selectbox(
            "Workspace",
            list(known),
            format_func=lambda name: _label(*known[name]),
            key=frame.WORKSPACE,
            persist_state="session",
            on_change=_remember,
        )
    chosen = st.session_state[frame.WORKSPACE]
    if chosen != own:
        access = Access(chosen, known[chosen][1], person)
        audit.once("enter", "", key=sign_in.issue(), within_s=audit.SIGN_IN_S, access=access)


def _remember() -> None:
    with frame.errors_shown():
        workspaces.choose(access=frame.access())


def _choose_example() -> None:
    """Let a visitor look at the example, where there is one."""
    if visitors.examples() is None:
        return
    titles = {visitor.OWN: "Your own", EXAMPLES: "Example (look only)"}
    with st.sidebar:
        st.selectbox(
            "Workspace",
            list(titles),
            format_func=titles.__getitem__,
            key=frame.WORKSPACE,
            persist_state="session",
            on_change=st.query_params.clear,  # what the address names is in the other workspace
        )


def _label(title: str, role: Role) -> str:
    return title if role is Role.ADMIN else f"{title} ({role})"
