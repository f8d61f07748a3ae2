"""Calls to decide something that the page rests on: a sentence, and the button that leads to where it is decided."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.catalog import Dataset
from pages._ui import address, frame, suggestions

__all__ = ["choose_target", "show"]


def show(said: str, label: str, icon: str, *, key: str, query: Mapping[str, str]) -> None:
    """Draw a sentence and a button that leads to an address of this page."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"data-call-{key}"):
        st.markdown(f"{icon} {frame.plain(said)}", width="stretch")
        st.button(label, key=key, on_click=address.set_query, kwargs=dict(query))


def choose_target(dataset: Dataset, why: str) -> None:
    """Ask for the target of a dataset, and say what it is needed for."""
    step = next((step for step in suggestions.steps(dataset) if step.name == "roles"), None)
    query = {"dataset": dataset.id} if step is None else suggestions.query(dataset, step)
    show(why, "Choose the target", ":material/flag:", key="data-choose-target", query={**query, "tab": "Roles"})
