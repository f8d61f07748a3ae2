"""The banner of a demo: what it is, its limits, and the way to the example and back."""

from __future__ import annotations

import streamlit as st

from core.access import EXAMPLES, FEATURES, LIMIT_TITLES, limits, profile
from core.catalog import visitors
from pages._ui import address, frame, visitor

__all__ = ["show"]


def show() -> None:
    """Say on every page that this is a demo, when what is uploaded is removed, and what the limits are."""
    if not profile().visitors:
        return
    in_example = st.session_state.get(frame.WORKSPACE) == EXAMPLES
    with st.container(horizontal=True, vertical_alignment="center", key="app-demo"):
        st.markdown(
            f":material/public: **Public demo.** All that you make is removed {limits().kept_hours} hours after your "
            "last visit. Do not upload personal data.",
            width="content",
        )
        with st.popover("Limits", type="tertiary", key="app-demo-limits"):
            _limits()
        if not in_example and visitors.examples() is not None:
            st.button(
                "See an example",
                type="tertiary",
                icon=":material/visibility:",
                key="app-demo-example",
                help="A finished search with its model. You can look at all of it.",
                on_click=_switch,
                args=(EXAMPLES,),
            )
    if in_example:
        with st.container(border=True, horizontal=True, vertical_alignment="center", key="app-demo-in-example"):
            st.markdown(
                ":material/visibility: This is the example: look at all of it. It stays as it is.", width="content"
            )
            st.button(
                "Back to your own workspace",
                icon=":material/arrow_back:",
                key="app-demo-own",
                on_click=_switch,
                args=(visitor.OWN,),
            )


def _limits() -> None:
    own = limits()
    values = {title: f"{getattr(own, name):,}" for name, title in LIMIT_TITLES.items()}
    st.table(values, border="horizontal", width="content")
    off = [feature.title for feature in FEATURES.values() if feature.name in profile().off]
    st.caption(f"Not in this demo: {' · '.join(off)}")


def _switch(workspace: str) -> None:
    st.session_state[frame.WORKSPACE] = workspace
    address.set_query()  # what the address names is in the other workspace
