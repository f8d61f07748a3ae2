"""Colors of the theme for charts; no page has colors of its own."""

from __future__ import annotations

import altair as alt
import streamlit as st

__all__ = ["accent", "categorical", "muted", "on_sequential", "sequential"]


_TEXT = {"light": "#566069", "dark": "#C3CBD3"}  # 6.4 and 11 to 1 on their grounds


def _mode() -> str:
    return "dark" if st.context.theme.type == "dark" else "light"


@alt.theme.register("plumbline", enable=True)
def _text_of_charts() -> alt.theme.ThemeConfig:
    """Return what Streamlit's theme of charts lacks: axes and legends whose text has enough contrast."""
    text = _TEXT[_mode()]
    return {
        "config": {
            "axis": {"labelColor": text, "titleColor": text},
            "legend": {"labelColor": text, "titleColor": text},
        }
    }


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
