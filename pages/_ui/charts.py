"""Charts that several pages draw. Each title says what the chart shows; colors come from the theme."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import NoneType
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from core.charts import (
    MAX_GROUPS,
    DrawnChart,
    Palette,
    calibration_chart,
    confusion_chart,
    curve_chart,
    group_intervals_chart,
    intervals_chart,
)
from core.datasets import TargetSummary
from pages._ui import artifacts, frame, theme

__all__ = ["HEIGHT", "calibration", "confusion", "curve", "draw", "draw_kept", "group_intervals", "intervals", "target"]

HEIGHT = 300
_CLASS_CHARS = 120
_CHART_BYTES = 100_000
_PLAIN = (str, int, float, NoneType, list, tuple, dict, pd.DataFrame, Palette)


def draw(drawn: DrawnChart) -> None:
    """Draw a chart with its description."""
    st.altair_chart(drawn.chart, alt=drawn.description)


def draw_kept(build: Callable[..., DrawnChart], *args: Any, **kwargs: Any) -> None:
    """Draw a chart that is made once for the same values and theme: making one takes longer than anything else here.

    Parameters
    ----------
    build : callable
        Function that makes the chart.
    *args, **kwargs
        Its arguments. The chart is kept where they are tables and plain values.
    """
    if isinstance(build, partial):
        draw_kept(build.func, *build.args, *args, **build.keywords, **kwargs)
        return
    values = [*args, *kwargs.values()]
    if not all(isinstance(value, _PLAIN) for value in values):
        draw(build(*args, **kwargs))
        return
    values = [value.to_dict("list") if isinstance(value, pd.DataFrame) else value for value in values]
    content = repr((build.__module__, build.__name__, list(kwargs), values))
    key = ("chart", hashlib.blake2b(content.encode()).digest())
    draw(artifacts.keep(key, lambda: build(*args, **kwargs), lambda _: _CHART_BYTES + len(content)))


def intervals(estimates: Mapping[str, Mapping[str, Any]], metric: str) -> None:
    """Draw one metric of several models as dots with their 95% intervals; the first model is in focus."""
    draw_kept(intervals_chart, estimates, metric, theme.palette())


def curve(
    x: Sequence[float], y: Sequence[float], *, x_title: str, y_title: str, title: str, chance: float | str | None = None
) -> None:
    """Draw a curve in the unit square; `chance` is a level, or "diagonal"."""
    draw_kept(
        curve_chart, list(x), list(y), theme.palette(), x_title=x_title, y_title=y_title, title=title, chance=chance
    )


def calibration(points: pd.DataFrame, title: str) -> None:
    """Draw predicted against observed shares by bin (columns: predicted, observed, low, high, n)."""
    draw_kept(calibration_chart, points, title, theme.palette())


def confusion(labels: Sequence[str], counts: Sequence[Sequence[int]], title: str) -> None:
    """Draw a confusion matrix: rows are actual classes, shaded by their share of the row."""
    draw_kept(confusion_chart, list(labels), [list(row) for row in counts], title, theme.palette())


def group_intervals(table: pd.DataFrame, title: str, *, percent: bool) -> None:
    """Draw a metric of each group as a dot on its interval, the highest first; small groups are gray.

    Columns: group, value, low, high, n, small. At most 40 groups are drawn.
    """
    known = int(table["value"].notna().sum())
    if not known:
        st.caption(f"{title} is not known for any group.")
        return
    draw_kept(group_intervals_chart, table, title, theme.palette(), percent=percent)
    count = min(known, MAX_GROUPS)
    if len(table) > count:
        st.caption(f"The chart shows {count} of {len(table):,} groups; the table has all.")


def target(summary: TargetSummary, name: str) -> None:
    """Draw the share of each class, or describe the numbers."""
    known = summary.rows - summary.missing
    missing = f"; {summary.missing:,} rows without one are left out" if summary.missing else ""
    if summary.task == "regression":
        about = "" if summary.exact else "about "
        st.caption(f"{frame.plain(name)} is a number with {about}{summary.distinct:,} distinct values{missing}.")
        return
    names = [
        label if len(label) <= _CLASS_CHARS else f"{label[:_CLASS_CHARS]}… ({number})"
        for number, label in enumerate(summary.counts, start=1)
    ]
    table = pd.DataFrame({"Class": names, "Rows": list(summary.counts.values())})
    table["Share"] = table["Rows"] / max(known, 1)
    table["Order"] = range(len(table))
    chart = (
        alt.Chart(table)
        .mark_bar(height=22)
        .encode(
            x=alt.X("Rows:Q", stack="normalize", axis=None),
            color=alt.Color(
                "Class:N",
                scale=alt.Scale(domain=list(table["Class"]), range=theme.categorical()),
                legend=alt.Legend(orient="bottom", title=None, labelLimit=240),
            ),
            order="Order:Q",
            tooltip=["Class:N", alt.Tooltip("Rows:Q", format=","), alt.Tooltip("Share:Q", format=".1%")],
        )
        .properties(height=84)
    )
    shares = ", ".join(f"{name} {share:.1%}" for name, share in zip(table["Class"], table["Share"], strict=True))
    st.altair_chart(chart, alt=f"Share of each class: {shares}")
    rest = summary.distinct - len(table)
    more = f", and {'' if summary.exact else 'about '}{rest:,} more classes" if rest > 0 else ""
    st.caption(f"{known:,} rows: {frame.plain(shares)}{more}{missing}.")
