"""Charts of predicted numbers."""

from __future__ import annotations

import altair as alt
import pandas as pd

from core.charts.headings import fitted
from core.charts.palette import DrawnChart, Palette

__all__ = ["residuals_chart"]

_HEIGHT = 300


def residuals_chart(points: pd.DataFrame, title: str, palette: Palette) -> DrawnChart:
    """Return predicted against actual values (columns: actual, predicted)."""
    low = float(points.min().min())
    high = float(points.max().max())
    scale = alt.Scale(domain=[low, high], nice=True)
    dots = (
        alt.Chart(points)
        .mark_circle(size=25, opacity=0.4, color=palette.accent)
        .encode(
            x=alt.X("predicted:Q", title="Predicted", scale=scale),
            y=alt.Y("actual:Q", title="Actual", scale=scale),
            tooltip=["actual:Q", "predicted:Q"],
        )
    )
    diagonal = (
        alt.Chart(pd.DataFrame({"predicted": [low, high], "actual": [low, high]}))
        .mark_line(strokeDash=[4, 4], color=palette.muted)
        .encode(x="predicted:Q", y="actual:Q")
    )
    return DrawnChart((dots + diagonal).properties(height=_HEIGHT, title=fitted(title)), title)
