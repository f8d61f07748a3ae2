"""Titles and legends of charts that fit on a narrow screen."""

from __future__ import annotations

import json
import textwrap

import altair as alt

__all__ = ["fitted", "legend_columns"]

_CHARACTER = 7.4  # width of a character in a title (px), a generous mean
_AXIS = 40  # width that a title has besides that of the plot, above the axis (px)
_NARROWEST = 36  # characters per line of a title on the narrowest screen
_NARROW = 420  # width of a plot on a phone (px), with a margin


def fitted(title: str) -> alt.TitleParams | str:
    """Return a title that is broken into lines where the plot is narrower than the title.

    Vega cuts off a title that is too long, and only Vega knows the width.

    Examples
    --------
    >>> fitted("ROC")
    'ROC'
    """
    lines = textwrap.wrap(title, _NARROWEST)
    if len(lines) < 2:
        return title
    narrow = _CHARACTER * len(title) - _AXIS
    return alt.TitleParams(text=alt.ExprRef(f"width < {narrow:.0f} ? {json.dumps(lines)} : {json.dumps(title)}"))


def legend_columns(wide: int, narrow: int = 2) -> alt.ExprRef:
    """Return the columns of a legend: fewer where the plot is narrow, so that none is cut off."""
    return alt.ExprRef(f"width < {_NARROW} ? {narrow} : {wide}")
