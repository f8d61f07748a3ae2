"""The next steps with a dataset, by what its columns look like: one line of buttons."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from core.catalog import Dataset
from core.datasets import NextStep
from pages._ui import address, frame, suggestions

__all__ = ["show"]


class _Button(NamedTuple):
    label: str
    icon: str
    page: str | None


_BUTTONS = {
    "roles": _Button("Choose the target", ":material/flag:", None),
    "fairness": _Button("Check decisions for fairness", ":material/balance:", "fairness"),
    "finetune": _Button("Fine-tune on texts", ":material/notes:", "finetune"),
}


def show(dataset: Dataset) -> None:
    """Draw the steps that fit; the search has its button in the header."""
    others = [step for step in suggestions.steps(dataset) if step.name != "search"]
    if not others:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="data-next-steps"):
        st.markdown("**Next**", width="content")
        for step in others:
            _draw(dataset, step)


def _draw(dataset: Dataset, step: NextStep) -> None:
    button = _BUTTONS[step.name]
    key = f"data-next-{step.name}"
    reason = frame.plain(step.reason)
    if button.page is None:
        st.button(
            button.label,
            icon=button.icon,
            help=reason,
            key=key,
            on_click=address.set_query,
            kwargs={**suggestions.query(dataset, step), "tab": "Roles"},
        )
    elif st.button(button.label, icon=button.icon, help=reason, key=key):
        st.switch_page(f"pages/{button.page}/page.py", query_params=suggestions.query(dataset, step))
