"""Colors of the theme for charts; no page has colors of its own."""

from __future__ import annotations

import streamlit as st

__all__ = ["accent", "categorical", "muted", "on_sequential", "sequential"]


def _mode() -> str:
    return "dark" if st.context.theme.type == "dark" else "light"


def accent() -> str:
    """Return the color of what is in focus."""
    return categorical()[0]


def muted() -> str:
    """Return the color of what is there for comparison only."""
    return categorical()[-1]


def categorical() -> list[str]:
    """Return the hues for groups, learners and variants, in their fixed order."""
    own = st.get_option(f"theme.{_mode()}.chartCategoricalColors")
    return list(own or st.get_option("theme.chartCategoricalColors"))


def sequential() -> list[str]:
    """Return the ten steps from low to high."""
    steps = list(st.get_option("theme.chartSequentialColors"))
    return steps[::-1] if _mode() == "dark" else steps


def on_sequential() -> tuple[str, str]:
    """Return the colors of text on the pale and on the strong half of `sequential`."""
    steps = sequential()
    return steps[-1], steps[0]
