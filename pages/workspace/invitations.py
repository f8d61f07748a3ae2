"""Invitations to the workspace: a link that gives a role once, and those that are open."""

from __future__ import annotations

from urllib.parse import urlsplit

import pandas as pd
import streamlit as st

from core.access import Role
from core.catalog import Invitation, invitations
from pages._ui import frame, numbers
from pages._ui.invitation import PARAMETER
from pages.workspace import people

__all__ = ["show"]

_DAYS = f"{invitations.VALID_S / 86_400:.0f} days"


def show() -> None:
    """Draw the button that makes a link, and the open invitations."""
    st.subheader("Invitations")
    st.caption(f"A link is for one person, who joins with this role by opening it within {_DAYS} and signing in.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        role = st.segmented_control(
            "Role of the new person",
            list(Role),
            default=Role.EDITOR,
            required=True,
            format_func=people.title,
            key="workspace-invite-role",
            help=people.ROLE_HELP,
        )
        made = st.button("Make a link", icon=":material/person_add:", key="workspace-invite", type="primary")
    if made:
        _link(invitations.add(role, access=frame.access()), role)
    open_ones = invitations.find(access=frame.access())
    if made and open_ones:
        st.session_state["workspace-offer"] = open_ones[0].id  # the one to withdraw, if it was made by mistake
    if open_ones:
        _open(open_ones)
    else:
        st.caption("There are no open invitations.")


def _link(token: str, role: Role) -> None:
    address = urlsplit(st.context.url or "")
    base = (address.path or "/").rstrip("/").removesuffix("workspace").rstrip("/")
    st.success(
        f"Whoever opens this link within {_DAYS} and signs in becomes {people.with_article(role)}, once. "
        "Copy it now: it is not shown again.",
        icon=":material/link:",
    )
    st.code(f"{address.scheme}://{address.netloc}{base}/?{PARAMETER}={token}", language=None, wrap_lines=True)


def _open(offers: list[Invitation]) -> None:
    st.dataframe(
        pd.DataFrame(
            {
                "Role": [people.title(Role(offer.role)) for offer in offers],
                "Made by": [offer.who for offer in offers],
                "Made": [numbers.when(offer.created_at) for offer in offers],
                "Expires": [numbers.when(offer.expires_at) for offer in offers],
            }
        ),
        hide_index=True,
        height="content" if len(offers) <= 10 else "auto",
        column_config={
            name: st.column_config.DatetimeColumn(format=f"D MMM YYYY, {clock}")
            for name, clock in (("Made", "HH:mm:ss"), ("Expires", "HH:mm"))
        },
        alt="Open invitations, the newest first",
    )
    labels = {
        offer.id: f"{people.title(Role(offer.role))}, {numbers.when(offer.created_at):%-d %b %Y, %H:%M:%S}"
        for offer in offers
    }
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Open invitation", list(labels), format_func=labels.__getitem__, key="workspace-offer", width=340
        )
        st.button(
            "Withdraw",
            icon=":material/link_off:",
            key="workspace-withdraw",
            help="The link leads nowhere from then on.",
            on_click=_withdraw,
            args=(chosen,),
        )


def _withdraw(invitation_id: str) -> None:
    with frame.errors_shown():
        invitations.withdraw(invitation_id, access=frame.access())
        st.toast("The invitation was withdrawn.", icon=":material/link_off:")
