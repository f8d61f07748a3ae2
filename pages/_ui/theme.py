"""Colors of the theme for charts; no page has colors of its own."""

from __future__ import annotations

import altair as alt
import streamlit as st

from core.charts import Palette

__all__ = [
    "accent",
    "categorical",
    "ground",
    "muted",
    "on_sequential",
    "palette",
    "sequential",
    "strong_from",
    "surface",
    "text",
]


_OPACITY = 0.75  # of the text of axes: its contrast is 8 to 1 and more


def _mode() -> str:
    return "dark" if st.context.theme.type == "dark" else "light"


@alt.theme.register("plumbline", enable=True)
def _text_of_charts() -> alt.theme.ThemeConfig:
    """Return what Streamlit's theme of charts lacks: axes and legends whose text has enough contrast."""
    color = text()
    return {
        "config": {
            "axis": {"labelColor": color, "labelOpacity": _OPACITY, "titleColor": color, "titleOpacity": _OPACITY},
            "legend": {"labelColor": color, "labelOpacity": _OPACITY, "titleColor": color, "titleOpacity": _OPACITY},
        }
    }


def accent() -> str:
    """Return the color of what is in focus."""
    return categorical()[0]


def muted() -> str:
    """Return the color of what is there for comparison only."""
    return categorical()[-1]


def text() -> str:
    """Return the color of text."""
    return str(st.get_option(f"theme.{_mode()}.textColor"))


def ground() -> str:
    """Return the color of the page's ground, for what must hide the marks behind it."""
    return str(st.get_option(f"theme.{_mode()}.backgroundColor"))


def surface() -> str:
    """Return the color of what lies on the page's ground, such as a card."""
    return str(st.get_option(f"theme.{_mode()}.secondaryBackgroundColor"))


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


def strong_from() -> float:
    """Return the part of `sequential` from which text is better read in the color for its strong half."""
    return 0.39 if _mode() == "dark" else 0.61  # between the fourth and fifth darkest step: both have 4 to 1


def palette() -> Palette:
    """Return the colors for charts that files have as well."""
    return Palette(tuple(categorical()), tuple(sequential()), strong_from())
