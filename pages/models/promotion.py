"""The request to make a version the champion, which a second person confirms or declines."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.access import Role
from core.catalog import Model, Promotion, promotions
from pages._ui import address, frame, numbers, people

__all__ = ["list_waiting", "show"]


def show(model: Model) -> None:
    """Draw the request that waits, with what the user may do about it; nothing where none does."""
    access = frame.access()
    asked = promotions.waiting(model.id, access=access)
    if asked is None:
        return
    own = asked.who == access.actor
    with st.container(border=True, key="models-promotion"):
        with st.container(horizontal=True, vertical_alignment="center"):
            who = "You" if own else frame.plain(asked.who or "Someone")
            st.markdown(
                f":material/hourglass_empty: **Version {asked.number} waits for a second person.** "
                f"{who} asked to make it the champion {numbers.ago(asked.at)}.",
                width="content",
            )
            st.space("stretch")
            if access.may(Role.EDITOR):
                _buttons(asked, own)
        if asked.why:
            st.markdown(f"Reason: {frame.plain(asked.why)}")
        if own and people.others_confirm(access):
            st.caption("Another editor or admin of the workspace confirms or declines it.")
        elif own:
            st.caption(people.NOBODY_CONFIRMS)


def list_waiting(models: list[Model]) -> None:
    """Draw the requests that wait, each with a button that opens its model; nothing where none does."""
    names = {model.id: model.name for model in models}
    requests = [asked for asked in promotions.waiting_anywhere(access=frame.access()) if asked.model_id in names]
    if not requests:
        return
    with st.container(border=True, key="models-waiting"):
        for asked in requests:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(
                    f":material/hourglass_empty: Version {asked.number} of **{frame.plain(names[asked.model_id])}** "
                    f"waits for a second person to make it the champion.",
                    width="content",
                )
                st.space("stretch")
                st.button(
                    "Open",
                    icon=":material/arrow_forward:",
                    key=f"models-waiting-{asked.id}",
                    on_click=address.set_query,
                    kwargs={"model": asked.model_id, "version": str(asked.number)},
                )


def _buttons(asked: Promotion, own: bool) -> None:
    if own:
        st.button(
            "Withdraw",
            icon=":material/undo:",
            key=f"models-withdraw-{asked.id}",
            on_click=_decide,
            args=(promotions.withdraw, asked, "The request was withdrawn."),
        )
        return
    st.button(
        "Confirm",
        type="primary",
        icon=":material/how_to_reg:",
        key=f"models-confirm-{asked.id}",
        on_click=_decide,
        args=(promotions.confirm, asked, f"Version {asked.number} is the champion now."),
    )
    with st.popover("Decline…", icon=":material/block:", key=f"models-decline-{asked.id}"):
        st.text_input("Why", key=f"models-decline-why-{asked.id}", max_chars=500, placeholder="Reason, for the history")
        st.button("Decline", key=f"models-decline-confirm-{asked.id}", on_click=_decline, args=(asked,))


def _decide(decide: Callable[..., Promotion], asked: Promotion, done: str) -> None:
    with frame.errors_shown():
        decide(asked.id, access=frame.access())
        st.toast(done, icon=":material/how_to_reg:")


def _decline(asked: Promotion) -> None:
    with frame.errors_shown():
        why = st.session_state.get(f"models-decline-why-{asked.id}", "")
        promotions.decline(asked.id, why=why, access=frame.access())
        st.toast("The promotion was declined.", icon=":material/block:")
