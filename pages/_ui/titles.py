"""Titles of charts that are whole on a narrow screen, too."""

from __future__ import annotations

import json
import textwrap

import altair as alt

__all__ = ["fitted", "legend_columns"]

_A_CHARACTER = 7.4  # its width in a title (px), a generous mean
_AXIS = 40  # what a title has beside the plot's own width, above the axis (px)
_NARROWEST = 36  # characters in a line of a title where there is least room
_NARROW = 420  # the width (px) of a plot on a telephone, with room to spare


def fitted(title: str) -> alt.TitleParams | str:
    """Return a title that is broken into lines where the plot is narrower than it.

    Vega cuts a title that has no room, and only there is the width known.

    Examples
    --------
    >>> fitted("ROC")
    'ROC'
    """
    lines = textwrap.wrap(title, _NARROWEST)
    if len(lines) < 2:
        return title
    narrow = _A_CHARACTER * len(title) - _AXIS
    return alt.TitleParams(text=alt.ExprRef(f"width < {narrow:.0f} ? {json.dumps(lines)} : {json.dumps(title)}"))


def legend_columns(wide: int, narrow: int = 2) -> alt.ExprRef:
    """Return the columns of a legend: fewer where the plot is narrow, so that none runs off the side."""
    return alt.ExprRef(f"width < {_NARROW} ? {narrow} : {wide}")
