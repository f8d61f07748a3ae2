"""Charts of predicted classes: confusion, calibration, curves in the unit square."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from core.charts.headings import fitted
from core.charts.palette import DrawnChart, Palette

__all__ = ["calibration_chart", "confusion_chart", "curve_chart"]

_HEIGHT = 300
_MAX_COUNTED_CLASSES = 12


def curve_chart(
    x: Sequence[float],
    y: Sequence[float],
    palette: Palette,
    *,
    x_title: str,
    y_title: str,
    title: str,
    chance: float | str | None = None,
) -> DrawnChart:
    """Return a curve in the unit square; `chance` is a level, or "diagonal"."""
    scale = alt.Scale(domain=[0, 1])
    axes = {"x": alt.X("x:Q", title=x_title, scale=scale), "y": alt.Y("y:Q", title=y_title, scale=scale)}
    points = pd.DataFrame({"x": x, "y": y, "position": range(len(x))})
    layers = [alt.Chart(points).mark_line(color=palette.accent, strokeWidth=2).encode(**axes, order="position:Q")]
    if chance is not None:
        ends = [0.0, 1.0] if chance == "diagonal" else [float(chance)] * 2
        reference = pd.DataFrame({"x": [0.0, 1.0], "y": ends})
        layers.append(alt.Chart(reference).mark_line(strokeDash=[4, 4], color=palette.muted).encode(**axes))
    return DrawnChart(alt.layer(*layers).properties(height=_HEIGHT, title=fitted(title)), title)


def calibration_chart(points: pd.DataFrame, title: str, palette: Palette) -> DrawnChart:
    """Return predicted against observed shares by bin (columns: predicted, observed, low, high, n)."""
    scale = alt.Scale(domain=[0, 1])
    x = alt.X("predicted:Q", title="Predicted probability", scale=scale)
    base = alt.Chart(points)
    bars = base.mark_rule(color=palette.accent).encode(x=x, y=alt.Y("low:Q", title="Observed share"), y2="high:Q")
    dots = base.mark_point(filled=True, size=60, color=palette.accent).encode(
        x=x,
        y=alt.Y("observed:Q", scale=scale, title="Observed share"),
        tooltip=[
            alt.Tooltip("predicted:Q", format=".3f"),
            alt.Tooltip("observed:Q", format=".3f"),
            alt.Tooltip("n:Q", format=",", title="rows"),
        ],
    )
    diagonal = (
        alt.Chart(pd.DataFrame({"predicted": [0.0, 1.0], "observed": [0.0, 1.0]}))
        .mark_line(strokeDash=[4, 4], color=palette.muted)
        .encode(x="predicted:Q", y="observed:Q")
    )
    return DrawnChart((diagonal + bars + dots).properties(height=_HEIGHT, title=fitted(title)), title)


def confusion_chart(
    labels: Sequence[str], counts: Sequence[Sequence[float]], title: str, palette: Palette
) -> DrawnChart:
    """Return a confusion matrix: rows are actual classes, shaded by their share of the row."""
    rows = []
    for true, line in zip(labels, counts, strict=True):
        total = sum(line) or 1
        rows += [
            {"Actual": true, "Predicted": predicted, "Rows": count, "Share": count / total}
            for predicted, count in zip(labels, line, strict=True)
        ]
    table = pd.DataFrame(rows)
    order = list(labels)
    base = alt.Chart(table).encode(
        x=alt.X("Predicted:N", sort=order, axis=alt.Axis(labelAngle=0, labelLimit=140, orient="top")),
        y=alt.Y("Actual:N", sort=order, axis=alt.Axis(labelLimit=140)),
    )
    squares = base.mark_rect().encode(
        color=alt.Color("Share:Q", scale=alt.Scale(range=list(palette.sequential), domain=[0, 1]), legend=None),
        tooltip=[
            "Actual:N",
            "Predicted:N",
            alt.Tooltip("Rows:Q", format=","),
            alt.Tooltip("Share:Q", format=".1%", title="of the actual class"),
        ],
    )
    layers = [squares]
    if len(order) <= _MAX_COUNTED_CLASSES:
        light, dark = palette.on_sequential
        layers.append(
            base.mark_text(fontSize=13).encode(
                text=alt.Text("Rows:Q", format=","),
                color=alt.condition(f"datum.Share > {palette.strong_from}", alt.value(dark), alt.value(light)),
            )
        )
    return DrawnChart(alt.layer(*layers).properties(height=_HEIGHT, title=fitted(title)), title)
